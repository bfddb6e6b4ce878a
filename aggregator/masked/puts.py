"""What a member makes for its base and may have to put: table, vectors, probes, seeds. All of it is journalled."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aggregator.masked.seeds import OwnSeeds
from hansa.protocol.masked import streams
from hansa.protocol.masked.cells import stream_key
from hansa.protocol.masked.group import Group
from hansa.protocol.masked.probe import Probe
from hansa.protocol.masked.table import Table
from hansa.protocol.masked.words import WORD, Fault
from hansa.protocol.types import Digest, JobId, Seat
from hansa.runtime.journal import Journal, Key
from hansa.runtime.masked.base import MaskedBase


class Puts:
    """Of one member and one base whose set is fixed."""

    def __init__(self, journal: Journal, job: JobId, base: MaskedBase, group: Group, seat: Seat) -> None:
        self._journal, self._base, self._group, self._seat = journal, base, group, seat
        self._key: Key = (job, "masked table", base.digest, group.name)
        self._kept: Key = kept_key(job, base.digest)

    @property
    def table(self) -> Digest | None:
        """The file of the table; None until it is made."""
        known = self._journal.recall(self._key)
        return None if known is None else Digest(known["table"])

    @property
    def vectors(self) -> dict[int, Digest]:
        """Files of this seat's vectors, by index of the set."""
        known = self._journal.recall(self._key)
        return {} if known is None else {index: Digest(digest) for index, digest in known["vectors"]}

    def make_table(self, seeds: OwnSeeds) -> Digest:
        """Works out every vector that the seat has all seeds of, one in memory at a time."""
        vectors: dict[int, Digest] = {}
        room = np.empty(self._base.length, WORD)
        for index in self._base.sharing.by_seat[self._seat]:
            keys = self._stream_keys(seeds, index)
            if None not in keys:
                total, digest = streams.vector([key for key in keys if key], self._base.length, room)
                self._keep([self._journal.put_blob(total.data.cast("B"), digest)])
                vectors[index] = digest
        file = Table(self._seat, vectors).encode(self._base.sharing, self._group)
        table = self._journal.put_blob(file)
        self._keep([table])
        self._journal.remember(self._key, lambda: {"table": table, "vectors": [list(v) for v in vectors.items()]})
        return table

    def make_probe(self, seeds: OwnSeeds, fault: Fault) -> Digest:
        """Says nothing of a set that the seat lacks a seed of: it would be disputed, and its seeds be shown."""
        told = {}
        for index in self._base.sharing.by_seat[self._seat]:
            keys = self._stream_keys(seeds, index)
            if None not in keys:
                told[index] = np.stack([streams.words_at(key, fault.first, fault.words) for key in keys if key])
        digest = self._journal.put_blob(Probe(self._seat, told).encode(self._base.sharing, self._group, fault))
        self._keep([digest])
        return digest

    def make_seeds(self, seeds: OwnSeeds, places: Iterable[int], sets: Iterable[int]) -> list[Digest]:
        """Files of the seat's seeds of these updates and sets."""
        own = set(self._base.sharing.by_seat[self._seat]) & set(sets)
        held = [seeds.seed(place, index) for place in places for index in sorted(own)]
        made = [self._journal.put_blob(seed) for seed in held if seed is not None]
        self._keep(made)
        return made

    def _stream_keys(self, seeds: OwnSeeds, index: int) -> list[bytes | None]:
        """By the updates that are in, in order; None where the seat lacks the seed."""
        cycle, found = self._base.of_group, list[bytes | None]()
        for place in self._group.places:
            seed, ctx = seeds.seed(place, index), self._base.context(cycle, cycle.updates[place].trainer)
            found.append(None if seed is None else stream_key(seed, ctx, self._base.sharing.sets[index]))
        return found

    def _keep(self, digests: list[Digest]) -> None:
        known = self._journal.recall(self._kept) or {"files": []}
        if new := [digest for digest in digests if digest not in known["files"]]:
            self._journal.replace(self._kept, {"files": [*known["files"], *new]})


def kept_key(job: JobId, base: Digest) -> Key:
    """Where the journal lists the files of a base that may have to be put again."""
    return (job, "masked files", base)
