"""Turns at what anyone may do, so that not everybody does it at once."""

from __future__ import annotations

import time

from hansa.runtime.chain.federation import JobState

TURN_SECONDS = 1.5  # that each account leaves those before it to do what anyone may do


class Turns:
    """Counts from when this daemon first saw the present phase, by this machine's clock."""

    def __init__(self) -> None:
        self._moment: tuple[int, ...] = ()
        self._since = 0.0  # monotonic

    def note(self, state: JobState) -> bool:
        """Whether `state` is in another phase, or another attempt at it, than the last one noted."""
        moment = (state.cycle, state.phase, state.failures)
        if moment == self._moment:
            return False
        self._moment, self._since = moment, time.monotonic()
        return True

    @property
    def waited(self) -> float:
        """Seconds in this phase."""
        return time.monotonic() - self._since

    def has_come(self, place: int, within: float) -> bool:
        """Whether it is the turn of whoever has `place` to do what anyone may do within so many seconds: those in
        earlier places are left some time, but a third of it at most."""
        return self.waited >= min(TURN_SECONDS * place, within / 3)
