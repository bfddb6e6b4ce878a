"""What `hansa job watch` prints: a line whenever something happened, and in a terminal a bar of the rounds below."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from hansa.cli.job.show import state_data, state_line
from hansa.cli.top.status import seconds_left
from hansa.runtime.history.turn import counts
from hansa.sponsor.terms import in_words

if TYPE_CHECKING:
    from rich.console import Console

    from hansa.cli.command import Here
    from hansa.protocol.types import JobId
    from hansa.runtime.chain.client import Block
    from hansa.runtime.chain.federation import JobState
    from hansa.runtime.session import Session

Moved = Callable[["JobState", "Block"], None]


def follow(here: Here, wire: Session, job: JobId, interval: float) -> None:
    """Until the job is over. JSON: one object a line."""
    rounds = wire.federation.terms(job).max_rounds
    before: tuple[int, ...] = ()
    with _bar(here, rounds) as (say, moved):
        while True:
            at = wire.chain.head()
            state = wire.federation.state(job, at)
            if (now := counts(state)) != before:
                before = now
                say(json.dumps(state_data(state)) if here.json else _line(state, at))
            moved(state, at)
            if state.phase.is_over:
                return
            wire.chain.wait(interval)


def _line(state: JobState, at: Block) -> str:
    return f"[dim]block {at.number}[/]  {state_line(state, at.timestamp)}"


@contextlib.contextmanager
def _bar(here: Here, rounds: int) -> Iterator[tuple[Callable[[str], None], Moved]]:
    """Yields how a line is printed, and what is told of every look."""
    if here.json:
        yield (lambda text: print(text, flush=True)), (lambda state, at: None)
        return
    if not here.console.is_terminal:
        yield here.console.print, (lambda state, at: None)
        return
    with rounds_bar(here.console, rounds) as (say, moved):
        yield say, moved


@contextlib.contextmanager
def rounds_bar(console: Console, rounds: int) -> Iterator[tuple[Callable[[str], None], Moved]]:
    """A bar of the finalised rounds, with the phase and how long it may last."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

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
