"""A member's work on one cycle: the files that it has fetched, and what it says of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from structlog.stdlib import BoundLogger

from aggregator.passes import FETCH_SECONDS, FETCHES, Passes
from aggregator.release_files import ReleaseFiles
from hansa.protocol.cid import to_cid
from hansa.protocol.errors import HansaError, NotFound, StoreUnavailable, TooLarge, WrongBytes
from hansa.protocol.ledger import RoundLedger
from hansa.protocol.model import Update
from hansa.protocol.shared_verdict import judge_shared
from hansa.protocol.types import Code, Digest, Seat
from hansa.protocol.verdict import Attempt, CycleKeys, Judged, judge, mark_duplicates, retried_place
from hansa.runtime.desk import Desk
from hansa.runtime.history.records import CycleRecord
from hansa.runtime.store import Store

MISSING = Judged(Code.UNREACHABLE, None, "no bytes by half of SCORE")


class Inbox:
    """The updates of one cycle that a member has fetched, by place on chain.

    limit: largest sealed update, in bytes, that is fetched.
    """

    def __init__(self, cycle: CycleRecord, cycle_keys: CycleKeys, store: Store, limit: int, log: BoundLogger) -> None:
        self.cycle = cycle
        self.cycle_keys = cycle_keys
        self._store = store
        self._limit = limit
        self._log = log
        self._judged: dict[int, Judged] = {}
        self._passes = Passes(len(cycle.updates))

    def fetch(self) -> bool:
        """Judges updates whose bytes are there by now, those asked for least often first; whether all are judged."""
        missing = [place for place in range(len(self.cycle.updates)) if place not in self._judged]
        self._passes.run(missing, self._get, self._note)
        return len(self._judged) == len(self.cycle.updates)

    def verdicts(self, attempts: Sequence[Attempt]) -> list[Judged]:
        """What this member says of each update; of one whose bytes never came, that it is unreachable.

        attempts: submissions of the failed cycles over the same model, oldest first.
        """
        judged = [self._judged.get(place, MISSING) for place in range(len(self.cycle.updates))]
        retries = {
            place: item.update
            for place, item in enumerate(judged)
            if item.code == Code.OK and item.update is not None and item.update.retry_cid is not None
        }

        def place_of(update: Update) -> int | None:
            return retried_place(update, attempts, self.cycle_keys, self._fetch)

        with ThreadPoolExecutor(FETCHES) as pool:
            found = dict(zip(retries, pool.map(place_of, retries.values()), strict=True))
        places = {place: earlier for place, earlier in found.items() if earlier is not None}
        return mark_duplicates(judged, places, self.cycle_keys.model.k)

    def counted(self, ledger: RoundLedger) -> dict[int, Update] | None:
        """Every update that the committee calls ok; None while one of them cannot be had, or is one of nothing."""
        updates: dict[int, Update] = {}
        for place, judgement in enumerate(ledger.judgements):
            if judgement.code != Code.OK:
                continue
            held = self._judged.get(place)
            if held is None or held.update is None:
                self._note(place, self._get(place))
                held = self._judged.get(place)
            if held is None or held.update is None or held.code == Code.ZERO:
                self._log.warning("an update that the others call ok is not to be had", place=place)
                return None
            updates[place] = held.update
        return updates

    def _get(self, place: int) -> Judged | HansaError:
        """The verdict on an update, or why it is not to be had; runs beside others. Its sealed bytes are dropped at
        once."""
        try:
            return self._judge(place)
        except (TooLarge, NotFound, WrongBytes, StoreUnavailable) as error:
            return error

    def _judge(self, place: int) -> Judged:
        submitted = self.cycle.updates[place]
        return judge(self._fetch(submitted.digest), submitted.trainer, self.cycle_keys)

    def _fetch(self, digest: Digest) -> bytes:
        return self._store.get(digest, limit=self._limit, timeout=FETCH_SECONDS)

    def _note(self, place: int, got: Judged | HansaError) -> None:
        submitted = self.cycle.updates[place]
        cid = to_cid(submitted.digest)
        if isinstance(got, TooLarge):
            judged = Judged(Code.UNREACHABLE, None, str(got))
        elif isinstance(got, HansaError):
            self._log.debug("update not there yet", trainer=submitted.trainer, cid=cid, error=str(got))
            return
        else:
            judged = got
            if judged.code == Code.OK:
                self._store.pin(submitted.digest)
        self._judged[place] = judged
        code = judged.code.name
        self._log.info("update judged", trainer=submitted.trainer, cid=cid, code=code, reason=judged.reason)


class SharedInbox(Inbox):
    """The same of updates that it takes the shares of several seats to open."""

    def __init__(self, cycle: CycleRecord, cycle_keys: CycleKeys, store: Store, limit: int, log: BoundLogger) -> None:
        super().__init__(cycle, cycle_keys, store, limit, log)
        self._files = ReleaseFiles(cycle, cycle_keys, store, log)

    def fetch(self) -> bool:
        self._files.fetch()
        return super().fetch()

    def counted(self, ledger: RoundLedger) -> dict[int, Update] | None:
        self._files.fetch()
        return super().counted(ledger)

    def _judge(self, place: int) -> Judged:
        submitted, releases, keys = self.cycle.updates[place], self._files.releases, self.cycle_keys
        found = judge_shared(None, submitted.trainer, place, releases, keys)
        if found is None and (releases.is_complete or len({*releases.shares(place), keys.seat}) >= keys.shares):
            found = judge_shared(self._fetch(submitted.digest), submitted.trainer, place, releases, keys)
        if found is None and releases.is_complete:
            found = Judged(Code.UNREACHABLE, None, f"fewer than {keys.shares} validators have released their share")
        if found is None:
            raise NotFound(f"too few shares of {to_cid(submitted.digest)}")
        return found


def _parts(cycle: CycleRecord) -> tuple[object, ...]:
    """What an inbox rests on."""
    return cycle.cycle, cycle.updates, cycle.releases


class Inboxes:
    """The inbox of the cycle under way, made when it is first asked for.

    secret_for: the X25519 secret that this member opens with what is sealed to a public key.
    """

    def __init__(self, desk: Desk, secret_for: Callable[[bytes | None], bytes]) -> None:
        self._desk = desk
        self._secret_for = secret_for
        self._inbox: Inbox | None = None

    def keys(self, cycle: CycleRecord, seat: Seat) -> CycleKeys:
        """What it takes to open updates of the cycle that the follower is in."""
        follower = self._desk.follower
        base_digest, base = follower.base()
        place, shares = follower.federation.place(follower.job, cycle.cycle), follower.context.spec.shares
        secret = self._secret_for(cycle.keys[seat])
        return CycleKeys(place, base_digest, base, cycle.keys, seat, secret, shares)

    def of(self, cycle: CycleRecord, seat: Seat) -> Inbox:
        """A new one where a reorganisation gave the cycle other updates, or other releases of their shares."""
        if self._inbox is None or _parts(self._inbox.cycle) != _parts(cycle):
            kind = Inbox if self._desk.follower.context.spec.shares == 0 else SharedInbox
            limit, store = self._desk.follower.context.spec.update_bytes, self._desk.follower.store
            self._inbox = kind(cycle, self.keys(cycle, seat), store, limit, self._desk.log)
        return self._inbox

    def drop(self) -> None:
        """Lets go of the updates: what they came to is in the journal."""
        self._inbox = None
