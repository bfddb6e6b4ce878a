"""VOTE: work out the cycle's result from the revealed sheets, and vote for it under seal. FINALIZE: open it; the last
that votes may do both at once. That model is given away once the round is final (`aggregator.serve`)."""

from __future__ import annotations

from typing import Any

from aggregator.inbox import Inboxes
from aggregator.rows import ValidationRows
from hansa.protocol import sheet
from hansa.protocol.cid import to_cid
from hansa.protocol.hashes import result_hash, sealed_vote
from hansa.protocol.ledger import RoundLedger
from hansa.protocol.model import Model
from hansa.protocol.result import NOTHING, Result, next_model
from hansa.protocol.types import JobId, Phase, Seat
from hansa.runtime.chain.federation import JobState
from hansa.runtime.desk import Desk
from hansa.runtime.history.records import CycleRecord
from hansa.runtime.journal import Key
from hansa.tasks import running
from hansa.tasks.base import Task


class Voter:
    """One member's votes."""

    def __init__(self, desk: Desk, task: Task, inboxes: Inboxes, rows: ValidationRows) -> None:
        self._desk = desk
        self._task = task
        self._inboxes = inboxes
        self._rows = rows

    def vote(self, state: JobState, seat: Seat) -> None:
        """Votes once this member has every update that the others call ok."""
        follower = self._desk.follower
        if state.voted >> seat & 1 or not state.revealed >> seat & 1 or not follower.is_settled():
            return
        known = self._result(state, seat)
        if known is None:
            return
        federation, job, sealed = follower.federation, follower.job, sealed_vote(known["hash"], seat)
        call = federation.vote_call(job, state.cycle, seat, state.sheets, sealed, known["metric"])
        if decides(self._desk, state, seat, known["hash"]):
            opens = federation.finalize_call(job, state.cycle, known["model"], known["rewards"])
            call = federation.vote_and_finalize_call(call, opens, job)
        self._desk.send(call, "vote", state.cycle)

    def _result(self, state: JobState, seat: Seat) -> dict[str, Any] | None:
        """The result as the journal keeps it; None while an update that it needs can't be had."""
        follower, key = self._desk.follower, result_key(self._desk.follower.job, state)
        cycle = follower.cycle()
        known = self._desk.journal.recall(key)
        if known is not None:
            return known
        result = self.work_out(cycle, follower.replay().attempt(cycle), seat)
        return None if result is None else self._desk.journal.remember(key, lambda: self.seal(state, result, seat))

    def work_out(self, cycle: CycleRecord, ledger: RoundLedger, seat: Seat) -> Result | None:
        """What the revealed sheets lead to; None while an update that it needs can't be had."""
        if not ledger.included:
            return NOTHING
        follower, inbox = self._desk.follower, self._inboxes.of(cycle, seat)
        updates = inbox.counted(ledger)
        if updates is None:
            return None
        trainers = [update.trainer for update in cycle.updates]
        base, digest, rule = inbox.cycle_keys.model, inbox.cycle_keys.base, follower.context.spec.rule
        with self._desk.working("aggregating"):
            model = next_model(follower.job, base, digest, ledger, trainers, updates, follower.weights(), rule)
            result = Result.of(model, ledger)
        del inbox, updates
        self._inboxes.drop()
        return result

    def seal(self, state: JobState, result: Result, seat: Seat) -> dict[str, Any]:
        """What the journal keeps of a result: what is voted, and what opens it. Its model's file goes there too."""
        follower, metric = self._desk.follower, 0
        if result is not NOTHING:
            with running(follower.context.spec.task, "measuring the new model"), self._desk.working("measuring"):
                metric = sheet.to_metric(self._task.metric(Model.decode(result.file).tensors, self._rows.of(seat)))
            if metric == sheet.NO_METRIC:
                self._desk.log.warning("metric not finite", model=to_cid(result.model), metric=metric)
            self._desk.journal.put_blob(result.file, result.model)
        place = follower.federation.place(follower.job, state.cycle)
        hashed = result_hash(place, state.updates, state.sheets, result.model, result.rewards)
        self._desk.log.info("result worked out", model=to_cid(result.model), metric=metric)
        return {"hash": hashed, "metric": metric, "model": result.model, "rewards": result.rewards}


def decides(desk: Desk, state: JobState, seat: Seat, hashed: bytes) -> bool:
    """Whether this member's vote is all that its own result waits for: then it may be opened in the same transaction,
    whose bytes anybody can read before they are mined. hashed: the result's.

    Votes count at a mined block, `confirmations` deep: of two members that counted votes that are only pending both
    would fail, and who has yet to vote could copy the result.
    """
    follower, deep = desk.follower, desk.follower.deep()
    if (deep.cycle, deep.phase, deep.revealed) != (state.cycle, Phase.VOTE, state.revealed):
        return False
    others = [Seat(other) for other in range(len(state.committee)) if state.revealed >> other & 1 and other != seat]
    votes = follower.cycle().votes
    if not all(deep.voted >> other & 1 and other in votes for other in others):
        return False
    matching = 1 + sum(votes[other].sealed == sealed_vote(hashed, other) for other in others)
    return matching >= follower.context.terms.quorum and follower.is_deep_agreed()


def result_key(job: JobId, state: JobState) -> Key:
    """Where the journal keeps the result of a cycle as it was revealed."""
    return (job, state.cycle, "result", state.sheets, state.updates)


def finalize(desk: Desk, state: JobState, seat: Seat) -> None:
    """Gives away, and finalises in its turn among those that voted the same, the result that this member voted."""
    follower = desk.follower
    known = desk.journal.recall(result_key(follower.job, state))
    if known is None or not follower.is_settled():
        return
    if known["model"] != NOTHING.model:
        desk.publish(known["model"])
    votes, terms = follower.cycle().votes, follower.context.terms
    matching = [s for s, vote in votes.items() if vote.sealed == sealed_vote(known["hash"], s)]
    if len(matching) < terms.quorum:
        desk.log.error("my result has no quorum", mine=len(matching), quorum=terms.quorum)
        return
    place = sorted(matching).index(seat) if seat in matching else len(matching)
    if desk.turns.has_come(place, terms.finalize_time):
        call = follower.federation.finalize_call(follower.job, state.cycle, known["model"], known["rewards"])
        desk.send(call, "finalize", state.cycle)
