"""The files that open a masked sum, as a store has them by now."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hansa.protocol.errors import Malformed, NotFound, StoreUnavailable, WrongBytes
from hansa.protocol.masked.cells import SEED
from hansa.protocol.masked.envelope import Masked
from hansa.protocol.masked.probe import Probe, probe_size
from hansa.protocol.masked.table import Table, table_size
from hansa.protocol.masked.words import WORD, Fault, Words
from hansa.protocol.types import Digest, Seat
from hansa.runtime.masked.base import MaskedBase
from hansa.runtime.store import Store

FETCH_SECONDS = 5.0


class OpeningFiles:
    """Those of one base whose set is fixed. What is small is kept once it came; None stands for what hasn't."""

    def __init__(self, base: MaskedBase, store: Store) -> None:
        assert base.group is not None
        self.base, self.group, self._store = base, base.group, store
        self.tables: dict[Seat, Table] = {}
        self._digests: dict[Seat, Digest] = {}  # of the tables
        self._probes: dict[Fault, dict[Seat, Probe]] = {}
        self._commitments: dict[int, list[Digest]] = {}  # by place: of the seed of each set
        self._seeds: dict[Digest, bytes] = {}

    def fetch_tables(self) -> bool:
        """Asks for tables that have not come; whether every seat that released anything for the set has told one."""
        for seat, released in self._released().items():
            limit = table_size(self.base.sharing, self.group, seat)
            for digest in released if seat not in self.tables else []:
                data = self._get(digest, limit)
                try:
                    if data is not None:
                        self.tables[seat] = Table.decode(data, self.base.sharing, self.group, seat)
                        self._digests[seat] = digest
                        break
                except Malformed:
                    continue
        return self._released().keys() <= self.tables.keys()

    def table_digest(self, seat: Seat) -> Digest | None:
        return self._digests.get(seat)

    def probes(self, fault: Fault) -> list[Probe]:
        """The probes of a fault that have come by now."""
        known = self._probes.setdefault(fault, {})
        for seat, released in self._released().items():
            limit = probe_size(self.base.sharing, self.group, seat, fault)
            for digest in released if seat not in known else []:
                data = self._get(digest, limit)
                try:
                    if data is not None:
                        known[seat] = Probe.decode(data, self.base.sharing, self.group, seat, fault)
                        break
                except Malformed:
                    continue
        return list(known.values())

    def envelope(self, place: int) -> Masked | None:
        """One that is in. It is not kept."""
        cycle = self.base.of_group
        data = self._get(cycle.updates[place].digest, self.base.spec.update_bytes)
        try:
            found = None if data is None else self.base.read(cycle, place, data)
        except Malformed:
            return None
        if found is not None:
            self._commitments[place] = [found.commitment(index) for index in range(len(self.base.sharing.sets))]
        return found

    def vector(self, digest: Digest) -> Words | None:
        data = self._get(digest, WORD.itemsize * self.base.length)
        if data is None or len(data) != WORD.itemsize * self.base.length:
            return None
        return np.frombuffer(data, WORD)

    def seeds_of(self, index: int) -> Mapping[int, bytes] | None:
        """Seeds of a set by place, of all that are in; None while one of them was not put."""
        found = {place: self._seed(place, index) for place in self.group.places}
        return None if None in found.values() else {place: seed for place, seed in found.items() if seed}

    def seeds_for(self, place: int) -> Mapping[int, bytes] | None:
        """Seeds of an update by set; None while one of them was not put."""
        found = {index: self._seed(place, index) for index in range(len(self.base.sharing.sets))}
        return None if None in found.values() else {index: seed for index, seed in found.items() if seed}

    def _seed(self, place: int, index: int) -> bytes | None:
        if place not in self._commitments and self.envelope(place) is None:
            return None
        digest = self._commitments[place][index]
        if digest not in self._seeds:
            data = self._get(digest, SEED)
            if data is None or len(data) != SEED:
                return None
            self._seeds[digest] = data
        return self._seeds[digest]

    def _released(self) -> dict[Seat, list[Digest]]:
        seats = (Seat(seat) for seat in range(self.base.sharing.seats))
        return {seat: released for seat in seats if (released := self.base.released(seat))}

    def _get(self, digest: Digest, limit: int) -> bytes | None:
        try:
            return self._store.get(digest, limit=limit, timeout=FETCH_SECONDS)
        except (NotFound, StoreUnavailable, WrongBytes, Malformed):
            return None

    def follow(self, base: MaskedBase) -> None:
        """The same base later on: more cycles over it."""
        self.base = base
