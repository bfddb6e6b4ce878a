"""Options that both daemons take, and what is checked before one starts."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cli.wire import Wire
    from protocol.daemon import Daemon

JobOption = Annotated[int, typer.Option("--job", help="The job's number.")]
Allow = Annotated[
    list[str] | None,
    typer.Option("--allow", help="Trust this token, committee, admission (address) or task too; repeat it."),
]
TaskFile = Annotated[Path | None, typer.Option("--task-file", help="Your copy of a task that is not built in.")]
MaxBytes = Annotated[int, typer.Option("--max-bytes", help="Largest model or update file to handle.", min=1)]
Threads = Annotated[int, typer.Option("--threads", help="torch threads.", min=1)]
LogFile = Annotated[Path | None, typer.Option("--log-file", help="JSON lines go there; to standard error by default.")]

MetricsAt = Annotated[
    str | None,
    typer.Option(
        "--metrics",
        help="Answer /metrics and /healthz there; port 0: any free one, logged. Off by default.",
        metavar="HOST:PORT",
    ),
]

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds


def await_chain(wire: Wire, pause: float = FIRST_PAUSE) -> None:
    """Waits, with one line on standard error, while no RPC endpoint can be reached. A node of another chain, or one
    that answers nonsense, ends it at once."""
    told = False
    from protocol.chain.rpc import AllFailed, NodeError, Nonsense
    from protocol.errors import ChainUnavailable

    while True:
        try:
            wire.chain.head()
        except ChainUnavailable as error:
            failures = error.failures if isinstance(error, AllFailed) else [error]
            if any(isinstance(failure, Nonsense | NodeError) for failure in failures):
                raise
            if not told:
                print(f"hansa: {error}; waiting for it (Ctrl-C stops)", file=sys.stderr, flush=True)
            told = True
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, LONGEST_PAUSE)
        else:
            return


def prepare_run(wire: Wire, job: int) -> None:
    """Waits for a chain. FatalError for a job that is not there, has ended, or is too fast for the confirmations."""
    from cli.books import check_job
    from cli.checks import too_short
    from protocol.errors import FatalError
    from protocol.types import JobId

    await_chain(wire)
    check_job(wire.federation, JobId(job))
    problem = too_short(wire.federation.terms(JobId(job)), wire.deployment.confirmations)
    if problem:
        raise FatalError(f"job {job} can't be kept up with", cause=problem)


def run_daemon(daemon: Daemon, metrics: str | None) -> None:
    """Runs it to its end, with its metrics served where they are asked for."""
    try:
        if metrics is not None:
            daemon.serve_metrics(metrics)
    except BaseException:
        daemon.close()
        raise
    daemon.run()
