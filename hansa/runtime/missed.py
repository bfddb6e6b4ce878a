"""What operators want to know of a daemon's past: the finalised cycles that it missed."""

from __future__ import annotations

from collections.abc import Callable

from hansa.runtime.desk import Desk
from hansa.runtime.history.records import CycleRecord


class MissedCycles:
    """took_part: whether the account did in a finalised cycle what it was there for."""

    def __init__(self, desk: Desk, took_part: Callable[[CycleRecord], bool]) -> None:
        self._desk = desk
        self._took_part = took_part
        self._counted = bytes(32)  # last result up to which they are counted

    def count(self) -> None:
        """Counts anew after every finalised round."""
        follower = self._desk.follower
        if self._counted != follower.state.last_result:
            missed = sum(not self._took_part(cycle) for cycle, _ in follower.history().finalised)
            self._desk.metrics.missed.set(missed)
            self._counted = follower.state.last_result
