"""`hansa top`: a job as it runs, on one screen. Reads the chain alone; q or Ctrl-C ends it."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hansa.cli.command import Here
from hansa.protocol.types import JobId

if TYPE_CHECKING:
    from rich.console import Console

    from hansa.runtime.amounts import Token
    from hansa.runtime.chain.client import Block
    from hansa.runtime.session import Session

KEYS = "q ends"


def top(
    here: Here,
    job: Annotated[int, typer.Argument(help="The job's number.", metavar="JOB")],
    interval: Annotated[
        float, typer.Option("--interval", help="Seconds between two looks at the chain.", min=0.1, max=60)
    ] = 1.0,
) -> None:
    """Watch a job live: phase, who is waited for, metric, shares, validators, money.

    q or Ctrl-C ends it. A pipe gets one look as plain lines, --json one look as an object.
    """
    from hansa.cli.top.screen import screen
    from hansa.runtime.session import connect

    wire = connect(here)
    watcher = Watcher(wire, JobId(job), names_of(here))
    data = watcher.first_look()
    token = wire.token(data["token"])
    if here.json or not sys.stdout.isatty():
        here.answer(data, lambda console: console.print(screen(data, token, width=console.width, height=None)))
        return
    from rich.console import Console

    console = Console(highlight=False)
    with contextlib.suppress(KeyboardInterrupt):
        _live(console, watcher, token, interval)
    if watcher.is_over:
        console.print(screen(watcher.look(), token, width=console.width, height=None))


def names_of(here: Here) -> dict[Any, str]:
    """What this directory calls the accounts that it holds keystores of."""
    from eth_utils.address import to_checksum_address

    from hansa.runtime.accounts import keystores

    found: dict[Any, str] = {}
    for path, address in keystores(here.keys):
        if address is not None:
            found[to_checksum_address(address)] = path.stem
    return found


class Watcher:
    """A job, read again whenever there is a new block; keeps what it has read."""

    def __init__(self, wire: Session, job: JobId, names: dict[Any, str]) -> None:
        from hansa.runtime.history.reader import HistoryReader
        from hansa.runtime.job import JobContext
        from hansa.runtime.snapshot import check_job

        check_job(wire.federation, job)
        self._federation = wire.federation
        self._job, self._names = job, names
        self._context = JobContext.read(wire.federation, wire.store, job)
        self._reader = HistoryReader(wire.federation, job)
        self._replay: Any = None
        self._misvoted: tuple[bytes, list[int]] = (b"", [])
        self._at: Block | None = None
        self._state: Any = None
        self.trouble = ""  # why the last look failed; "" where it did not
        self.data: dict[str, Any] = {}

    def first_look(self) -> dict[str, Any]:
        """Raises what keeps it from looking."""
        from hansa.runtime.snapshot import retry_while_mixed

        retry_while_mixed(self._read)
        return self._aged()

    def look(self) -> dict[str, Any]:
        """The job now; what was seen last, and `trouble`, where chain or store fail for a while."""
        from hansa.protocol.errors import TransientError

        try:
            self._read()
            self.trouble = ""
        except TransientError as error:
            self.trouble = str(error)
        return self._aged()

    @property
    def is_over(self) -> bool:
        return bool(self._state.phase.is_over)

    def _read(self) -> None:
        from hansa.cli.top.status import standing
        from hansa.runtime.replay import Replay
        from hansa.runtime.snapshot import FullSnapshot

        at = self._federation.chain.head()
        if self._at is not None and at.hash == self._at.hash:
            return
        history = self._reader.read(at, self._federation.state(self._job, at))
        state = self._reader.state
        assert state is not None
        if self._replay is None or not self._replay.rounds:  # enrolment is over once there are some
            self._replay = Replay(self._context, self._context.weights(history.enrolled))
        view = FullSnapshot(self._job, at, state, history, self._replay.follow(history), self._context)
        if self._misvoted[0] != state.last_result:
            self._misvoted = (state.last_result, view.misvoted())
        books = self._federation.books(self._job, at)
        self.data = standing(view, books, self._names, self._misvoted[1])
        self._at, self._state = at, state

    def _aged(self) -> dict[str, Any]:
        """With the seconds that pass between blocks."""
        from hansa.cli.top.status import seconds_left

        assert self._at is not None
        stamp = self._at.timestamp
        return self.data | {
            "age": max(0, int(time.time()) - stamp),
            "seconds_left": seconds_left(self._state, stamp),
        }


def _live(console: Console, watcher: Watcher, token: Token, interval: float) -> None:
    """Until q, Ctrl-C, or the job's end."""
    from rich.live import Live

    from hansa.cli.top.screen import screen

    data = watcher.look()
    with _keys() as pressed, Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            note = f"{KEYS} · looking again: {watcher.trouble}" if watcher.trouble else KEYS
            live.update(screen(data, token, width=console.width, height=console.height, note=note), refresh=True)
            if watcher.is_over or pressed(interval):
                return
            data = watcher.look()


@contextlib.contextmanager
def _keys() -> Iterator[Callable[[float], bool]]:
    """Yields a wait of so many seconds that is True as soon as q is pressed; the terminal is as before afterwards."""
    if not sys.stdin.isatty():

        def never(seconds: float) -> bool:
            time.sleep(seconds)
            return False

        yield never
        return
    import termios
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
