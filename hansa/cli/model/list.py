"""`hansa model list`: the models that a job has made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rich.console import Console
from rich.table import Table

from hansa.cli.command import Command
from hansa.cli.document import Metric
from hansa.cli.file_options import ArchiveFile, JobOrArchived
from hansa.cli.job.state import metric_text
from hansa.cli.tables import fitting, shortened, wrapping_table
from hansa.protocol.cid import to_cid
from hansa.protocol.sheet import NO_METRIC
from hansa.protocol.text import escape_untrusted
from hansa.results.source import BEST, PublishedJob, open_job


@dataclass(frozen=True)
class ModelRow:
    round: int
    cid: str
    metric: Metric  # as the committee voted
    ended: int | None  # Unix time of the round's end; None for model 0
    here: bool  # whether the store, or the archive, has the file


@dataclass(frozen=True)
class ModelList:
    job: int
    task: str
    metric_name: str | None
    best: int | None  # the round of the highest metric
    origin: str
    models: list[ModelRow]


def run(command: Command, job: JobOrArchived = None, archive: ArchiveFile = None) -> None:
    """Every model of a job: round, metric, when, CID, and whether its file is at hand."""
    with open_job(command.workspace, job, archive) as found:
        view = view_models(found)
    options = f" --archive {archive}" if archive else command.dir_option
    command.answer(view, lambda console: show(console, view, options))


def view_models(job: PublishedJob) -> ModelList:
    """The sponsor's model and each round's."""
    rows = [ModelRow(0, to_cid(job.digest(0)), NO_METRIC, None, job.store.has(job.digest(0)))]
    for end in job.rounds:
        rows.append(ModelRow(end.round, to_cid(end.model), end.metric, int(end.time), job.store.has(end.model)))
    best = job.pick(BEST) if any(end.metric != NO_METRIC for end in job.rounds) else None
    return ModelList(job.job, job.spec.task, job.spec.metric, best, job.origin, rows)


def show(console: Console, view: ModelList, options: str) -> None:
    """A line a model."""
    console.print(f"[bold]job {view.job}[/]  {escape_untrusted(view.task)}  from {escape_untrusted(view.origin)}")

    def make(short: bool) -> Table:
        table = wrapping_table("round", "metric", "ended", "model", "")
        for row in view.models:
            ended = "" if row.ended is None else datetime.fromtimestamp(row.ended).isoformat(" ", "seconds")
            notes = ["best"] * (row.round == view.best) + ["not here"] * (not row.here)
            table.add_row(str(row.round), metric_text(row.metric), ended, shortened(row.cid, short), ", ".join(notes))
        return table

    console.print(fitting(console, make, False, True)[0])
    if view.best is not None and view.models[view.best].here:
        console.print(f"\n`hansa model get {view.job} --round best{options}` writes the best one's file.")
