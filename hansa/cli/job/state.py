"""What a job is at, as JSON and as a sentence; what a job argument is."""

from __future__ import annotations

from operator import attrgetter
from typing import Annotated

import typer

from hansa.cli.document import Only, metric_of
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.phases import PHASES
from hansa.protocol.sheet import NO_METRIC
from hansa.protocol.tables import REST
from hansa.protocol.text import counted
from hansa.protocol.types import Phase
from hansa.runtime.amounts import Token, fixed
from hansa.runtime.chain.structs import Books, JobState
from hansa.sponsor.terms import in_words

JobNumber = Annotated[int, typer.Argument(help="The job's number.", metavar="JOB")]

State = Annotated[
    JobState,
    Only(
        "phase round cycle deadline enrolled submitted pending attested released committed revealed voted failures "
        "best_metric",
        phase=attrgetter("name"),
        cycle=cycle_counter,
        attested=int.bit_count,  # members, as the next four
        released=int.bit_count,
        committed=int.bit_count,
        revealed=int.bit_count,
        voted=int.bit_count,
        best_metric=metric_of,
    ),
]
MONEY = "escrowed left booked paid burnt refunded bonded"
Money = Annotated[Books, Only(MONEY)]  # where a job's money is


def state_line(state: JobState, now: int) -> str:
    """What a job is at, as a sentence; `now` is the newest block's time."""
    if state.phase.is_over:
        return f"{PHASES[state.phase].title.lower()} after {counted(state.round - 1, 'round')}"
    left = f", {in_words(state.deadline - now)} left" if state.deadline > now else ""
    done = f": {said}" if (said := _progress(state)) else ""
    failed = f" ({counted(state.failures, 'attempt')} failed in a row)" if state.failures else ""
    return f"round {state.round}: {PHASES[state.phase].title.lower()}{left}{done}{failed}"


def rest_lines(books: Books, token: Token) -> list[str]:
    """Of the escrow of a job that is over: what the sponsor has yet to take back, and what went back to it."""
    said = ((books.left, REST["waits"]), (books.refunded, REST["back"]))
    return [text.format(amount=token.text(amount)) for amount, text in said if amount]


def _progress(state: JobState) -> str:
    """Who has acted in the phase."""
    step = PHASES[state.phase]
    if state.phase == Phase.ENROL:
        return f"{state.enrolled} enrolled"
    if state.phase == Phase.SUBMIT:
        return f"{counted(state.submitted, 'update')} in, {state.pending} awaited"
    if not step.acted:
        return ""
    acted = step.seats_acted(state).bit_count()
    return f"{counted(acted, 'validator has', 'validators have')} {step.acted}"


def metric_text(units: int) -> str:
    """A metric of 1e-9 for people; a dash before there is one."""
    return "–" if units == NO_METRIC else fixed(units, 9, 4)
