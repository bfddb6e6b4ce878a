"""A committee and trainers of one masked cycle, in memory: what members read, tell, and put."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from hansa.protocol import envelope as sealing
from hansa.protocol.masked import envelope, streams, words
from hansa.protocol.masked.envelope import Masked
from hansa.protocol.masked.group import Group, attested_group, to_bitmap
from hansa.protocol.masked.opening import Opening, settle, settle_probes
from hansa.protocol.masked.probe import Probe
from hansa.protocol.masked.sharing import Sharing
from hansa.protocol.masked.table import Table
from hansa.protocol.types import Address, CycleId, Digest, JobId, Place, Seat

SHAPES = {"bias": (3,), "scale": (), "weight": (2, 4)}
LENGTH = words.length(SHAPES)
CYCLE = CycleId(77 << 24 | 2)
UPDATES = 2**100 + 9
SIZES = [(3, 2), (4, 2), (5, 2), (5, 3), (6, 3), (7, 4)]


BASE = Digest(bytes(range(32)))
PLACE = Place(1, Address("0x" + "ee" * 20), JobId(1), CYCLE)


def account(trainer: int) -> Address:
    return Address(f"0x{trainer + 1:040x}")


def context(trainer: int, cycle: CycleId = CYCLE, base: Digest = BASE) -> bytes:
    return sealing.context(PLACE._replace(cycle=cycle), account(trainer), base)


def update(seed: int, top: int = 127) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.integers(-top, top + 1, shape).astype(np.int8) for name, shape in SHAPES.items()}


@dataclass
class World:
    """sent: words of each trainer; keyless: seats that announced no key."""

    sharing: Sharing
    sent: list[words.Words]
    keyless: frozenset[int] = frozenset()
    cycle: CycleId = CYCLE
    base: Digest = BASE
    place: Place = PLACE
    seeds: list[list[bytes]] = field(init=False)
    files: list[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.secrets = [bytes([seat + 1]) * 32 for seat in range(self.sharing.seats)]
        self.members = [
            None if seat in self.keyless else sealing.public_key(secret) for seat, secret in enumerate(self.secrets)
        ]
        rng = np.random.default_rng(5)
        self.seeds = [[rng.bytes(32) for _ in self.sharing.sets] for _ in self.sent]
        self.files = [
            envelope.seal(sent, seeds, context(place, self.cycle, self.base), self.sharing, self.members)
            for place, (sent, seeds) in enumerate(zip(self.sent, self.seeds, strict=True))
        ]

    def trainer(self, place: int) -> Address:
        return account(place)

    def masked(self, place: int) -> Masked:
        return Masked(self.files[place], context(place, self.cycle, self.base), self.sharing, LENGTH)

    @cached_property
    def group(self) -> Group:
        bitmap = to_bitmap([True] * len(self.sent))
        voices = [bitmap] * (self.sharing.seats - len(self.keyless))
        return attested_group(self.cycle, UPDATES, len(self.sent), voices, self.sharing.seats)

    def keys(self, index: int) -> list[bytes]:
        return [self.masked(place).stream_key(index, self.seeds[place][index]) for place in self.group.places]

    @cached_property
    def vectors(self) -> dict[Digest, words.Words]:
        return {digest: total for total, digest in (streams.vector(self.keys(i), LENGTH) for i in self.indices)}

    @property
    def indices(self) -> range:
        return range(len(self.sharing.sets))

    @cached_property
    def true(self) -> dict[int, Digest]:
        return dict(zip(self.indices, self.vectors, strict=True))

    @cached_property
    def tables(self) -> list[Table]:
        return [self._table(seat) for seat in range(self.sharing.seats)]

    def table(self, seat: int) -> Table:
        return self.tables[seat]

    def _table(self, seat: int) -> Table:
        """What an honest seat tells: what it reads in its own boxes."""
        digests = {}
        if seat not in self.keyless:
            opened = {p: self.masked(p).open_own(seat, self.secrets[seat], self.members) for p in self.group.places}
            for index in self.sharing.by_seat[seat]:
                keys = [self.masked(p).stream_key(index, opened[p][index]) for p in self.group.places]
                digests[index] = streams.vector(keys, LENGTH)[1]
        return Table(Seat(seat), digests)

    def opened(self, tables: list[Table], vectors: dict[Digest, words.Words] | None = None) -> words.Sum:
        """The sum, from these tables and seeds shown of disputed sets."""
        settled = settle(tables, self.sharing, {})
        settled = settle(tables, self.sharing, {index: self.true[index] for index in settled.disputed})
        opening = Opening(LENGTH)
        for place in self.group.places:
            opening.add(self.masked(place).words)
        for digest in settled.vectors.values():
            opening.take_off((vectors or self.vectors)[digest])
        return opening.total

    def probe(self, seat: int, fault: words.Fault) -> Probe:
        told = {
            index: np.stack([streams.words_at(key, fault.first, fault.words) for key in self.keys(index)])
            for index in self.sharing.by_seat[seat]
        }
        return Probe(Seat(seat), told)

    def suspects(self, seats: list[int], fault: words.Fault, probes: list[Probe] | None = None):
        part = slice(fault.first, fault.first + fault.words)
        at = {place: self.masked(place).words[part] for place in self.group.places}
        return settle_probes(probes or [self.probe(seat, fault) for seat in seats], self.sharing, at, fault, {})

    def whole(self, place: int) -> words.Words:
        """An update's words, from the seeds that its holders show."""
        return self.masked(place).unmasked(dict(enumerate(self.seeds[place])))


def world(seats: int, shares: int, n: int = 5, **options) -> World:
    return World(Sharing(seats, shares), [words.words_of(update(seed)) for seed in range(n)], **options)


def words_of_world(seats: int, shares: int, n: int, bad: dict, cycle: CycleId, base: Digest) -> World:
    """bad: by place, words that are sent in place of an update's."""
    sent = [bad[place] if place in bad else words.words_of(update(place)) for place in range(n)]
    return World(Sharing(seats, shares), sent, cycle=cycle, base=base)
