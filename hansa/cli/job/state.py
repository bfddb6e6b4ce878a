"""What a job is at, as JSON and as a sentence; what a job argument is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from hansa.cli.document import Amount, Metric, copy_fields
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.phases import PHASES
from hansa.protocol.sheet import NO_METRIC
from hansa.runtime.amounts import fixed
from hansa.runtime.chain.structs import JobState
from hansa.sponsor.terms import in_words

JobNumber = Annotated[int, typer.Argument(help="The job's number.", metavar="JOB")]

PARTS = {"ENROL": "{enrolled} enrolled", "SUBMIT": "{submitted} updates in, {pending} awaited"}


@dataclass(frozen=True)
class StateView:
    phase: str
    round: int
    cycle: int  # the counter
    deadline: int
    enrolled: int
    submitted: int
    pending: int
    committed: int  # members, as the next two
    revealed: int
    voted: int
    failures: int
    best_metric: Metric

    @classmethod
    def of(cls, state: JobState) -> StateView:
        return copy_fields(
            cls,
            state,
            phase=state.phase.name,
            cycle=cycle_counter(state.cycle),
            committed=state.committed.bit_count(),
            revealed=state.revealed.bit_count(),
            voted=state.voted.bit_count(),
        )


@dataclass(frozen=True)
class BooksView:
    """Where a job's money is."""

    escrowed: Amount
    left: Amount
    booked: Amount
    paid: Amount
    burnt: Amount
    refunded: Amount
    bonded: Amount


def state_line(state: JobState, now: int) -> str:
    """What a job is at, as a sentence; `now` is the newest block's time."""
    view = StateView.of(state)
    if state.phase.is_over:
        return f"{view.phase} after {view.round - 1} rounds"
    left = f", {in_words(view.deadline - now)} left" if view.deadline > now else ""
    step = PHASES[state.phase]
    done = f": {PARTS[step.name].format(**vars(view))}" if step.name in PARTS else ""
    if step.acted:
        done = f": {step.seats_acted(state).bit_count()} members have {step.acted}"
    failed = f" ({view.failures} failed in a row)" if view.failures else ""
    return f"round {view.round}, cycle {view.cycle}: {view.phase}{left}{done}{failed}"


def metric_text(units: int) -> str:
    """A metric of 1e-9 for people; a dash before there is one."""
    return "–" if units == NO_METRIC else fixed(units, 9, 4)
