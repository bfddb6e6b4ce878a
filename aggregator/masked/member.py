"""ATTEST and RELEASE of a masked job, and what is put after them: one member's."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from aggregator.masked.puts import Puts, kept_key
from aggregator.masked.seeds import OwnSeeds
from aggregator.steps import attest, is_time, may_open, release, step_key
from hansa.protocol.cid import NO_DIGEST
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.masked.group import Group, may_put, may_release
from hansa.protocol.types import Code, Digest, Seat
from hansa.runtime.chain.federation import JobState
from hansa.runtime.desk import Desk
from hansa.runtime.history.records import CycleRecord
from hansa.runtime.masked.base import MaskedBase
from hansa.runtime.masked.current import current_base
from hansa.runtime.masked.opening import PublicOpening, Standing
from hansa.runtime.masked.signed_releases import SignedReleases


class MaskedMember:
    """secret_for: the X25519 secret that opens what is sealed to a public key."""

    def __init__(self, desk: Desk, secret_for: Callable[[bytes | None], bytes]) -> None:
        self._desk, self._secret_for = desk, secret_for
        self._signed = SignedReleases(desk.follower.federation)
        self._seeds: OwnSeeds | None = None
        self._opening: PublicOpening | None = None
        self._refused: bytes | None = None  # a set that it was said of that it is another one
        self._told_liars: set[Seat] = set()

    # --- what the chain is told

    def attest(self, state: JobState, seat: Seat) -> None:
        """Attests when every update was tried, at the latest at half of ATTEST; once a set is fixed, nothing."""
        attest(self._desk, state, seat, lambda: self._look(state, seat))

    def release(self, state: JobState, seat: Seat) -> None:
        """Releases this member's table of the set, or a probe where its sum is none; 0 where no set is fixed."""
        base = current_base(self._desk.follower)
        if base.group is None or self._may_release(base, base.group):
            release(self._desk, state, seat, lambda: self._make(base, state, seat))

    def _look(self, state: JobState, seat: Seat) -> list[bool] | None:
        desk, base = self._desk, current_base(self._desk.follower)
        cycle = desk.follower.cycle()
        if base.group is not None:
            return [False] * len(cycle.updates)
        seeds = self._seeds_of(base, cycle, seat)
        is_ready = seeds.fetch()
        if not is_time(desk, state, base.terms.attest_time, is_ready):
            return None
        desk.journal.replace(found_key(desk, cycle), {"malformed": seeds.malformed})
        return [seeds.codes.get(place) == Code.OK for place in range(len(cycle.updates))]

    def _make(self, base: MaskedBase, state: JobState, seat: Seat) -> Digest | None:
        desk, group = self._desk, base.group
        if group is None:
            return NO_DIGEST
        puts, seeds = self._puts(base, group, seat), self._seeds_of(base, base.of_group, seat)
        is_ready = seeds.fetch() or seeds.has(group.places)
        if puts.table is None:
            if not is_time(desk, state, base.terms.release_time, is_ready):
                return None
            self._journal_set(base, group)
            with desk.working("aggregating"):
                return puts.make_table(seeds)
        standing = self.standing(base) if base.is_of_earlier(desk.follower.cycle()) else Standing()
        fault = standing.fault
        if fault is None:
            return puts.table
        if not is_time(desk, state, base.terms.release_time, is_ready and standing.has_all):
            return None
        desk.log.warning("the sum is none that updates add up to; its words are probed", word=fault.first)
        return puts.make_probe(seeds, fault)

    def _may_release(self, base: MaskedBase, group: Group) -> bool:
        known = self._desk.journal.recall(self._set_key(base))
        if may_release(None if known is None else known["name"], group):
            return True
        if self._refused != group.name:
            self._refused = group.name
            self._desk.log.error(
                "never releases: another set of updates was released over this model",
                base=base.digest.hex(),
                next_step="a reorganisation went deeper than confirmations; the job ends by its failures",
            )
        return False

    def _journal_set(self, base: MaskedBase, group: Group) -> None:
        self._desk.journal.remember(self._set_key(base), lambda: {"name": group.name})

    def _set_key(self, base: MaskedBase) -> tuple[int | str | bytes, ...]:
        return (self._desk.follower.job, "masked set", base.digest)

    # --- what is put

    def publish(self) -> None:
        """Puts this member's table once its RELEASE is over and deep; what opens the sum once a quorum's are there."""
        desk = self._desk
        base = current_base(desk.follower)
        if base.group is None or desk.me not in base.of_group.committee:
            return
        seat = Seat(base.of_group.committee.index(desk.me))
        released = [own for cycle in base.cycles if (own := self._own_release(cycle)) and may_open(desk, cycle)]
        puts = self._puts(base, base.group, seat)
        if puts.table is None or puts.table not in released or not self._may_release(base, base.group):
            return
        self._put([puts.table])
        opening = self._opening_of(base)
        if opening.standing.is_final:
            return
        opening.files.follow(base)
        opening.files.fetch_tables()
        if not self._may_put(base, opening, seat):
            return
        self._put(released)
        self._put_vectors(base, opening, puts, seat)
        self._put_seeds(base, puts, seat)

    def _own_release(self, cycle: CycleRecord) -> Digest | None:
        known = self._desk.journal.recall(step_key(self._desk, cycle, "release"))
        if known is None or known["digest"] == NO_DIGEST or self._desk.me not in cycle.committee:
            return None
        digest = Digest(known["digest"])
        return digest if cycle.releases.get(Seat(cycle.committee.index(self._desk.me))) == digest else None

    def _put(self, digests: Iterable[Digest]) -> None:
        """Gives files away; not those of a model that was final, before a reorganisation brought it back."""
        for digest in digests:
            if self._desk.journal.has_blob(digest):
                self._desk.publish(digest)

    def _may_put(self, base: MaskedBase, opening: PublicOpening, seat: Seat) -> bool:
        """Whether tables of a quorum are there, this seat's among them, each named by a release that its own member
        signed."""
        if len(opening.files.tables) < base.terms.quorum:
            return False
        signed = self._signed.of(base, self._desk.follower.head)
        named = [s for s in opening.files.tables if opening.files.table_digest(s) in signed.get(s, ())]
        return seat in named and may_put(len(named), base.terms.quorum)

    def _put_vectors(self, base: MaskedBase, opening: PublicOpening, puts: Puts, seat: Seat) -> None:
        """Those of sets in which this seat is the lowest that told one; others in their turn."""
        for index, digest in puts.vectors.items():
            told = sorted(s for s, table in opening.files.tables.items() if index in table.digests)
            rank = told.index(seat) if seat in told else len(told)
            if self._desk.turns.has_come(rank, base.terms.score_time):
                self._put([digest])

    def _put_seeds(self, base: MaskedBase, puts: Puts, seat: Seat) -> None:
        standing = self.standing(base)
        if not standing.disputed and not standing.suspects:
            return
        group = self._opening_of(base).group
        seeds = self._seeds_of(base, base.of_group, seat)
        seeds.fetch()
        wanted = puts.make_seeds(seeds, group.places, standing.disputed)
        wanted += puts.make_seeds(seeds, standing.suspects, range(len(base.sharing.sets)))
        self._put(wanted)

    # --- what came of it

    def standing(self, base: MaskedBase) -> Standing:
        """How far the sum of a base is opened, once its set is fixed."""
        standing = self._opening_of(base).advance(base)
        for seat in set(standing.liars) - self._told_liars:
            self._told_liars.add(seat)
            self._desk.log.error("a validator lied about mask streams", member=base.of_group.committee[seat])
        return standing

    def found_malformed(self, cycle: CycleRecord) -> list[int]:
        """Places that this member found malformed in ATTEST."""
        known = self._desk.journal.recall(found_key(self._desk, cycle))
        return [] if known is None else known["malformed"]

    def files_needed(self) -> set[Digest]:
        """Files that may have to be put again."""
        follower = self._desk.follower
        finalized = follower.finalized()
        digest = finalized[-1].model if finalized else follower.context.terms.model
        known = self._desk.journal.recall(kept_key(follower.job, digest))
        return set() if known is None else {Digest(file) for file in known["files"]}

    def has_probed(self, cycle: CycleRecord, base: MaskedBase) -> bool:
        """Whether this member released a probe in a cycle."""
        own = self._own_release(cycle)
        if own is None or base.group is None:
            return False
        return own != self._puts(base, base.group, Seat(cycle.committee.index(self._desk.me))).table

    def _opening_of(self, base: MaskedBase) -> PublicOpening:
        """A new one where the set is another, after a reorganisation or a round."""
        assert base.group is not None
        known = self._opening
        if known is None or known.base.digest != base.digest or known.group != base.group:
            self._opening = known = PublicOpening(base, self._desk.follower.store)
            self._told_liars = set()
            counter = cycle_counter(base.group.cycle)
            self._desk.log.info("set of updates fixed", cycle=counter, updates=base.group.size)
        return known

    def _seeds_of(self, base: MaskedBase, cycle: CycleRecord, seat: Seat) -> OwnSeeds:
        known = self._seeds
        if known is None or (known.cycle.cycle, known.cycle.updates) != (cycle.cycle, cycle.updates):
            follower, log = self._desk.follower, self._desk.log
            secret = self._secret_for(cycle.keys[seat])
            self._seeds = known = OwnSeeds(base, cycle, seat, secret, follower.store, log)
        return known

    def _puts(self, base: MaskedBase, group: Group, seat: Seat) -> Puts:
        return Puts(self._desk.journal, self._desk.follower.job, base, group, seat)


def found_key(desk: Desk, cycle: CycleRecord) -> tuple[int | str | bytes, ...]:
    """Where the journal keeps what this member found malformed in a cycle."""
    return step_key(desk, cycle, "malformed")
