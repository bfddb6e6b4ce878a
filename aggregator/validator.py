"""The validator daemon: screens, scores, commits, reveals, aggregates, votes, finalises."""

from __future__ import annotations

from aggregator.faults import FaultWatch
from aggregator.inbox import Inboxes
from aggregator.keys import Keys
from aggregator.leave import take_fees
from aggregator.masked.member import MaskedMember
from aggregator.masked.result import MaskedScorer, MaskedVoter
from aggregator.release import Releaser, release_files
from aggregator.rows import ValidationRows
from aggregator.score import Scorer, reveal
from aggregator.serve import ModelServer, files_needed
from aggregator.strikes import StrikeSettler
from aggregator.vote import Voter, finalize
from hansa.protocol.privacy import MASKED
from hansa.protocol.types import Phase, Seat
from hansa.runtime import keystore
from hansa.runtime.chain.federation import JobState
from hansa.runtime.daemon import Daemon
from hansa.runtime.desk import DaemonConfig
from hansa.runtime.history.records import CycleRecord
from hansa.runtime.keeper import JobKeeper
from hansa.runtime.key_ring import KeyRing
from hansa.runtime.model_chain import Abstention
from hansa.runtime.pace import CROWD_SECONDS
from hansa.tasks import load_task_of, running, use_device


class Validator(Daemon):
    """A committee member of one job, RELEASE to FINALIZE. What it says is journalled before it is sent."""

    def __init__(self, config: DaemonConfig) -> None:
        super().__init__(config)
        with self.desk.closed_on_failure():
            self._begin(config)

    def _begin(self, config: DaemonConfig) -> None:
        """FatalError for a job, a task or rows that it can't be served with."""
        desk, context = self.desk, self.desk.follower.context
        context.check_allowed(desk.follower.federation.chain, config.deployment, config.allow, config.max_bytes)
        allowed = {*config.deployment.allowed.tasks, *config.allow}
        task = load_task_of(context.spec, task_file=config.task_file, allowed=allowed)
        desk.log.info("task loaded", task=context.spec.task, device=use_device(task, config.device, config.threads))
        with running(context.spec.task, "making model 0"):
            desk.follower.models.shapes = {name: values.shape for name, values in task.model().items()}
        rows = ValidationRows(desk, task, config.validation)
        desk.follower.member = desk.me
        state = desk.follower.look()
        if not state.phase.is_over:
            context.check_claim_time(config.min_claim)
            rows.of(state.seat_of(desk.me) or Seat(0))  # what can't be read is said now, not in SCORE
        secret = keystore.encryption_secret(config.account)
        self._ring = KeyRing(config.journal.with_name(f"{desk.me}.keys.sqlite"), secret)
        self.keys = Keys(desk, self._ring, secret, rotates=config.rotate_keys)
        inboxes = Inboxes(desk, self.keys.secret_for)
        self.keeper = JobKeeper(desk)
        self.server = ModelServer(desk)
        self.releaser = Releaser(desk, inboxes)
        self.masked = MaskedMember(desk, self.keys.secret_for) if context.spec.privacy == MASKED else None
        self.scorer = Scorer(desk, task, inboxes, rows)
        self.voter = Voter(desk, task, inboxes, rows)
        if self.masked is not None:
            self.scorer = MaskedScorer(desk, task, inboxes, rows, self.masked)
            self.voter = MaskedVoter(desk, task, inboxes, rows, self.masked)
        self.strikes = StrikeSettler(desk)
        self.abstention = Abstention(desk.log)
        self.faults = FaultWatch(desk)

    def act(self, state: JobState) -> bool:
        """Does the one thing that is due; True when nothing ever will be again."""
        desk, seat = self.desk, state.seat_of(self.desk.me)
        self.keeper.keep_moving(state)
        desk.count_missed(self._took_part)
        if not state.phase.is_over:
            self.keys.keep_announced()
        self.keys.forget()
        self.faults.look()
        served = self.server.serve(state)
        with self.abstention.if_spoilt(state.round):
            self._publish(state)
        match state.phase:
            case Phase.SUBMIT:
                desk.alarm.rest = CROWD_SECONDS if state.pending > 1 else 0.0
                if desk.follower.is_settled():
                    masked = set() if self.masked is None else self.masked.files_needed()
                    desk.tidy(state.cycle, files_needed(desk) | release_files(desk) | masked)
            case Phase.ATTEST if seat is not None and self.masked is not None:
                with self.abstention.if_spoilt(state.round):
                    self.masked.attest(state, seat)
            case Phase.RELEASE if seat is not None:
                with self.abstention.if_spoilt(state.round):
                    (self.masked or self.releaser).release(state, seat)
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
                is_done = served and desk.follower.is_agreed() and self.strikes.settle(state) and self.keys.have_gone()
                return is_done and take_fees(desk, state, seat)
        self.strikes.settle(state)
        return False

    def close(self) -> None:
        self._ring.close()
        super().close()

    def _publish(self, state: JobState) -> None:
        """What this member released, once it may be given away."""
        if self.masked is None:
            self.releaser.publish()
        elif not state.phase.is_over:
            self.masked.publish()

    def _took_part(self, cycle: CycleRecord) -> bool:
        me = self.desk.me
        return me not in cycle.committee or Seat(cycle.committee.index(me)) in cycle.votes
