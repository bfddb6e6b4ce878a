"""What a benchmark found: as tables on the screen, as JSON, as a picture."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.peers import offered

REPORTS = Path("reports")
COLUMNS = 130  # where the output is no terminal
ACROSS = 3  # plots beside each other
Cell = str | int | float | None


@dataclass
class Section:
    """One table. rows: the first cell is the line's name; floats are shown with `digits` digits."""

    title: str
    columns: list[str]
    rows: list[list[Cell]]
    notes: list[str] = field(default_factory=list)
    digits: int = 2


@dataclass
class Report:
    """What one run of one benchmark measured. plots: as for `draw`. facts: what the JSON tells beside the sections.
    failed: something does not hold that must."""

    name: str
    quick: bool
    sections: list[Section]
    seconds: float = 0.0
    plots: list[Plot] = field(default_factory=list)
    facts: Mapping[str, Any] = field(default_factory=dict)
    failed: bool = False

    def show(self, console: Console | None = None) -> None:
        console = console or Console(width=None if os.isatty(1) else COLUMNS)
        for section in self.sections:
            table = Table(title=section.title, title_justify="left", caption="\n".join(section.notes) or None)
            table.caption_justify = "left"
            for number, column in enumerate(section.columns):
                table.add_column(column, justify="right" if number else "left")
            for row in section.rows:
                table.add_row(*(shown(cell, section.digits) for cell in row))
            console.print(table)
        console.print(f"{self.name}{' --quick' if self.quick else ''}: {self.seconds:.0f} s on {machine()['cpu']}")

    def as_json(self) -> str:
        facts = {"benchmark": self.name, "quick": self.quick, "seconds": round(self.seconds, 1), "machine": machine()}
        facts |= self.facts
        facts["sections"] = [asdict(section) for section in self.sections]
        return json.dumps(facts, indent=1, ensure_ascii=False) + "\n"

    def draw(self, folder: Path = REPORTS) -> Path | None:
        """reports/NAME.png; None where matplotlib is not installed."""
        os.environ.setdefault("MPLBACKEND", "agg")  # no window
        pyplot = offered("matplotlib.pyplot")
        if pyplot is None or not self.plots:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        across = min(ACROSS, len(self.plots))
        down = -(-len(self.plots) // across)
        tallest = max(5.0, *(0.13 * len(plot.labels) * (len(plot.series) + 1) for plot in self.plots))
        figure, axes = pyplot.subplots(down, across, figsize=(7 * across, tallest * down), squeeze=False)
        for axis, plot in zip_longest(axes.flat, self.plots):
            _bars(axis, plot) if plot is not None else axis.set_axis_off()
        figure.tight_layout()
        figure.savefig(folder / f"{self.name}.png", dpi=110)
        pyplot.close(figure)
        return folder / f"{self.name}.png"


@dataclass
class Plot:
    """Groups of bars: a value for each label in each series; line: where a target stands."""

    title: str
    unit: str
    labels: list[str]
    series: Mapping[str, Sequence[float | None]]
    line: float | None = None


def shown(cell: Cell, digits: int = 2) -> str:
    if cell is None:
        return "–"
    return f"{cell:.{digits}f}" if isinstance(cell, float) else str(cell)


def machine() -> dict[str, Any]:
    """What the figures hang on."""
    versions = {name: importlib.metadata.version(name) for name in ("numpy", "torch")}
    return {"cpu": _cpu(), "cores": os.cpu_count(), "python": platform.python_version(), **versions}


def load() -> str:
    """What else the machine is doing: timings suffer from it."""
    return f"{os.getloadavg()[0]:.1f} programs waited for {os.cpu_count()} processors"


def best(times: int, work: Callable[[], object], clock: Callable[[], float]) -> float:
    """Seconds by this clock of the quickest of so many runs, after one that is not counted."""
    work()
    seconds = []
    for _ in range(times):
        started = clock()
        work()
        seconds.append(clock() - started)
    return min(seconds)


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _bars(axis: Any, plot: Plot) -> None:
    width = 0.8 / len(plot.series)
    for number, (name, values) in enumerate(plot.series.items()):
        heights = [value if value is not None else float("nan") for value in values]
        places = [place + (number - (len(plot.series) - 1) / 2) * width for place in range(len(values))]
        axis.barh(places, heights, width, label=name)
    if plot.line is not None:
        axis.axvline(plot.line, color="black", linestyle="--", linewidth=1)
    axis.set_yticks(range(len(plot.labels)), plot.labels)
    axis.invert_yaxis()
    axis.set_title(plot.title)
    axis.set_xlabel(plot.unit)
    axis.legend(fontsize="small")
