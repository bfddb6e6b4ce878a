"""RELEASE of a `threshold` job: a member gives its shares of a cycle's updates to the whole committee, or to nobody."""

from __future__ import annotations

from collections.abc import Sequence

from structlog.stdlib import BoundLogger

from aggregator.inbox import Inboxes
from aggregator.passes import FETCH_SECONDS, Passes
from aggregator.steps import MODEL_MISSING, is_time, may_open, own_release, release
from hansa.protocol import envelope
from hansa.protocol import release as files
from hansa.protocol.cid import to_cid
from hansa.protocol.errors import HansaError, NotFound, SpoiltModel, StoreUnavailable, TooLarge, WrongBytes
from hansa.protocol.release import Entry, Said
from hansa.protocol.shared_verdict import LACKS, own_entry
from hansa.protocol.types import Digest, Place, Seat
from hansa.protocol.verdict import CycleKeys
from hansa.runtime.chain.federation import JobState
from hansa.runtime.desk import Desk
from hansa.runtime.history.records import CycleRecord
from hansa.runtime.store import Store

KEPT = 2  # cycles whose release files stay in the journal


class OwnShares:
    """What this member can say of each update of one cycle. Of the files it keeps nothing but its share; the store
    keeps them, so that their trainers need not.

    limit: largest sealed update, in bytes, that is fetched.
    """

    def __init__(self, cycle: CycleRecord, keys: CycleKeys, store: Store, limit: int, log: BoundLogger) -> None:
        self.cycle, self._keys, self._store, self._limit, self._log = cycle, keys, store, limit, log
        self._passes = Passes(len(cycle.updates))
        self._entries: dict[int, Entry] = {}

    def fetch(self) -> bool:
        """Looks into the files that are there by now; whether all were."""
        missing = [place for place in range(len(self.cycle.updates)) if place not in self._entries]
        self._passes.run(missing, self._get, self._note)
        return len(self._entries) == len(self.cycle.updates)

    def seal(self) -> bytes:
        """The release file: whatever has not come is lacked."""
        entries = [self._entries.get(place, LACKS) for place in range(len(self.cycle.updates))]
        return _sealed(entries, self.cycle, self._keys.place, self._keys.seat)

    def _get(self, place: int) -> Entry | HansaError:
        submitted = self.cycle.updates[place]
        try:
            data = self._store.get(submitted.digest, limit=self._limit, timeout=FETCH_SECONDS)
        except TooLarge:
            return LACKS
        except (NotFound, WrongBytes, StoreUnavailable) as error:
            return error
        return own_entry(data, submitted.trainer, self._keys)

    def _note(self, place: int, got: Entry | HansaError) -> None:
        submitted = self.cycle.updates[place]
        if isinstance(got, HansaError):
            self._log.debug("update not there yet", trainer=submitted.trainer, error=str(got))
            return
        self._entries[place] = got
        if got.said != Said.LACKS:
            self._store.pin(submitted.digest)
        if got.said == Said.BAD:
            self._log.warning("its box for me is bad", trainer=submitted.trainer, cid=to_cid(submitted.digest))


class Releaser:
    """One member's releases."""

    def __init__(self, desk: Desk, inboxes: Inboxes) -> None:
        self._desk = desk
        self._inboxes = inboxes
        self._own: OwnShares | None = None

    def release(self, state: JobState, seat: Seat) -> None:
        """Releases when every update was looked into, at the latest at half of RELEASE."""
        release(self._desk, state, seat, lambda: self._make(state, seat))

    def publish(self) -> None:
        """Puts what this member released into the store, once that may be opened; again after a restart."""
        if self._desk.follower.context.spec.shares == 0:
            return
        for cycle in self._desk.follower.history().cycles[-KEPT:]:
            digest = own_release(self._desk, cycle)
            if digest is not None and may_open(self._desk, cycle):
                self._desk.publish(digest)

    def _make(self, state: JobState, seat: Seat) -> Digest | None:
        """The digest of the release file, which is in the journal then; None while it is not time. Who has not the
        model that updates start from lacks them all, and is not absent."""
        desk, length = self._desk, self._desk.follower.context.terms.release_time
        cycle = desk.follower.cycle()
        try:
            own = self._of(cycle, seat)
            return desk.journal.put_blob(own.seal()) if is_time(desk, state, length, own.fetch()) else None
        except MODEL_MISSING as error:
            if not is_time(desk, state, length, isinstance(error, SpoiltModel)):
                return None
            desk.log.error("releases no share: it has not the model that updates start from", error=str(error))
            place = desk.follower.federation.place(desk.follower.job, cycle.cycle)
            return desk.journal.put_blob(_sealed([LACKS] * len(cycle.updates), cycle, place, seat))

    def _of(self, cycle: CycleRecord, seat: Seat) -> OwnShares:
        """New where a reorganisation gave the cycle other updates."""
        if self._own is None or (self._own.cycle.cycle, self._own.cycle.updates) != (cycle.cycle, cycle.updates):
            follower = self._desk.follower
            limit = follower.context.spec.update_bytes
            self._own = OwnShares(cycle, self._inboxes.keys(cycle, seat), follower.store, limit, self._desk.log)
        return self._own


def _sealed(entries: Sequence[Entry], cycle: CycleRecord, place: Place, seat: Seat) -> bytes:
    """A release file of a cycle's seat, under a fresh key."""
    ctx = files.context(place, cycle.committee[seat], cycle.updates_acc)
    return files.seal(entries, envelope.new_content_key(), ctx, cycle.keys)


def release_files(desk: Desk) -> set[Digest]:
    """Release files that may have to be served again."""
    own = (own_release(desk, cycle) for cycle in desk.follower.history().cycles[-KEPT:])
    return {digest for digest in own if digest is not None}
