"""`hansa model predict`: what a job's model says of new data."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from hansa.cli.command import Command
from hansa.cli.document import AsJson
from hansa.cli.file_options import ArchiveFile, Force, JobOrArchived, require_new
from hansa.cli.job.export_table import inert
from hansa.cli.model.options import RoundOption, TaskOption
from hansa.protocol.errors import FatalError
from hansa.protocol.text import counted, escape_untrusted
from hansa.protocol.types import Round
from hansa.results.modules import task_of
from hansa.results.source import PublishedJob, open_job
from hansa.runtime.files import write_file
from hansa.tasks.base import Task
from hansa.tasks.loading import running
from hansa.tasks.modules.task import ModuleTask

Row = dict[str, Any]
PREDICTION = "prediction"
LONGEST_TEXT = 10_000  # characters of a cell


@dataclass(frozen=True)
class Predictions:
    job: int
    round: int
    input: str
    rows: Annotated[list[Row], AsJson(list)]


def run(
    command: Command,
    job: JobOrArchived = None,
    source: Annotated[
        str,
        typer.Option("--input", help="What the task's predict() reads: a .csv, .npy, .png, a folder.", metavar="FILE"),
    ] = "",
    round_: RoundOption = None,
    task: TaskOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the CSV there instead of printing it.", metavar="FILE")
    ] = None,
    archive: ArchiveFile = None,
    force: Force = False,
) -> None:
    """What a job's model says of new data: a line of CSV for each row of the input.

    For tasks that have predict(); docs/tasks.md says how to write one.
    """
    if not source:
        raise FatalError("no input is named", next_step="name a file with --input")
    with open_job(command.workspace, job, archive) as found:
        if out is not None:
            require_new(out, force, [found.archive, source])
        picked = found.pick(round_)
        rows = predictions(found, task_of(found, task), picked, source)
        view = Predictions(found.job, picked, source, rows)
    if out is not None:
        write_file(out, as_csv(rows).encode())
        told = f"{escape_untrusted(str(out))}: {counted(len(rows), 'row')}, model {picked} of job {view.job}"
        command.answer(view, lambda console: console.print(told))
    else:
        command.answer(view, lambda console: print(as_csv(rows), end=""))


def predictions(job: PublishedJob, task: Task, round_: Round, source: str) -> list[Row]:
    """What the task's predict() says of `source`, a dict a row; FatalError where it has none."""
    predict = getattr(task, "predict", None)
    if not callable(predict):
        raise FatalError(
            f"task {job.spec.task} has no predict()", next_step="give it one: docs/tasks.md, or use hansa.load_model"
        )
    params = job.model(round_).tensors
    with running(task.name, f"predicting {source}"):
        if isinstance(task, ModuleTask):
            import torch

            with torch.no_grad():
                said = predict(task.module_at(params), source)
        else:
            said = predict(dict(params), source)
        rows = predicted(task.name, said)
    if not rows:
        raise FatalError(f"{source} has no rows", next_step="name a file that has at least one, with --input")
    return rows


def predicted(task: str, said: Any) -> list[Row]:
    """A dict a row, of whatever predict() may return: dicts, values, or an array of one or two dimensions."""
    if hasattr(said, "detach"):
        said = said.detach().cpu().numpy()
    if isinstance(said, np.ndarray):
        said = said.tolist()
    if isinstance(said, str | bytes | Mapping) or not isinstance(said, Sequence):
        raise FatalError(
            f"predict() of task {task} returned {type(said).__name__}",
            next_step="return a list with one entry for each row: a dict, a value, or a list of values",
        )
    return [_row(each) for each in said]


def _row(each: Any) -> Row:
    if isinstance(each, Mapping):
        return {str(name): _plain(value) for name, value in each.items()}
    if isinstance(each, list | tuple):
        return {f"{PREDICTION} {number}": _plain(value) for number, value in enumerate(each, 1)}
    return {PREDICTION: _plain(each)}


def _plain(value: Any) -> Any:
    """A value as JSON and CSV hold it."""
    value = value.item() if hasattr(value, "item") else value
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _cell(value: Any) -> Any:
    return inert(value, LONGEST_TEXT) if isinstance(value, str) else value


def as_csv(rows: Sequence[Row]) -> str:
    """A header of every name in order of appearance, then a line a row. No text in it is a formula to a spreadsheet."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow([inert(name) for name in names])
    table.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return out.getvalue()
