"""`hansa top`: a job as it runs, on one screen. Reads the chain alone; q or Ctrl-C ends it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from hansa.cli.command import Command
from hansa.cli.job.state import JobNumber
from hansa.cli.top.screen import screen
from hansa.cli.top.status import JobStatus, job_status, seconds_left
from hansa.protocol.errors import TransientError
from hansa.protocol.types import Address, JobId
from hansa.runtime import stopping
from hansa.runtime.accounts import names_of_accounts
from hansa.runtime.amounts import Token
from hansa.runtime.follower import JobFollower
from hansa.runtime.session import Session, connect
from hansa.runtime.snapshot import check_job, with_ledgers

KEYS = "q ends"


def run(
    command: Command,
    job: JobNumber,
    interval: Annotated[
        float, typer.Option("--interval", help="Seconds between two looks at the chain.", min=0.1, max=60)
    ] = 1.0,
) -> None:
    """Watch a job live: phase, who is waited for, metric, shares, validators, money.

    q or Ctrl-C ends it. A pipe gets one look as plain lines, --json one look as an object.
    """
    session = connect(command.workspace)
    watcher = Watcher(session, JobId(job), names_of_accounts(command.workspace.keys))
    status = watcher.first_look()
    token = session.token(status.token)
    if command.json or not sys.stdout.isatty():
        command.answer(status, lambda console: console.print(screen(status, token, width=console.width, height=None)))
        return
    console = Console(highlight=False)
    try:
        _show_live(console, watcher, token, interval)
    except stopping.Stopped as stopped:
        if stopped.number != signal.SIGINT:
            raise
    if watcher.is_over:
        console.print(screen(watcher.look(), token, width=console.width, height=None))


class Watcher:
    """A job, read again whenever there is a new block; keeps what it has read."""

    def __init__(self, session: Session, job: JobId, names: dict[Address, str]) -> None:
        check_job(session.federation, job)
        self._names = names
        self._follower = JobFollower(session.federation, session.store, job)
        self._misvoted: tuple[bytes, list[int]] = (b"", [])
        self._seen = b""  # the block that the status is of
        self._status: JobStatus | None = None
        self.trouble = ""  # why the last look failed; "" where it did not

    def first_look(self) -> JobStatus:
        """Raises what keeps it from looking."""
        self._read()
        return self._add_age()

    def look(self) -> JobStatus:
        """The job now; what was seen last, and `trouble`, where chain or store fail for a while."""
        try:
            self._read()
            self.trouble = ""
        except TransientError as error:
            self.trouble = str(error)
        return self._add_age()

    @property
    def is_over(self) -> bool:
        return self._status is not None and self._status.state.phase.is_over

    def _read(self) -> None:
        follower = self._follower
        follower.read()
        if follower.head.hash == self._seen:
            return
        view = with_ledgers(follower)
        if self._misvoted[0] != view.state.history:
            self._misvoted = (view.state.history, view.misvoted())
        books = follower.federation.books(view.job, view.at)
        self._status = job_status(view, books, self._names, self._misvoted[1])
        self._seen = view.at.hash

    def _add_age(self) -> JobStatus:
        """With the seconds that pass between blocks."""
        status = self._status
        assert status is not None
        age = max(0, int(time.time()) - status.timestamp)
        return replace(status, age=age, seconds_left=seconds_left(status.state, status.timestamp))


def _show_live(console: Console, watcher: Watcher, token: Token, interval: float) -> None:
    """Until q, Ctrl-C, or the job's end."""
    status = watcher.look()
    with _keys() as pressed, Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            note = f"{KEYS} · looking again: {watcher.trouble}" if watcher.trouble else KEYS
            live.update(screen(status, token, width=console.width, height=console.height, note=note), refresh=True)
            if watcher.is_over or pressed(interval):
                return
            status = watcher.look()


@contextlib.contextmanager
def _keys() -> Iterator[Callable[[float], bool]]:
    """Yields a wait of so many seconds that is True as soon as q is pressed; the terminal is as before afterwards."""
    if not sys.stdin.isatty():

        def never(seconds: float) -> bool:
            time.sleep(seconds)
            return False

        yield never
        return
    import termios  # Unix alone has these two
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)

    def pressed(seconds: float) -> bool:
        end = time.monotonic() + seconds
        while select.select([terminal], [], [], max(0.0, end - time.monotonic()))[0]:
            if os.read(terminal, 64).lower() in (b"q", b"\x1b", b""):
                return True
        return False

    tty.setcbreak(terminal)
    try:
        yield pressed
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
