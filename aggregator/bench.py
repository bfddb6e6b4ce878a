"""A member's work on one cycle: the files that it has fetched, and what it says of them."""

from __future__ import annotations

from collections.abc import Sequence

from structlog.stdlib import BoundLogger

from aggregator.screen import Attempt, Judged, Opening, judge, mark_duplicates, retried_place
from protocol.chain.history import CycleRecord
from protocol.cid import to_cid
from protocol.errors import NotFound, StoreUnavailable, TooLarge, WrongBytes
from protocol.ledger import RoundLedger
from protocol.model import Update
from protocol.store import Store
from protocol.types import Code

FETCH_SECONDS = 5.0
MISSING = Judged(Code.UNREACHABLE, None, "no bytes by half of SCORE")


class Bench:
    """The updates of one cycle on a member's bench, by place on chain.

    limit: largest sealed update, in bytes, that is fetched.
    """

    def __init__(self, cycle: CycleRecord, opening: Opening, store: Store, limit: int, log: BoundLogger) -> None:
        self.cycle = cycle
        self.opening = opening
        self._store = store
        self._limit = limit
        self._log = log
        self._judged: dict[int, Judged] = {}

    def fetch(self) -> bool:
        """Judges every update whose bytes are there by now; whether all are judged."""
        for place in range(len(self.cycle.updates)):
            if place not in self._judged:
                self._judge(place)
        return len(self._judged) == len(self.cycle.updates)

    def verdicts(self, attempts: Sequence[Attempt]) -> list[Judged]:
        """What this member says of each update; of one whose bytes never came, that it is unreachable.

        attempts: submissions of the failed cycles over the same model, oldest first.
        """
        judged = [self._judged.get(place, MISSING) for place in range(len(self.cycle.updates))]
        retried = {
            place: retried_place(item.update, attempts, self.opening, self._store, self._limit)
            for place, item in enumerate(judged)
            if item.code == Code.OK and item.update is not None
        }
        places = {place: earlier for place, earlier in retried.items() if earlier is not None}
        return mark_duplicates(judged, places, self.opening.model.k)

    def counted(self, ledger: RoundLedger) -> dict[int, Update] | None:
        """Every update that the committee calls ok; None while one of them cannot be had."""
        updates: dict[int, Update] = {}
        for place, judgement in enumerate(ledger.judgements):
            if judgement.code != Code.OK:
                continue
            held = self._judged.get(place)
            if held is None or held.update is None:
                self._judge(place)
                held = self._judged.get(place)
            if held is None or held.update is None:
                self._log.warning("an update that the others call ok is not to be had", place=place)
                return None
            updates[place] = held.update
        return updates

    def _judge(self, place: int) -> None:
        submitted = self.cycle.updates[place]
        cid = to_cid(submitted.digest)
        try:
            data = self._store.get(submitted.digest, limit=self._limit, timeout=FETCH_SECONDS)
        except TooLarge as error:
            judged = Judged(Code.UNREACHABLE, None, str(error))
        except (NotFound, WrongBytes, StoreUnavailable) as error:
            self._log.debug("update not there yet", trainer=submitted.trainer, cid=cid, error=str(error))
            return
        else:
            judged = judge(data, submitted.trainer, self.opening)
            if judged.code == Code.OK:
                self._store.pin(submitted.digest)
        self._judged[place] = judged
        code = judged.code.name
        self._log.info("update judged", trainer=submitted.trainer, cid=cid, code=code, reason=judged.reason)
