"""`hansa model get`: a model's own file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hansa.cli.command import Command
from hansa.cli.model.options import ArchiveFile, Force, Job, RoundOption, Written, check_new, write
from hansa.protocol.cid import to_cid
from hansa.results.source import open_job


def run(
    command: Command,
    job: Job = None,
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
        check_new(path, force)
        data = found.model(picked).encode()
        write(path, data)
        metric = found.metric(picked)
        cid = to_cid(found.digest(picked))
        told = None if metric is None else metric / 1e9
        view = Written(found.job, picked, cid, told, str(path), len(data), "safetensors", found.origin)
    command.answer(view, lambda console: console.print(f"{path}: model {picked} of job {view.job}, {cid}"))
