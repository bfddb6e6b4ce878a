"""`hansa model export`: a model as a file that other programs read."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hansa.cli.command import Command
from hansa.cli.file_options import ArchiveFile, Force, JobOrArchived, require_new
from hansa.cli.job.state import metric_text
from hansa.cli.model.options import RoundOption, TaskOption, Written, write_model
from hansa.protocol.errors import FatalError
from hansa.protocol.sheet import NO_METRIC
from hansa.protocol.text import escape_untrusted
from hansa.protocol.types import Round
from hansa.results import formats
from hansa.results.modules import module_of, module_task, task_of
from hansa.results.source import PublishedJob, open_job
from hansa.tasks.loading import running


class Format(StrEnum):
    SAFETENSORS = "safetensors"
    PT = "pt"
    ONNX = "onnx"


HOW = {
    Format.SAFETENSORS: "safetensors.torch.load_file({file!r})",
    Format.PT: "module.load_state_dict(torch.load({file!r}, weights_only=True))",
    Format.ONNX: "onnxruntime.InferenceSession({file!r})",
}


def run(
    command: Command,
    job: JobOrArchived = None,
    format_: Annotated[
        Format | None,
        typer.Option(
            "--format",
            help="By default what FILE ends with. pt: a state dict for torch; onnx: a graph; both of a module.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="By default job-N-round-R.FORMAT.", metavar="FILE")] = None,
    round_: RoundOption = None,
    task: TaskOption = None,
    data: Annotated[
        str | None,
        typer.Option("--data", help="For onnx: a few rows, as a trainer names them, whose shape the graph takes."),
    ] = None,
    archive: ArchiveFile = None,
    force: Force = False,
) -> None:
    """Write a model for other programs: safetensors, a torch state dict (pt), or a graph of ONNX.

    It is checked against the chain first. safetensors holds what was federated and needs nobody's code; pt and onnx
    hold the whole module, frozen parameters too, and are there for tasks that are a ModuleTask.
    """
    kind = format_ or _format_of(out)
    with open_job(command.workspace, job, archive) as found:
        picked = found.pick(round_)
        path = out or Path(f"job-{found.job}-round-{picked}.{kind}")
        require_new(path, force, [found.archive, data])
        view = write_model(found, picked, path, _encoded(found, picked, kind, task, data), kind)
    command.answer(view, lambda console: show(console, view))


def show(console: Console, view: Written) -> None:
    """Which model the file is, and how it is read."""
    metric = "" if view.metric == NO_METRIC else f", metric {metric_text(view.metric)}"
    console.print(f"{escape_untrusted(view.file)}: model {view.round} of job {view.job}{metric}, {view.cid}")
    console.print(f"read it with {HOW[Format(view.format)].format(file=view.file)}", markup=False)


def _format_of(out: Path | None) -> Format:
    if out is None or not out.suffix:
        return Format.SAFETENSORS
    try:
        return Format(out.suffix[1:].lower())
    except ValueError:
        known = ", ".join(f".{kind}" for kind in Format)
        raise FatalError(
            f"{out} ends with {out.suffix}, which is none of {known}", next_step="name the format with --format"
        ) from None


def _encoded(found: PublishedJob, picked: Round, kind: Format, task: str | None, data: str | None) -> bytes:
    if kind == Format.SAFETENSORS:
        return formats.safetensors(found.model(picked), found.labels(picked))
    made = module_task(found, task_of(found, task), f"a file of {kind}")
    module = module_of(found, made, picked)
    if kind == Format.PT:
        return formats.state_dict(module)
    if data is None:
        raise FatalError("a graph of ONNX is traced on rows", next_step="name a few with --data, as a trainer does")
    with running(made.name, f"loading {data}"):
        rows = made.load(data)
    if not len(rows):
        raise FatalError(f"{data} has no rows", next_step="name one that has, with --data")
    return formats.onnx(made, module, rows)
