"""The demo while it runs: the rounds so far, and what is being waited for. Plain lines where nobody watches."""

from __future__ import annotations

import time
from dataclasses import dataclass

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hansa.cli.job.rounds import change_text
from hansa.cli.job.state import state_line
from hansa.runtime.chain.structs import JobState

SHOWN = 8  # last rounds on the screen
WIDE = 110  # columns from which models are named


@dataclass(frozen=True)
class FinishedRound:
    """One finalised round, for people."""

    round: int
    model: str  # CID
    metric: int  # 1e-9
    before: int | None  # the metric of the round before
    updates: str  # how many, and why some were left out
    failures: int  # cycles of this round that failed before
    seconds: float


class View:
    """Shows progress on `console`. Refreshes only when told: it starts no thread."""

    def __init__(self, console: Console, title: str, rounds: int) -> None:
        self._console = console
        self._title = title
        self.rounds = rounds
        self._lines: list[FinishedRound] = []
        self._started = time.monotonic()
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> View:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live is not None:
            self._live.stop()

    def step(self, text: str) -> None:
        """Something that happens before or after the rounds; '' ends the display."""
        if self._live is not None:
            self._live.update(self._screen(text), refresh=True)
        elif text:
            self._console.print(f"[dim]{self._elapsed():6.1f} s[/]  {text}", soft_wrap=True)

    def round(self, line: FinishedRound) -> None:
        """A round was finalised."""
        self._lines.append(line)
        if self._live is not None:
            self._live.update(self._screen(""), refresh=True)
        else:
            self._console.print(
                f"[dim]{self._elapsed():6.1f} s[/]  round {line.round}/{self.rounds}: "
                f"metric {change_text(line.metric, line.before)}, model {line.model}, {line.updates}{_failures(line)}",
                soft_wrap=True,
            )

    def warn(self, text: str) -> None:
        """Something that should not happen; stays on the screen."""
        self._console.print(f"[yellow]{text}[/]", soft_wrap=True)

    def state(self, state: JobState, now: int) -> None:
        """The job as it is; only for a screen."""
        if self._live is not None:
            self._live.update(self._screen(state_line(state, now)), refresh=True)

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _screen(self, status: str) -> Group:
        header = Text.assemble((self._title, "bold"), f"   {self._elapsed():.0f} s")
        if not self._lines:
            return Group(header, Text(f"  {status}", style="cyan"))
        table = Table(box=None, padding=(0, 2, 0, 0))
        wide = self._console.width >= WIDE
        for name in ("round", "metric", "seconds"):
            table.add_column(name, justify="right", no_wrap=True)
        if wide:
            table.add_column("model", style="dim", no_wrap=True)
        table.add_column("updates")
        for line in self._lines[-SHOWN:]:
            table.add_row(
                f"{line.round}/{self.rounds}",
                change_text(line.metric, line.before),
                f"{line.seconds:.1f}",
                *([line.model] if wide else []),
                line.updates + _failures(line),
            )
        return Group(header, table, Text(f"  {status}", style="cyan"))


def _failures(line: FinishedRound) -> str:
    return f" (after {line.failures} failed)" if line.failures else ""
