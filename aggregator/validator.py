"""The validator daemon: screens, scores, commits, reveals, aggregates, votes, finalises."""

from __future__ import annotations

from aggregator.config import ValidatorConfig
from aggregator.finalize import finalize
from aggregator.inbox import Inboxes
from aggregator.key import KeyAnnouncer
from aggregator.leave import Leaver
from aggregator.reveal import reveal
from aggregator.rows import ValidationRows
from aggregator.score import Scorer
from aggregator.serve import ModelServer, files_needed
from aggregator.strikes import StrikeSettler
from aggregator.vote import Voter
from hansa.protocol.types import Phase, Seat
from hansa.runtime import keystore
from hansa.runtime.chain.federation import JobState
from hansa.runtime.daemon import Daemon
from hansa.runtime.history.records import CycleRecord
from hansa.runtime.keeper import JobKeeper
from hansa.runtime.model_chain import Abstention
from hansa.tasks import load_task_of, running, use_threads


class Validator(Daemon):
    """A committee member of one job, SCORE to FINALIZE. Everything that it says is journalled before it is sent."""

    def __init__(self, config: ValidatorConfig) -> None:
        super().__init__(config, config.keep_models)
        desk, context = self.desk, self.desk.follower.context
        context.check_allowed(config.deployment, config.allow, config.max_bytes)
        allowed = {*config.deployment.allowed.tasks, *config.allow}
        task = load_task_of(context.spec, task_file=config.task_file, allowed=allowed)
        use_threads(config.threads)
        with running(context.spec.task, "making model 0"):
            desk.follower.models.shapes = {name: values.shape for name, values in task.model().items()}
        rows = ValidationRows(desk, task)
        state = desk.follower.look()
        if not state.phase.is_over:
            context.check_claim_time(config.min_claim)
            rows.of(state.seat_of(desk.me) or Seat(0))  # what can't be read is said now, not in SCORE
        secret = keystore.encryption_secret(config.account)
        inboxes = Inboxes(desk, secret)
        self.keeper = JobKeeper(desk)
        self.announcer = KeyAnnouncer(desk, secret)
        self.server = ModelServer(desk)
        self.scorer = Scorer(desk, task, inboxes, rows)
        self.voter = Voter(desk, task, inboxes, rows)
        self.strikes = StrikeSettler(desk)
        self.abstention = Abstention(desk.log)
        self.leaver = Leaver(desk, self.strikes)

    def act(self, state: JobState) -> bool:
        """Does the one thing that is due; True when nothing ever will be again."""
        desk, seat = self.desk, state.seat_of(self.desk.me)
        self.keeper.keep_moving(state)
        desk.count_missed(self._took_part)
        if not state.phase.is_over:
            self.announcer.announce()
        served = self.server.serve(state)
        match state.phase:
            case Phase.SUBMIT if desk.follower.is_settled():
                desk.publisher.tidy(state.cycle, files_needed(desk))
            case Phase.SCORE if seat is not None:
                with self.abstention.if_spoilt(state.round):
                    self.scorer.score(state, seat)
            case Phase.REVEAL if seat is not None:
                reveal(desk, state, seat)
            case Phase.VOTE if seat is not None:
                with self.abstention.if_spoilt(state.round):
                    self.voter.vote(state, seat)
            case Phase.FINALIZE if seat is not None:
                finalize(desk, state, seat)
            case phase if phase.is_over:
                return served and desk.follower.is_agreed() and self.leaver.leave(state, seat)
        self.strikes.settle(state)
        return False

    def _took_part(self, cycle: CycleRecord) -> bool:
        me = self.desk.me
        return me not in cycle.committee or Seat(cycle.committee.index(me)) in cycle.votes
