"""One masked base as chain and store have it: cycles over a model, files that members put."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from masked_world import SHAPES, World, words_of_world
from records import TERMS

from hansa.protocol.cid import digest_of
from hansa.protocol.errors import NotFound, TooLarge
from hansa.protocol.hashes import make_cycle
from hansa.protocol.masked.group import to_bitmap
from hansa.protocol.masked.words import Fault
from hansa.protocol.model import initial_model
from hansa.protocol.types import Address, BlockNumber, Digest, Phase, Round, Seat, Timestamp, Wei
from hansa.runtime.history.records import CycleRecord, Failed, Submitted
from hansa.runtime.masked.base import MaskedBase

SEED = b"\x0c" * 32
MODEL = initial_model({name: np.ones(shape, np.float32) for name, shape in SHAPES.items()}, 8)
BASE = digest_of(MODEL.encode())
LEAST = 3


class MemoryStore:
    """Files by digest."""

    def __init__(self) -> None:
        self.files: dict[Digest, bytes] = {}

    def put(self, data: bytes) -> Digest:
        digest = digest_of(data)
        self.files[digest] = data
        return digest

    def get(self, digest: Digest, *, limit: int, timeout: float) -> bytes:
        if digest not in self.files:
            raise NotFound("not there")
        if len(self.files[digest]) > limit:
            raise TooLarge("too large")
        return self.files[digest]

    def has(self, digest: Digest) -> bool:
        return digest in self.files

    def pin(self, digest: Digest) -> None:
        return

    unpin = pin


@dataclass
class Given:
    """A base with one cycle, whose updates are a world's; later cycles are added."""

    world: World
    store: MemoryStore
    cycles: list[CycleRecord]
    phase: Phase | None = Phase.SCORE

    @property
    def base(self) -> MaskedBase:
        world = self.world
        spec = SimpleNamespace(shares=world.sharing.shares, group=LEAST, update_bytes=10**6, privacy="masked")
        quorum = 2 * world.sharing.seats // 3 + 1
        terms = replace(TERMS, seats=world.sharing.seats, quorum=quorum, threshold=quorum)
        return MaskedBase(world.place, cast(Any, spec), terms, BASE, MODEL, tuple(self.cycles), self.phase)

    def release(self, digests: dict[int, Digest], at: int = -1) -> None:
        """What seats released in a cycle."""
        acted = {**self.cycles[at].acted, Phase.RELEASE: {Seat(s): digest for s, digest in digests.items()}}
        self.cycles[at] = replace(self.cycles[at], acted=acted)

    def put_all(self, seats: Sequence[int]) -> None:
        """Tables of these seats, released and put, and every vector."""
        group = self.base.group
        assert group is not None
        tables = {seat: self.world.table(seat).encode(self.world.sharing, group) for seat in seats}
        self.release({seat: self.store.put(data) for seat, data in tables.items()})
        for vector in self.world.vectors.values():
            self.store.put(vector.tobytes())

    def probe(self, seats: Sequence[int], fault: Fault) -> None:
        """A later cycle in which these seats release probes, and put them."""
        group = self.base.group
        assert group is not None
        self.later()
        probes = {seat: self.world.probe(seat, fault).encode(self.world.sharing, group, fault) for seat in seats}
        self.release({seat: self.store.put(data) for seat, data in probes.items()})

    def put_seeds(self, places: Sequence[int], sets: Sequence[int]) -> None:
        for place in places:
            for index in sets:
                self.store.put(self.world.seeds[place][index])

    def later(self) -> None:
        """Ends the last cycle in VOTE, and begins another with the same files."""
        ended = Failed(Phase.VOTE, 1, Wei(0), Timestamp(1), BlockNumber(9))
        self.cycles[-1] = replace(self.cycles[-1], outcome=ended)
        counter = len(self.cycles) + 1
        acted = {phase: {} for phase in (Phase.SCORE, Phase.REVEAL, Phase.VOTE, Phase.RELEASE)}
        acted[Phase.ATTEST] = {Seat(s): b"\0" for s in range(self.world.sharing.seats)}
        cycle = make_cycle(SEED, counter, True)
        self.cycles.append(replace(self.cycles[0], cycle=cycle, seed=bytes([counter]) * 32, acted=acted, outcome=None))


def members_of(seats: int) -> tuple[Address, ...]:
    return tuple(Address("0x" + f"{seat + 161:02x}" * 20) for seat in range(seats))  # the first is desks.ME


def given(seats: int, shares: int, n: int = 4, bad: dict[int, np.ndarray] | None = None) -> Given:
    """bad: words that some trainers send in place of an update's."""
    cycle = make_cycle(SEED, 1, True)
    world = words_of_world(seats, shares, n, bad or {}, cycle, BASE)
    store = MemoryStore()
    updates = tuple(Submitted(world.trainer(place), store.put(data)) for place, data in enumerate(world.files))
    acted: dict[Phase, dict[Seat, Any]] = {phase: {} for phase in (Phase.SCORE, Phase.REVEAL, Phase.VOTE)}
    acted[Phase.RELEASE] = {}
    acted[Phase.ATTEST] = {Seat(seat): to_bitmap([True] * n) for seat in range(seats)}
    keys = tuple(world.members)
    record = CycleRecord(
        cycle, Round(1), b"", SEED, members_of(seats), keys, 7, BlockNumber(1), updates, acted, (), None
    )
    made = Given(world, store, [record])
    world.group = made.base.group  # named by the accumulator of these updates
    return made
