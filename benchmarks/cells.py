"""What single runs of a long benchmark gave, kept in a file: a benchmark that was stopped goes on where it was."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hansa.protocol.errors import FatalError


class Cells:
    """One line of JSON a run: its name and what it gave. Without a file, in memory only.

    Results of other code are taken as they are: after a change to what is measured, begin a new file.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.found: dict[str, list[float]] = {}
        self._file = file
        if file is not None and file.exists():
            for number, line in enumerate(file.read_text().splitlines(), 1):
                self._read(file, number, line)

    def fill(self, wanted: Iterable[tuple[str, Callable[[], list[float]]]], seconds: float | None = None) -> None:
        """Runs what is wanted and not there yet, in this order, until the time is up."""
        started = time.monotonic()
        for name, work in wanted:
            if name in self.found:
                continue
            if seconds is not None and time.monotonic() - started > seconds:
                return
            self.keep(name, work())

    def keep(self, name: str, values: list[float]) -> None:
        self.found[name] = values
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a") as out:
                out.write(json.dumps([name, values], ensure_ascii=False) + "\n")

    def _read(self, file: Path, number: int, line: str) -> None:
        try:
            read: Any = json.loads(line)
            name, values = read
            self.found[str(name)] = [float(value) for value in values]
        except (ValueError, TypeError) as error:
            raise FatalError(
                f"line {number} of {file} is no result of a benchmark", cause=error, next_step="delete that line"
            ) from error
