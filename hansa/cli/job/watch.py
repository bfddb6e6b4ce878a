"""`hansa job watch`: a line whenever something happened, and in a terminal a bar of the rounds below."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from hansa.cli.command import Command
from hansa.cli.document import to_json
from hansa.cli.job.state import JobNumber, State, state_line
from hansa.cli.top.status import seconds_left
from hansa.protocol.types import JobId
from hansa.runtime.chain.client import Block
from hansa.runtime.chain.structs import JobState
from hansa.runtime.history.turn import counts
from hansa.runtime.session import Session, connect
from hansa.runtime.snapshot import check_job
from hansa.sponsor.terms import in_words

Moved = Callable[[JobState, Block], None]


def run(
    command: Command,
    job: JobNumber,
    interval: Annotated[float, typer.Option("--interval", help="Seconds between two looks.", min=0.1)] = 1.0,
) -> None:
    """Tell what happens in a job until it ends, in a terminal with a bar of its rounds.

    --json: one object a line.
    """
    session = connect(command.workspace)
    check_job(session.federation, JobId(job))
    follow(command, session, JobId(job), interval)


def follow(command: Command, session: Session, job: JobId, interval: float) -> None:
    """Until the job is over. JSON: one object a line."""
    rounds = session.federation.terms(job).max_rounds
    before: tuple[Any, ...] = ()
    with _open_bar(command, rounds) as (say, moved):
        while True:
            at = session.chain.head()
            state = session.federation.state(job, at)
            if (now := counts(state)) != before:
                before = now
                say(json.dumps(to_json(state, State)) if command.json else _line(state, at))
            moved(state, at)
            if state.phase.is_over:
                return
            session.chain.wait(interval)


def _line(state: JobState, at: Block) -> str:
    return f"[dim]block {at.number}[/]  {state_line(state, at.timestamp)}"


@contextlib.contextmanager
def _open_bar(command: Command, rounds: int) -> Iterator[tuple[Callable[[str], None], Moved]]:
    """Yields how a line is printed, and what is told of every look: in a terminal a bar of the finalised rounds, with
    the phase and how long it may last."""
    console = command.console
    if command.json or not console.is_terminal:
        yield (functools.partial(print, flush=True) if command.json else console.print), lambda state, at: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("rounds{task.fields[left]}"),
    )
    with Progress(*columns, console=console, expand=True) as progress:
        task = progress.add_task("", total=rounds, left="")

        def moved(state: JobState, at: Block) -> None:
            left = seconds_left(state, at.timestamp)
            said = f", {in_words(left)} left" if left else ""
            progress.update(task, completed=state.round - 1, description=state.phase.name, left=said)

        yield progress.console.print, moved
