"""Options that both daemons take, and what is checked before one starts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cli.wire import Wire

JobOption = Annotated[int, typer.Option("--job", help="The job's number.")]
Allow = Annotated[
    list[str] | None,
    typer.Option("--allow", help="Trust this token, committee, admission (address) or task too; repeat it."),
]
TaskFile = Annotated[Path | None, typer.Option("--task-file", help="Your copy of a task that is not built in.")]
MaxBytes = Annotated[int, typer.Option("--max-bytes", help="Largest model or update file to handle.", min=1)]
Threads = Annotated[int, typer.Option("--threads", help="torch threads.", min=1)]
LogFile = Annotated[Path | None, typer.Option("--log-file", help="JSON lines go there; to standard error by default.")]


def prepare_run(wire: Wire, job: int) -> None:
    """FatalError for a job that is not there, has ended, or has phases too short for the confirmations."""
    from cli.books import check_job
    from cli.doctor import too_short
    from protocol.errors import FatalError
    from protocol.types import JobId

    check_job(wire.federation, JobId(job))
    problem = too_short(wire.federation.terms(JobId(job)), wire.deployment.confirmations)
    if problem:
        raise FatalError(f"job {job} can't be kept up with", cause=problem)
