"""Opening the sum of a masked base from files that everybody can read: members and auditors come to the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hansa.protocol.masked import streams, words
from hansa.protocol.masked.cells import stream_key
from hansa.protocol.masked.group import Group
from hansa.protocol.masked.opening import Opening, Probed, settle, settle_probes, spoilers
from hansa.protocol.masked.words import Fault, Sum, Words
from hansa.protocol.types import Digest, Seat
from hansa.runtime.masked.base import MaskedBase
from hansa.runtime.masked.files import OpeningFiles
from hansa.runtime.store import Store


@dataclass(frozen=True, eq=False)
class Standing:
    """How far an opening is.

    has_all: every seat that released has told its table. total: the sum, once it is one that `updates` updates add up
    to. fault: the first of the sum's that has no known spoiler yet. disputed: sets of which seeds have to be put.
    suspects: places in the set whose seeds have to be put. spoilers: places that are left out of the sum. liars: seats
    that told what seeds don't give.
    """

    has_all: bool = False
    total: Sum | None = None
    updates: int = 0
    fault: Fault | None = None
    disputed: tuple[int, ...] = ()
    suspects: tuple[int, ...] = ()
    spoilers: tuple[int, ...] = ()
    liars: tuple[Seat, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether there is a sum, of more than one update."""
        return self.total is not None and self.updates > 1

    @property
    def is_final(self) -> bool:
        """Whether no table that is yet to come could change it."""
        return self.is_open and self.has_all


@dataclass
class _Summing:
    """A sum under way. left: vectors that have not come off, by index. places: whose words have not gone in."""

    vectors: dict[int, Digest]
    opening: Opening
    left: dict[int, Digest]
    places: list[int]


class PublicOpening:
    """Of one base whose set is fixed; `advance` goes as far as the files allow."""

    def __init__(self, base: MaskedBase, store: Store) -> None:
        self.files = OpeningFiles(base, store)
        self.standing = Standing()
        self._shown: dict[int, Digest] = {}  # of disputed sets
        self._summing: _Summing | None = None
        self._told: dict[tuple[Fault, int], Words] = {}  # of disputed sets, at a fault
        self._out: dict[int, Words] = {}  # words of spoilers

    @property
    def base(self) -> MaskedBase:
        return self.files.base

    @property
    def group(self) -> Group:
        return self.files.group

    def advance(self, base: MaskedBase) -> Standing:
        """base: the same, as the chain is now."""
        self.files.follow(base)
        if not self.standing.is_final:
            self.standing = self._advanced()
        return self.standing

    def _advanced(self) -> Standing:
        has_all, tables = self.files.fetch_tables(), list(self.files.tables.values())
        settled = settle(tables, self.base.sharing, self._shown)
        for index in settled.disputed:
            self._show(index)
        settled = settle(tables, self.base.sharing, self._shown)
        now = Standing(has_all=has_all, disputed=settled.disputed, liars=settled.liars)
        if not settled.is_complete:
            return now
        total = self._sum(settled.vectors)
        return now if total is None else self._without_spoilers(now, total)

    def _show(self, index: int) -> None:
        """Works a disputed vector out again, once its seeds were put."""
        keys = self._keys(index)
        if keys is not None:
            self._shown[index] = streams.vector(keys, self.base.length)[1]

    def _keys(self, index: int) -> list[bytes] | None:
        """Keys of a set's streams, of all that are in, by their seeds."""
        seeds = self.files.seeds_of(index)
        if seeds is None:
            return None
        cycle, found = self.base.of_group, []
        for place, seed in seeds.items():
            ctx = self.base.context(cycle, cycle.updates[place].trainer)
            found.append(stream_key(seed, ctx, self.base.sharing.sets[index]))
        return found

    def _sum(self, vectors: dict[int, Digest]) -> Sum | None:
        """What has come is taken in once; None until everything has."""
        if self._summing is None or self._summing.vectors != vectors:
            self._summing = _Summing(vectors, Opening(self.base.length), dict(vectors), list(self.group.places))
        now = self._summing
        for index, digest in list(now.left.items()):
            vector = self.files.vector(digest)
            if vector is not None:
                now.opening.take_off(vector)
                del now.left[index]
        for place in list(now.places) if not now.left else []:
            envelope = self.files.envelope(place)
            if envelope is not None:
                now.opening.add(envelope.words)
                now.places.remove(place)
        return None if now.left or now.places else now.opening.total

    def _without_spoilers(self, now: Standing, total: Sum) -> Standing:
        """Leaves out whoever spoilt the sum, one fault after another."""
        shapes, rest, out = self.base.model.shapes, total.copy(), set[int]()
        while True:
            now = replace(now, updates=self.group.size - len(out), spoilers=tuple(sorted(out)))
            fault = words.fault_in(rest, shapes, now.updates)
            if fault is None:
                return replace(now, total=rest)
            found = self._probed(fault)
            now = replace(now, fault=fault, disputed=found.disputed, liars=(*now.liars, *found.liars))
            suspects = [place for place in found.suspects if place not in out]
            now = replace(now, suspects=tuple(place for place in suspects if not self._unmask(place)))
            known = {place: self._out[place] for place in suspects if place in self._out}
            guilty = spoilers(known, fault)
            if not guilty or now.updates < 2:
                return now
            for place in guilty:
                rest -= self._out[place].view(np.int16)
            out |= set(guilty)
            now = replace(now, fault=None, suspects=())

    def _probed(self, fault: Fault) -> Probed:
        probes, part = self.files.probes(fault), slice(fault.first, fault.first + fault.words)
        masked: dict[int, Words] = {}
        for place in self.group.places if probes else ():
            envelope = self.files.envelope(place)
            if envelope is not None:
                masked[place] = envelope.words[part].copy()
        if not probes or len(masked) < self.group.size:
            return Probed(())
        found = settle_probes(probes, self.base.sharing, masked, fault, self._shown_at(fault))
        for index in found.disputed:
            keys = self._keys(index)
            if keys is not None:
                self._told[fault, index] = np.stack([streams.words_at(k, fault.first, fault.words) for k in keys])
        return settle_probes(probes, self.base.sharing, masked, fault, self._shown_at(fault))

    def _shown_at(self, fault: Fault) -> dict[int, Words]:
        return {index: told for (at, index), told in self._told.items() if at == fault}

    def _unmask(self, place: int) -> bool:
        """Whether a suspect's words are known, from its own seeds."""
        if place not in self._out:
            seeds = self.files.seeds_for(place)
            envelope = None if seeds is None else self.files.envelope(place)
            if seeds is None or envelope is None:
                return False
            self._out[place] = envelope.unmasked(seeds)
        return True
