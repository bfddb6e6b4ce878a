"""`hansa job watch`: a line whenever something happened, and in a terminal a bar of the rounds below."""

from __future__ import annotations

import contextlib
import functools
import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from hansa.cli.command import Command
from hansa.cli.document import to_json
from hansa.cli.job.rounds import change_text, updates_text
from hansa.cli.job.state import JobNumber, State, rest_lines, state_line
from hansa.cli.top.status import seconds_left
from hansa.protocol.cid import to_cid
from hansa.protocol.errors import HansaError, HistoryMismatch
from hansa.protocol.ledger import RoundLedger
from hansa.protocol.phases import PHASES
from hansa.protocol.text import counted, escape_untrusted
from hansa.protocol.types import Digest, JobId
from hansa.runtime.accounts import names_of_accounts
from hansa.runtime.chain.client import Block
from hansa.runtime.chain.structs import JobState
from hansa.runtime.follower import JobFollower
from hansa.runtime.history.turn import counts
from hansa.runtime.job import JobContext
from hansa.runtime.session import Session, connect
from hansa.runtime.snapshot import check_job
from hansa.runtime.store.local import LocalStore
from hansa.sponsor.terms import in_words

SPEC_SECONDS = 5.0  # that the start waits for the spec

Moved = Callable[[JobState, Block], None]


def run(
    command: Command,
    job: JobNumber,
    interval: Annotated[float, typer.Option("--interval", help="Seconds between two looks.", min=0.1)] = 1.0,
) -> None:
    """Tell what happens in a job until it ends, in a terminal with a bar of its rounds.

    Of each finalised round: its metric and how that changed, and which updates were left out and why. At the end: what
    to do next. --json: one object a line, the job's state whenever that changes.
    """
    session = connect(command.workspace)
    check_job(session.federation, JobId(job))
    follow(command, session, JobId(job), interval)


def follow(command: Command, session: Session, job: JobId, interval: float) -> None:
    """Until the job is over. JSON: one object a line."""
    teller = Teller(command, JobFollower(session.federation, session.store, job))
    rounds = session.federation.terms(job).max_rounds
    before: tuple[Any, ...] = ()
    with _open_bar(command, rounds) as (say, moved):
        for line in teller.first():
            say(line)
        while True:
            state, at = teller.look()
            for line in teller.rounds():
                say(line)
            if (now := counts(state)) != before:
                before = now
                say(json.dumps(to_json(state, State)) if command.json else _line(state, at))
            moved(state, at)
            if state.phase.is_over and teller.has_told_all:
                break
            session.chain.wait(interval)
    for line in teller.what_next(session):
        say(line)


class Teller:
    """What `job watch` tells a person of a job beside its state: each finalised round, and at the end what to do."""

    def __init__(self, command: Command, follower: JobFollower) -> None:
        self._command = command
        self._follower = follower
        self._names = names_of_accounts(command.workspace.keys)
        self._told = 0  # rounds
        self._can_explain = True  # the spec, which says what was left out, can be had

    def first(self) -> Iterator[str]:
        """Who can see one update in this job. Nothing for a program, or where the spec can't be had."""
        if not self._command.json:
            with contextlib.suppress(HansaError):
                followed = self._follower
                context = JobContext.read(followed.federation, followed.store, followed.job, SPEC_SECONDS)
                yield f"[dim]privacy: {context.who_sees}[/]"

    def look(self) -> tuple[JobState, Block]:
        """The job at the newest block."""
        return self._follower.look(), self._follower.head

    @property
    def has_told_all(self) -> bool:
        return self._command.json or self._told >= self._follower.state.round - 1

    def rounds(self) -> Iterator[str]:
        """A line for each round that was finalised since it was asked last. None while a node mixes blocks: the next
        look has them."""
        if self.has_told_all:
            return
        try:
            finalised = self._follower.history().finalised
        except HistoryMismatch:
            return
        ledgers = self._ledgers()
        for number in range(self._told + 1, len(finalised) + 1):
            cycle, outcome = finalised[number - 1]
            metric = change_text(outcome.metric, finalised[number - 2][1].metric if number > 1 else None)
            updates = counted(len(cycle.updates), "update")
            if ledgers is not None:
                updates = updates_text(cycle, ledgers[number - 1], self._names)
            yield f"[bold]round {number} is final[/]: metric {metric}, {updates}"
        self._told = len(finalised)

    def _ledgers(self) -> list[RoundLedger] | None:
        """None where the job's spec can't be had."""
        if not self._can_explain:
            return None
        try:
            return self._follower.ledgers()
        except HansaError:
            self._can_explain = False
            return None

    def what_next(self, session: Session) -> Iterator[str]:
        """When the job is over: what became of the sponsor's rest, and commands for what there is to do. Nothing for a
        program."""
        if self._command.json:
            return
        job, where = self._follower.job, self._command.dir_option
        history = self._follower.read()
        ours = [who for who in (*history.trainers, *history.members(), history.posted.sponsor) if who in self._names]
        name = escape_untrusted(self._names[ours[0]]) if ours else "NAME"
        steps = {"claim what no daemon has": f"hansa wallet claim --job {job} --account {name}{where}"}
        if history.finalised:
            steps |= {
                "see who is paid and why": f"hansa wallet why {name} --job {job}{where}",
                "check every number": f"hansa audit {job}{where}",
                "fetch the last model": fetch_command(history.finalised[-1][1].model, session.deployment.store),
            }
        token = session.token(history.posted.terms.token)
        yield from rest_lines(session.federation.books(job), token)
        yield "next:"
        for what, step in steps.items():
            yield f"  [dim]{what:{max(map(len, steps))}}[/]  {step}"


def fetch_command(model: Digest, store: Mapping[str, str]) -> str:
    """The shell command that fetches a model's file out of the deployment's store."""
    if store["kind"] == "local":
        return f"cp {shlex.quote(str(LocalStore(store['path']).file(model)))} model.safetensors"
    return f"ipfs --api {shlex.quote(store['api'])} cat {to_cid(model)} > model.safetensors"


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
            progress.update(task, completed=state.round - 1, description=PHASES[state.phase].title, left=said)

        yield progress.console.print, moved
