"""The models that a member worked out: published once they are final, kept as long as they may be asked for."""

from __future__ import annotations

from hansa.protocol.types import CycleId, Digest, Phase
from hansa.runtime.chain.federation import JobState
from hansa.runtime.desk import Desk

KEPT_MODELS = 2  # of its own in the journal; the store pins as many as it is told


class ModelServer:
    """Who finalised may have kept the model back, and FINALIZE may be over before others see it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._served: CycleId | None = None  # the last finalised cycle whose model needs nothing more

    def serve(self, state: JobState) -> bool:
        """Publishes the last finalised model where this member worked it out. True when there is nothing left to do."""
        if not (state.phase <= Phase.SCORE or state.phase.is_over):
            return True
        follower, finalised = self._desk.follower, self._desk.follower.history().finalised
        if not finalised or finalised[-1][0].cycle == self._served:
            return True
        last, outcome = finalised[-1]
        if not follower.is_past(Phase.VOTE, last):
            self._desk.alarm.awaited = state.ended_at
            return False
        if self._desk.journal.has_blob(outcome.model):
            self._desk.publish(outcome.model)
        self._served = last.cycle
        return True


def files_needed(desk: Desk) -> set[Digest]:
    """Files that may have to be served again: the last models, and nothing of cycles that failed."""
    return {outcome.model for outcome in desk.follower.finalized()[-KEPT_MODELS:]}
