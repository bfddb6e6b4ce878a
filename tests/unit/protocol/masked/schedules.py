"""Random schedules of one base of a masked job: members crash, die, lie, withhold and attest this and that; RELEASE
lapses; the chain forks, deeper than anybody waited for. Decisions are the daemons' own pure functions."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from hansa.protocol.masked.group import Group, fixed_group, may_put, may_release, to_bitmap
from hansa.protocol.masked.guard import Guarded, Step, step
from hansa.protocol.masked.opening import settle
from hansa.protocol.masked.sharing import Sharing
from hansa.protocol.masked.table import Table
from hansa.protocol.types import Address, CycleId, Digest

TRUTH, LIE = b"true", b"lies"


def digest(*parts: object) -> Digest:
    return Digest(repr(parts).encode()[-32:].rjust(32, b"."))


@dataclass
class Cycle:
    """What the chain has of a cycle; released: by seat the name of the group, None for 0³²."""

    cycle: CycleId
    updates_acc: int
    submitted: list[tuple[Address, Digest]]
    bitmaps: list[bytes] = field(default_factory=list)
    is_attested: bool = False
    released: dict[int, bytes] = field(default_factory=dict)
    is_released: bool = False


@dataclass
class Member:
    seat: int
    corrupt: bool = False
    dead: bool = False
    journalled: bytes | None = None
    put: set[bytes] = field(default_factory=set)  # groups whose vectors it gave away


@dataclass
class World:
    """corrupt seats sign whatever helps them; releases that were ever signed are known to all, on every fork."""

    rng: random.Random
    sharing: Sharing
    quorum: int
    least: int = 3
    trainers: int = 6
    forks: bool = True

    def __post_init__(self) -> None:
        seats = self.sharing.seats
        corrupt = set(self.rng.sample(range(seats), self.rng.randint(0, self.sharing.shares - 1)))
        self.members = [Member(seat, seat in corrupt) for seat in range(seats)]
        self.cycles: list[Cycle] = []
        self.signed: dict[bytes, set[int]] = {}
        self.groups: dict[bytes, Group] = {}
        self.guards: dict[int, Guarded] = {}
        self.sealed: dict[int, set[bytes]] = {}  # groups that a trainer's envelopes are in
        self.made = 0

    # --- the chain

    @property
    def group(self) -> Group | None:
        return fixed_group(self.cycles, self.sharing.seats, self.least)

    def fork(self) -> None:
        """Takes back the last cycles, as many as chance has it."""
        keep = self.rng.randint(0, len(self.cycles))
        self.cycles = self.cycles[:keep]

    def play(self, calm: bool = False) -> bool:
        """One cycle; whether the base's sum was opened in it."""
        cycle = self._submit(calm)
        self.cycles.append(cycle)
        if len(cycle.submitted) < self.least:
            return False
        before, alive = self.group, self._alive(calm)
        self._attest(cycle, alive, calm)
        if not cycle.is_attested:
            return False
        group = self.group
        assert before is None or group == before, "a later cycle never changes the set"
        if group is None:
            return False
        self.groups[group.name] = group
        self._guard(group)
        self._release(cycle, group, alive)
        self._give(alive)
        return cycle.is_released and self.is_opened(group.name) and self._came(cycle, group)

    # --- what everybody does

    def _submit(self, calm: bool) -> Cycle:
        self.made += 1
        cycle, group, submitted = CycleId(self.made), self.group, []
        for number in range(self.trainers):
            if not calm and self.rng.random() < 0.25:
                continue
            own = self._own(group, number)
            known, is_fixed = self.guards.get(number), group is not None
            match step(known, "here", own=own, is_fixed=is_fixed, repeat=False, submitted=()):
                case Step.SEND_AGAIN:
                    assert own is not None
                    submitted.append((Address(str(number)), own))
                case Step.STAND_BY:
                    submitted.append((Address(str(number)), Digest(bytes(32))))
                case Step.SEAL:
                    submitted.append((Address(str(number)), digest("sealed", number, self.made)))
        return Cycle(cycle, self.rng.getrandbits(64), submitted)

    def _own(self, group: Group | None, number: int) -> Digest | None:
        if group is None:
            return None
        members = next(cycle for cycle in self.cycles if cycle.cycle == group.cycle).submitted
        return next((d for place in group.places for who, d in [members[place]] if who == str(number)), None)

    def _guard(self, group: Group) -> None:
        """Trainers note, as soon as they see it, that their envelope is in."""
        for number in range(self.trainers):
            own = self._own(group, number)
            if own is not None:
                self.sealed.setdefault(number, set()).add(group.name)
                self.guards.setdefault(number, Guarded("w", own, "here", True))

    def _alive(self, calm: bool) -> list[Member]:
        if calm:
            return [member for member in self.members if not member.dead]
        return [member for member in self.members if not member.dead and self.rng.random() < 0.8]

    def _attest(self, cycle: Cycle, alive: list[Member], calm: bool) -> None:
        for _ in alive:
            bits = [bool(d.strip(b"\0")) and (calm or self.rng.random() < 0.85) for _, d in cycle.submitted]
            cycle.bitmaps.append(to_bitmap(bits))
        cycle.is_attested = len(alive) >= self.quorum

    def _release(self, cycle: Cycle, group: Group, alive: list[Member]) -> None:
        for member in alive:
            if not member.corrupt and not may_release(member.journalled, group):
                continue
            if not member.corrupt:
                member.journalled = group.name
            cycle.released[member.seat] = group.name
            self.signed.setdefault(group.name, set()).add(member.seat)
        cycle.is_released = len(cycle.released) >= self.quorum
        for name in self.groups:
            self.signed.setdefault(name, set()).update(m.seat for m in self.members if m.corrupt)

    def _give(self, alive: list[Member]) -> None:
        for member in alive:
            for name, seats in self.signed.items():
                if member.corrupt or (member.journalled == name and may_put(len(seats), self.quorum)):
                    member.put.add(name)

    # --- what came of it

    def is_opened(self, name: bytes) -> bool:
        """Whether vectors of every set were given away, and they are the true ones."""
        tables = []
        for member in self.members:
            if name in member.put:
                said = LIE if member.corrupt else TRUTH
                tables.append(Table(member.seat, {i: digest(said, i) for i in self.sharing.by_seat[member.seat]}))
        true = {index: digest(TRUTH, index) for index in range(len(self.sharing.sets))}
        shown = {i: true[i] for i in settle(tables, self.sharing, {}).disputed}
        settled = settle(tables, self.sharing, shown)
        assert all(self.members[seat].corrupt for seat in settled.liars), "nobody is framed"
        return settled.is_complete and settled.vectors == true

    def opened(self) -> list[bytes]:
        """Groups of which every set's vector was given away by somebody."""
        return [
            name
            for name in self.groups
            if all(any(name in self.members[seat].put for seat in chosen) for chosen in self.sharing.sets)
        ]

    def _came(self, cycle: Cycle, group: Group) -> bool:
        return any(self._own(group, int(who)) == sent for who, sent in cycle.submitted)


def kill(world: World) -> None:
    """As many seats die for good as may: a quorum still releases, and every set keeps an honest holder."""
    honest = [member for member in world.members if not member.corrupt]
    corrupt = len(world.members) - len(honest)
    room = min(len(world.members) - world.quorum, len(world.members) - world.sharing.shares - corrupt)
    for member in world.rng.sample(honest, world.rng.randint(0, max(0, room))):
        member.dead = True
