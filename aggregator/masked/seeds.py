"""What a member reads in its own boxes: whether an update is as it must be, and the seeds of its sets."""

from __future__ import annotations

from structlog.stdlib import BoundLogger

from aggregator.passes import FETCH_SECONDS, Passes
from hansa.protocol.cid import NO_DIGEST, to_cid
from hansa.protocol.envelope import public_key
from hansa.protocol.errors import HansaError, Malformed, NotFound, StoreUnavailable, TooLarge, WrongBytes
from hansa.protocol.masked.envelope import Masked, Seeds
from hansa.protocol.types import Code, Seat
from hansa.runtime.history.records import CycleRecord
from hansa.runtime.masked.base import MaskedBase
from hansa.runtime.store import Store


class OwnSeeds:
    """Of one cycle's updates, by place. Of a file it keeps nothing but the seeds; the store keeps it.

    codes: OK, MALFORMED or UNREACHABLE, of each that was looked into.
    """

    def __init__(self, base: MaskedBase, cycle: CycleRecord, seat: Seat, secret: bytes, store: Store, log: BoundLogger):
        self.base, self.cycle = base, cycle
        self._seat, self._secret, self._store, self._log = seat, secret, store, log
        self._passes = Passes(len(cycle.updates))
        self.codes: dict[int, Code] = {}
        self._seeds: dict[int, Seeds] = {}

    @property
    def has_key(self) -> bool:
        """Whether the key in force for the seat is the one whose secret this member holds."""
        return self.cycle.keys[self._seat] == public_key(self._secret)

    def fetch(self) -> bool:
        """Looks into files that are there by now; whether all were."""
        if not self.has_key:
            return True
        places = range(len(self.cycle.updates))
        self.codes |= {p: Code.UNREACHABLE for p in places if self.cycle.updates[p].digest == NO_DIGEST}
        self._passes.run([place for place in places if place not in self.codes], self._get, self._note)
        return len(self.codes) == len(places)

    def has(self, places: list[int]) -> bool:
        """Whether those were looked into."""
        return not self.has_key or all(place in self.codes for place in places)

    def seed(self, place: int, index: int) -> bytes | None:
        """Of one set of the seat; None where it could not be read."""
        return self._seeds.get(place, {}).get(index)

    @property
    def malformed(self) -> list[int]:
        return sorted(place for place, code in self.codes.items() if code == Code.MALFORMED)

    def _get(self, place: int) -> Masked | HansaError:
        submitted = self.cycle.updates[place]
        try:
            data = self._store.get(submitted.digest, limit=self.base.spec.update_bytes, timeout=FETCH_SECONDS)
            return self.base.read(self.cycle, place, data)
        except (Malformed, NotFound, WrongBytes, StoreUnavailable) as error:
            return error

    def _note(self, place: int, got: Masked | HansaError) -> None:
        submitted = self.cycle.updates[place]
        reason = ""
        if isinstance(got, HansaError) and not isinstance(got, Malformed):
            self._log.debug("update not there yet", trainer=submitted.trainer, error=str(got))
            return
        if isinstance(got, Masked):
            seeds, bad = got.readable(self._seat, self._secret, self.cycle.keys)
            self._seeds[place], reason = seeds, bad
            self.codes[place] = Code.MALFORMED if bad else Code.OK
        else:
            self.codes[place] = Code.UNREACHABLE if isinstance(got, TooLarge) else Code.MALFORMED
            reason = str(got)
        if self.codes[place] == Code.OK:
            self._store.pin(submitted.digest)
        code, cid = self.codes[place].name, to_cid(submitted.digest)
        self._log.info("update looked into", trainer=submitted.trainer, cid=cid, code=code, reason=reason)
