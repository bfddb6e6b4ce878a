"""What a wary trainer stops for: a cycle that failed with its update in."""

from __future__ import annotations

from hansa.protocol.errors import FatalError
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.types import CycleId
from hansa.runtime.desk import Desk


class FailureWatch:
    """Knows which cycles had failed when this daemon began: those are forgiven."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._forgiven: frozenset[CycleId] | None = None

    def begin(self) -> None:
        """Forgives, at the daemon's first look, what has failed by then."""
        if self._forgiven is None:
            self._forgiven = frozenset(cycle.cycle for cycle in self._desk.follower.failed_cycles())

    def stop_after_failure(self) -> None:
        """FatalError where a cycle over the present model has failed since with this trainer's update in."""
        failed = [
            cycle
            for cycle in self._desk.follower.failed_cycles()
            if cycle.cycle not in (self._forgiven or ()) and cycle.has_update_of(self._desk.me)
        ]
        if failed:
            raise FatalError(
                f"cycle {cycle_counter(failed[-1].cycle)} of job {self._desk.follower.job} failed with your update in",
                cause="its committee did not finish it",
                next_step="look at `hansa job show`, then run again, or with --keep-going",
            )
