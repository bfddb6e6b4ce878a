"""Follows a job while it runs: which rounds are done, and how long each phase took by this machine's clock."""

from __future__ import annotations

import time
from collections import defaultdict

from hansa.cli.demo.view import FinishedRound, View
from hansa.cli.job.rounds import updates_text
from hansa.devnet.federation import LocalFederation
from hansa.protocol.cid import to_cid
from hansa.protocol.errors import FatalError, TransientError
from hansa.protocol.types import Phase
from hansa.runtime.chain.structs import JobState
from hansa.runtime.follower import JobFollower
from hansa.runtime.history.turn import counts

LOOK_SECONDS = 1.0  # between two looks at the daemons
WAIT = 0.5  # seconds for a new block
UNTIL_SUBMITTED = (Phase.ENROL, Phase.OPEN, Phase.SUBMIT, Phase.LAPSED)  # phases in which a job needs trainers


class Progress:
    """`look` again and again until it says that the job is over."""

    def __init__(self, lab: LocalFederation, view: View) -> None:
        self.phases: dict[str, float] = defaultdict(float)
        self.moved = False
        self._lab = lab
        self._follower = JobFollower(lab.session.federation, lab.session.store, lab.posted.job)
        self._view = view
        self._shown = 0
        self._phase: Phase | None = None
        self._since = self._round_since = time.monotonic()
        self._measured = 0.0
        self._fallen: set[str] = set()
        self._before: tuple[int, ...] = ()

    def look(self) -> bool:
        """One look at the newest block; True when the job is over. Waits for the next block otherwise. FatalError when
        the chain has ended, or every trainer. `moved` says whether this look saw something new."""
        self.moved = False
        self._lab.check_chain()
        self._look_at_daemons()
        nobody_trains = self._lab.have_ended("trainer")
        try:
            state = self._follower.look()
            if nobody_trains and state.phase in UNTIL_SUBMITTED:
                raise self._nobody_left()
            self._note(state)
            if state.round - 1 > self._shown:
                self._show_rounds()
            self._view.state(state, self._follower.head.timestamp)
            if state.phase.is_over and self._shown == state.round - 1:
                return True
            self._lab.session.chain.wait(WAIT)
        except TransientError:
            time.sleep(0.1)
        return False

    def _nobody_left(self) -> FatalError:
        worker = self._lab.workers["trainer-1"]
        return FatalError(
            "no trainer is left",
            cause=f"trainer-1 ended with code {worker.exit_code}: {worker.last_words()}",
            next_step=f"look into {self._lab.workspace.dir / 'logs'}",
        )

    def _note(self, state: JobState) -> None:
        now = time.monotonic()
        if self._phase is not None:
            self.phases[self._phase.name.lower()] += now - self._since
        self._phase, self._since = state.phase, now
        acted = counts(state)
        self.moved = acted != self._before
        self._before = acted

    def _show_rounds(self) -> None:
        history, rounds = self._follower.history(), self._follower.ledgers()
        now = time.monotonic()
        for number in range(self._shown + 1, len(rounds) + 1):
            cycle, outcome = history.finalised[number - 1]
            tried = sum(other.round == number for other in history.cycles)
            self._view.round(
                FinishedRound(
                    round=number,
                    model=to_cid(outcome.model),
                    metric=outcome.metric,
                    before=history.finalised[number - 2][1].metric if number > 1 else None,
                    updates=updates_text(cycle, rounds[number - 1], self._lab.known_as),
                    failures=tried - 1,
                    seconds=now - self._round_since,
                )
            )
            self._round_since = now
        self._shown = len(rounds)

    def _look_at_daemons(self) -> None:
        if time.monotonic() - self._measured < LOOK_SECONDS:
            return
        self._measured = time.monotonic()
        for name, worker in self._lab.workers.items():
            worker.measure()
            if worker.exit_code and name not in self._fallen:
                self._fallen.add(name)
                self._view.warn(f"{name} ended with code {worker.exit_code}: {worker.last_words()}")
