"""What the seats of a cycle have released, read from their files once these are given away."""

from __future__ import annotations

from structlog.stdlib import BoundLogger

from aggregator.passes import FETCH_SECONDS, Passes
from hansa.protocol import release
from hansa.protocol.cid import to_cid
from hansa.protocol.errors import HansaError, Malformed, NotFound, StoreUnavailable, WrongBytes
from hansa.protocol.release import Entry, Releases
from hansa.protocol.types import Seat
from hansa.protocol.verdict import CycleKeys
from hansa.runtime.history.records import CycleRecord
from hansa.runtime.store import Store


class ReleaseFiles:
    """The release files of one cycle, as one of its seats reads them; those that are none count as not released."""

    def __init__(self, cycle: CycleRecord, keys: CycleKeys, store: Store, log: BoundLogger) -> None:
        self._cycle, self._keys, self._store, self._log = cycle, keys, store, log
        self._passes = Passes(len(cycle.committee))
        self._read: dict[Seat, tuple[Entry, ...] | None] = {}  # None: it is none

    @property
    def releases(self) -> Releases:
        """What is known by now. Complete where every seat's file has come, or can't be a release file."""
        found = {seat: entries for seat, entries in self._read.items() if entries is not None}
        return Releases(found, self._cycle.releases.keys() <= self._read.keys())

    def fetch(self) -> None:
        """Asks for the files that have not come yet."""
        if self._keys.usable:
            missing = [seat for seat in self._cycle.releases if seat not in self._read]
            self._passes.run(missing, self._get, self._note)

    def _get(self, seat: int) -> tuple[Entry, ...] | HansaError:
        cycle, keys, updates = self._cycle, self._keys, len(self._cycle.updates)
        ctx = release.context(keys.place, cycle.committee[seat], cycle.updates_acc)
        limit = release.file_limit(updates, len(keys.keys))
        try:
            data = self._store.get(cycle.releases[Seat(seat)], limit=limit, timeout=FETCH_SECONDS)
            return release.read(data, ctx, keys.seat, keys.secret, keys.keys, updates)
        except (Malformed, NotFound, WrongBytes, StoreUnavailable) as error:
            return error

    def _note(self, seat: int, got: tuple[Entry, ...] | HansaError) -> None:
        member, cid = self._cycle.committee[seat], to_cid(self._cycle.releases[Seat(seat)])
        if not isinstance(got, HansaError):
            self._read[Seat(seat)] = got
            self._log.info("release read", member=member, cid=cid)
        elif isinstance(got, Malformed):
            self._read[Seat(seat)] = None
            self._log.warning("no release: its file is none", member=member, cid=cid, error=str(got))
        else:
            self._log.debug("release not there yet", member=member, cid=cid, error=str(got))
