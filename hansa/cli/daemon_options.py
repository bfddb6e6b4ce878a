"""Options that both daemons take, and what is checked before one starts."""

from __future__ import annotations

import functools
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer

from hansa.cli.command import in_panel
from hansa.protocol.errors import ChainUnavailable, FatalError, HansaError, StoreUnavailable
from hansa.protocol.types import JobId, Phase
from hansa.runtime import stopping
from hansa.runtime.chain.rpc import AllFailed, NodeError, Nonsense
from hansa.runtime.chain.timing import pace_of, too_short
from hansa.runtime.daemon import Daemon
from hansa.runtime.pair import Pair
from hansa.runtime.session import Session
from hansa.runtime.snapshot import check_job
from hansa.sponsor.terms import seconds

TRUST, RUN = in_panel("What to accept"), in_panel("How to run")

JobOption = Annotated[int, typer.Option("--job", help="The job's number.")]
KeepModels = Annotated[
    int | None,
    typer.Option(
        "--keep-models",
        help="So many of the last models stay pinned; all by default. For a node that this daemon has to itself: what "
        "it lets go, the node's other daemons lose.",
        min=3,
    ),
]
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds


@dataclass(frozen=True)
class DaemonOptions:
    allow: Annotated[
        list[str] | None,
        TRUST("--allow", help="Trust this token, committee, admission (address) or task too; repeat it."),
    ] = None
    task_file: Annotated[Path | None, TRUST("--task-file", help="Your copy of a task that is not built in.")] = None
    max_bytes: Annotated[int, TRUST("--max-bytes", help="Largest model or update file to handle.", min=1)] = 2**30
    min_claim: Annotated[
        str,
        TRUST(
            "--min-claim", help="Refuse a job that leaves less time after its end to claim what was earned, like 30m."
        ),
    ] = "1h"
    device: Annotated[
        str, RUN("--device", help="Where a torch module computes: auto (a GPU where there is one), cpu, cuda:1, mps.")
    ] = "auto"
    threads: Annotated[int, RUN("--threads", help="torch threads.", min=1)] = 1
    log_file: Annotated[Path | None, RUN("--log-file", help="JSON lines go there; to standard error by default.")] = (
        None
    )
    metrics: Annotated[
        str | None,
        RUN(
            "--metrics",
            help="Answer /metrics and /healthz there; port 0: any free one, logged. Off by default.",
            metavar="HOST:PORT",
        ),
    ] = None

    def fields(self) -> dict[str, Any]:
        """What a daemon's configuration takes of them, by its fields. FatalError for a --min-claim that is none."""
        return {
            "max_bytes": self.max_bytes,
            "min_claim": seconds(self.min_claim),
            "device": self.device,
            "threads": self.threads,
            "task_file": self.task_file,
            "allow": frozenset(self.allow or ()),
            "log_file": self.log_file,
        }


P = ParamSpec("P")


def as_service(run: Callable[P, None]) -> Callable[P, None]:
    """A command that a signal ends well: with status 0 and a last line, wherever it is."""

    @functools.wraps(run)
    def served(*arguments: P.args, **named: P.kwargs) -> None:
        stopping.ends_well()
        try:
            run(*arguments, **named)
        except stopping.Stopped as stopped:
            stopping.say(stopped)

    return served


def await_chain(session: Session) -> None:
    """Waits, with one line on standard error, while no RPC endpoint can be reached. A node of another chain, or one
    that answers nonsense, ends it at once."""

    def is_wrong(error: HansaError) -> bool:
        failures = error.failures if isinstance(error, AllFailed) else [error]
        return any(isinstance(failure, Nonsense | NodeError) for failure in failures)

    _await(session.chain.head, ChainUnavailable, is_wrong)


def await_store(session: Session, job: int) -> None:
    """Waits in the same way while the store does not answer. Whether it has the job's spec is asked later."""
    spec = session.federation.terms(JobId(job)).spec
    _await(lambda: session.store.has(spec), StoreUnavailable, lambda error: False)


def _await(look: Callable[[], object], unavailable: type[HansaError], is_wrong: Callable[[HansaError], bool]) -> None:
    """Until `look` does not raise `unavailable` any more, or one that waiting can't help; says why it waits, once."""
    told, pause = False, FIRST_PAUSE
    while True:
        try:
            look()
            return
        except unavailable as error:
            if is_wrong(error):
                raise
            if not told:
                print(f"hansa: {error}; waiting for it (Ctrl-C stops)", file=sys.stderr, flush=True)
            told = True
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, LONGEST_PAUSE)


def prepare_run(session: Session, job: int) -> None:
    """Waits for chain and store. FatalError for a job that is not there, or is too fast for its chain."""
    await_chain(session)
    check_job(session.federation, JobId(job))
    check_pace(session, JobId(job))
    await_store(session, job)


def check_pace(session: Session, job: JobId) -> None:
    """FatalError for a job that is too fast for the chain and the deployment's confirmations, while it enrols. Later it
    is told: who is in it goes on, however slow the chain is today."""
    problem = too_short(session.federation.terms(job), pace_of(session.chain))
    if problem is None:
        return
    slow = FatalError(f"job {job} can't be kept up with", cause=problem)
    if session.federation.state(job, session.chain.head()).phase == Phase.ENROL:
        raise slow
    print(f"hansa: {slow}", file=sys.stderr, flush=True)


def run_daemon(daemon: Daemon | Pair, metrics: str | None, relay: str | None = None) -> None:
    """Runs it to its end, with its metrics and a relay served where they are asked for."""
    try:
        if metrics is not None:
            daemon.serve_metrics(metrics)
        if relay is not None and isinstance(daemon, Daemon):
            daemon.serve_relay(relay)
    except BaseException:
        daemon.close()
        raise
    daemon.run()
