"""The rows that a member measures on: those of its seat, or rows of its own."""

from __future__ import annotations

from hansa.protocol.types import Seat
from hansa.runtime.desk import Desk
from hansa.tasks import running
from hansa.tasks.base import Data, Task
from hansa.tasks.rehearsal import check_validation_rows
from hansa.tasks.validation import doubts, own_rows, validation_rows


class ValidationRows:
    """Reads a seat's rows once, and keeps those of the last seat.

    source: where the member has rows of its own; None: where the task has them.
    """

    def __init__(self, desk: Desk, task: Task, source: str | None = None) -> None:
        self._desk = desk
        self._task = task
        self._source = source
        self._held: dict[Seat, Data] = {}

    def of(self, seat: Seat) -> Data:
        """FatalError where the task can't read them, or can't measure model 0 on them."""
        if seat not in self._held:
            context = self._desk.follower.context
            is_own = context.spec.validation == "own"
            with running(context.spec.task, f"reading the validation rows of seat {seat}"):
                if is_own:
                    rows = own_rows(self._task, self._source)
                else:
                    rows = validation_rows(self._task, seat, context.terms.seats, self._source)
                check_validation_rows(self._task, self._task.model(), rows)
            if is_own and (doubt := doubts(rows)) is not None:
                self._desk.log.warning("validation rows are doubtful", said=doubt)
            self._desk.log.info("validation rows read", rows=len(rows), seat=seat)
            self._held = {seat: rows}
        return self._held[seat]
