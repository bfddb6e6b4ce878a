"""`hansa model get`: a model's own file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hansa.cli.command import Command
from hansa.cli.file_options import ArchiveFile, Force, JobOrArchived, require_new
from hansa.cli.model.options import RoundOption, write_model
from hansa.protocol.text import escape_untrusted
from hansa.results.source import open_job


def run(
    command: Command,
    job: JobOrArchived = None,
    round_: RoundOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="By default job-N-round-R.safetensors.", metavar="FILE")
    ] = None,
    archive: ArchiveFile = None,
    force: Force = False,
) -> None:
    """Write a model's own file, the bytes that its CID names: safetensors, with its job, round and parent.

    They are checked against the chain before they are written.
    """
    with open_job(command.workspace, job, archive) as found:
        picked = found.pick(round_)
        path = out or Path(f"job-{found.job}-round-{picked}.safetensors")
        require_new(path, force, [found.archive])
        view = write_model(found, picked, path, found.model(picked).encode(), "safetensors")
    told = f"{escape_untrusted(view.file)}: model {view.round} of job {view.job}, {view.cid}"
    command.answer(view, lambda console: console.print(told))
