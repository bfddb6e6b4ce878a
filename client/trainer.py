"""The trainer daemon: enrols, trains, submits, publishes after the phase has closed, claims."""

from __future__ import annotations

from client.config import TrainerConfig
from client.enrol import Enroller
from client.leave import Leaver
from client.masked_submit import MaskedSubmitter
from client.private import PrivateTraining
from client.publish import files_needed, publish_updates
from client.standing import Standing
from client.submit import FailureWatch, Submitter
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.privacy import MASKED
from hansa.protocol.types import Phase
from hansa.runtime.chain.federation import JobState
from hansa.runtime.daemon import Daemon
from hansa.runtime.keeper import JobKeeper
from hansa.runtime.model_chain import Abstention
from hansa.runtime.pace import CROWD_SECONDS, QUIET_SECONDS
from hansa.tasks import load_task_of, running, use_device
from hansa.tasks.rehearsal import check_training_rows
from hansa.tasks.validation import count_rows


class Trainer(Daemon):
    """One trainer of one job. What it computes is journalled before it is sent; its rows never leave it."""

    def __init__(self, config: TrainerConfig) -> None:
        super().__init__(config)
        self.config = config
        self.private: PrivateTraining | None = None
        with self.desk.closed_on_failure():
            self._begin(config)

    def _begin(self, config: TrainerConfig) -> None:
        """FatalError for a job, a task or rows that it can't be served with."""
        desk, context = self.desk, self.desk.follower.context
        context.check_allowed(desk.follower.federation.chain, config.deployment, config.allow, config.max_bytes)
        allowed = {*config.deployment.allowed.tasks, *config.allow}
        task = load_task_of(context.spec, task_file=config.task_file, allowed=allowed)
        desk.log.info("task loaded", task=context.spec.task, device=use_device(task, config.device, config.threads))
        with running(context.spec.task, f"loading {config.source}"):
            data = task.load(config.source)
            rows = count_rows(task, data)
            start = task.model()
        check_training_rows(task, start, data, config.source)
        desk.follower.models.shapes = {name: values.shape for name, values in start.items()}
        desk.follower.models.cached = 1  # it starts from the newest alone
        desk.follower.trainer = desk.me
        desk.log.info("data loaded", rows=rows, source=config.source)
        desk.log.info("who can see an update", privacy=context.spec.privacy, said=context.who_sees)
        self.private = None if config.privacy is None else PrivateTraining(desk, task, data, config.privacy)
        self.standing = Standing(desk)
        self.keeper = JobKeeper(desk, self.standing.is_admitted)
        self.enroller = Enroller(desk, task, config)
        self.enroller.check_terms()
        self.masked: MaskedSubmitter | None = None
        self.submitter = Submitter(desk, task, data, config.pinned_keys, self.private)
        if context.spec.privacy == MASKED:
            self.submitter = self.masked = MaskedSubmitter(desk, task, data, config, self.private)
        self.failures = FailureWatch(desk)
        self.abstention = Abstention(desk.log)
        self.leaver = Leaver(desk, config.wait_for_bond)

    def close(self) -> None:
        super().close()
        if self.private is not None:
            self.private.close()

    def act(self, state: JobState) -> bool:
        """Does the one thing that is due; True when nothing ever will be again."""
        desk, follower = self.desk, self.desk.follower
        self.keeper.keep_moving(state)
        desk.count_missed(lambda cycle: cycle.has_update_of(desk.me))
        self.failures.begin()
        (enrolled, last, _), agreed = follower.own, follower.is_agreed()
        if not enrolled:
            if agreed and self.masked is not None:
                self.masked.check_repeat()
            if agreed:
                if self.private is not None:
                    self.private.check_budget(state.round - 1)
                self.enroller.enrol(state)
            return False
        if self.masked is not None and not state.phase.is_over:
            with self.abstention.if_spoilt(state.round):
                self.masked.note_fixed()
        if self.masked is not None:
            publish_updates(desk, state, self.masked.note_published)
        else:
            publish_updates(desk, state)
        match state.phase:
            case Phase.SUBMIT if last != cycle_counter(state.cycle) and agreed and self.standing.is_admitted():
                if self.config.stop_after_failure:
                    self.failures.check()
                with self.abstention.if_spoilt(state.round):
                    self.submitter.submit()
            case Phase.SUBMIT:
                desk.alarm.rest = CROWD_SECONDS if state.pending > 1 else 0.0
                if follower.is_settled():
                    desk.tidy(state.cycle, files_needed(desk))
            case Phase.SCORE | Phase.REVEAL | Phase.VOTE | Phase.FINALIZE:
                desk.alarm.rest = QUIET_SECONDS
            case phase if phase.is_over:
                return agreed and self.leaver.leave()
        return False
