"""The validator daemon: screens, scores, commits, reveals, aggregates, votes, finalises."""

from __future__ import annotations

import secrets
from typing import Any

from aggregator.config import ValidatorConfig
from aggregator.inbox import Inbox
from aggregator.measure import measure
from aggregator.member import Member
from hansa.protocol import sheet
from hansa.protocol.cid import to_cid
from hansa.protocol.hashes import result_hash, sealed_vote
from hansa.protocol.model import Model
from hansa.protocol.result import NOTHING, Result, outcome
from hansa.protocol.sheet import Entry
from hansa.protocol.types import Code, Phase, Seat, Timestamp
from hansa.protocol.verdict import Attempt, CycleKeys
from hansa.runtime.chain.federation import JobState
from hansa.runtime.history.reader import CycleRecord
from hansa.tasks import load_task_of, running, use_threads
from hansa.tasks.base import Data

SOON = 0.1  # seconds until updates that were just registered may have been published


class Validator(Member):
    """A committee member of one job, SCORE to FINALIZE. Everything that it says is journalled before it is sent."""

    def __init__(self, config: ValidatorConfig) -> None:
        super().__init__(config)
        allowed = {*config.deployment.allowed.tasks, *config.allow}
        self.task = load_task_of(self.context.spec, task_file=config.task_file, allowed=allowed)
        use_threads(config.threads)
        with running(self.context.spec.task, "making model 0"):
            self.models.shapes = {name: values.shape for name, values in self.task.model().items()}
        self._bench: Inbox | None = None
        self._held: dict[Seat, Data] = {}
        state = self.federation.state(self.job)
        if not state.phase.is_over:
            self.context.check_claim_time(config.min_claim)
            self._rows(self.seat(state.committee) or Seat(0))  # what can't be read is said now, not in SCORE

    def act(self, state: JobState) -> bool:
        """Does the one thing that is due; True when nothing ever will be again."""
        if not state.phase.is_over:
            self.announce()
        seat = self.seat(state.committee)
        served = self.serve_model(state)
        match state.phase:
            case Phase.SUBMIT if self.settled(state):
                self.tidy(state, self.still_needed())
            case Phase.SCORE if seat is not None:
                with self.if_model_serves(state):
                    self._score(state, seat)
            case Phase.REVEAL if seat is not None:
                self._reveal(state, seat)
            case Phase.VOTE if seat is not None:
                with self.if_model_serves(state):
                    self._vote(state, seat)
            case Phase.FINALIZE if seat is not None:
                self._finalize(state, seat)
            case phase if phase.is_over:
                return served and self.leave(state, seat)
        self.settle_strikes(state)
        return False

    # --- SCORE

    def _score(self, state: JobState, seat: Seat) -> None:
        if state.committed >> seat & 1 or not self.settled(state):
            return
        cycle = self.cycle(state)
        bench = self._bench_of(cycle, seat)
        known = self.journal.recall((self.job, cycle.cycle, "sheet"))
        if known is None:
            half = state.deadline - self.context.terms.score_time // 2
            if not bench.fetch() and self.head.timestamp < half:
                self.awaited = Timestamp(half)
                self.look_again(SOON)
                return
        sealed = self.journal.remember((self.job, cycle.cycle, "sheet"), lambda: self._sheet(bench, cycle))
        place = self.federation.place(self.job, cycle.cycle)
        commitment = sheet.commitment(place, self.me, sealed["sheet"], sealed["salt"])
        self.send(self.federation.commit_call(self.job, cycle.cycle, seat, commitment), "commit", cycle.cycle)

    def _sheet(self, bench: Inbox, cycle: CycleRecord) -> dict[str, bytes]:
        base = bench.opening.model
        judged = bench.verdicts(self._attempts())
        ok = [place for place, item in enumerate(judged) if item.code == Code.OK]
        weights = self.weights()
        with running(self.context.spec.task, "measuring updates"), self.working("measuring"):
            measured = measure(
                self.task,
                self._rows(bench.opening.seat),
                base,
                self.models.earlier(base),
                [item.update.tensors for place in ok if (item := judged[place]).update is not None],
                [weights[cycle.updates[place].trainer] for place in ok],
            )
        worth = dict(zip(ok, measured, strict=True))
        entries = [
            Entry(item.code, worth[place].gain, worth[place].news) if place in worth else Entry(item.code, 0, 0)
            for place, item in enumerate(judged)
        ]
        self.log.info("sheet ready", codes=[entry.code.name for entry in entries], gains=[e.gain for e in entries])
        return {"sheet": sheet.encode_sheet(entries), "salt": secrets.token_bytes(32)}

    def _rows(self, seat: Seat) -> Data:
        if seat not in self._held:
            with running(self.context.spec.task, f"reading the validation rows of seat {seat}"):
                rows = self.task.validation(seat, self.context.terms.seats)
            self.log.info("validation rows read", rows=len(rows), seat=seat)
            self._held = {seat: rows}
        return self._held[seat]

    def _attempts(self) -> list[Attempt]:
        """Submissions of the failed cycles over the present model, in the order of their places."""
        attempts: list[Attempt] = []
        for cycle in self.failed_cycles():
            keys = self.member_keys(cycle)
            for submitted in cycle.updates:
                attempts.append(Attempt(submitted.trainer, submitted.digest, cycle.cycle, keys, len(attempts)))
        return attempts

    def _bench_of(self, cycle: CycleRecord, seat: Seat) -> Inbox:
        known = None if self._bench is None else (self._bench.cycle.cycle, self._bench.cycle.updates)
        if self._bench is None or known != (cycle.cycle, cycle.updates):
            base_digest, base = self.base()
            place = self.federation.place(self.job, cycle.cycle)
            opening = CycleKeys(place, base_digest, base, self.member_keys(cycle), seat, self.secret)
            self._bench = Inbox(cycle, opening, self.store, self.context.spec.update_bytes, self.log)
        return self._bench

    # --- REVEAL

    def _reveal(self, state: JobState, seat: Seat) -> None:
        known = self.journal.recall((self.job, state.cycle, "sheet"))
        if state.revealed >> seat & 1 or not state.committed >> seat & 1 or not self.settled(state):
            return
        if known is None:
            self.log.warning("this journal does not hold the sheet that was committed", cycle=state.cycle)
            return
        call = self.federation.reveal_call(self.job, state.cycle, seat, known["sheet"], known["salt"])
        self.send(call, "reveal", state.cycle)

    # --- VOTE

    def _vote(self, state: JobState, seat: Seat) -> None:
        if state.voted >> seat & 1 or not state.revealed >> seat & 1 or not self.settled(state):
            return
        cycle = self.cycle(state)
        result = self._result(state, cycle, seat)
        if result is None:
            return
        call = self.federation.vote_call(
            self.job,
            cycle.cycle,
            seat,
            state.sheets,
            sealed_vote(result["hash"], seat),
            result["metric"],
        )
        self.send(call, "vote", cycle.cycle)

    def _result(self, state: JobState, cycle: CycleRecord, seat: Seat) -> dict[str, Any] | None:
        key = self._result_key(state)
        known = self.journal.recall(key)
        if known is not None:
            return known
        ledger = self.replay().attempt(cycle)
        bench = self._bench_of(cycle, seat)
        updates = bench.counted(ledger)
        if updates is None:
            return None
        trainers = [update.trainer for update in cycle.updates]
        opening, rule = bench.opening, self.context.spec.rule
        weights = self.weights()
        with self.working("aggregating"):
            voted = outcome(self.job, opening.model, opening.base, ledger, trainers, updates, weights, rule)
        return self.journal.remember(key, lambda: self._worked_out(state, voted, seat))

    def _result_key(self, state: JobState) -> tuple[int | str | bytes, ...]:
        return (self.job, state.cycle, "result", state.sheets, state.updates)

    def _worked_out(self, state: JobState, voted: Result, seat: Seat) -> dict[str, Any]:
        metric = 0
        if voted is not NOTHING:
            deadline = state.deadline
            with (
                running(self.context.spec.task, "measuring the new model"),
                self.metrics.working("measuring", deadline),
            ):
                metric = sheet.to_metric(self.task.metric(Model.decode(voted.file).tensors, self._rows(seat)))
            self.journal.put_blob(voted.file)
        place = self.federation.place(self.job, state.cycle)
        hashed = result_hash(place, state.updates, state.sheets, voted.model, voted.rewards)
        self.log.info("result worked out", model=to_cid(voted.model), metric=metric)
        return {"hash": hashed, "metric": metric, "model": voted.model, "rewards": voted.rewards}

    # --- FINALIZE

    def _finalize(self, state: JobState, seat: Seat) -> None:
        known = self.journal.recall(self._result_key(state))
        if known is None or not self.settled(state):
            return
        if known["model"] != NOTHING.model:
            self.publish(known["model"])
        votes = self.cycle(state).votes
        matching = [s for s, vote in votes.items() if vote.sealed == sealed_vote(known["hash"], s)]
        if len(matching) < self.context.terms.quorum:
            self.log.error("my result has no quorum", mine=len(matching), quorum=self.context.terms.quorum)
            return
        place = sorted(matching).index(seat) if seat in matching else len(matching)
        if self.turn(place, self.context.terms.finalize_time):
            call = self.federation.finalize_call(self.job, state.cycle, known["model"], known["rewards"])
            self.send(call, "finalize", state.cycle)
