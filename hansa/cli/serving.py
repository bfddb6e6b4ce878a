"""`--jobs all` and `--jobs 1,2`: one daemon's process for many jobs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from hansa.cli.daemon_options import DaemonOptions, await_chain, check_pace
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address, JobId
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.daemon import Daemon
from hansa.runtime.job import JobContext, check_contracts
from hansa.runtime.log import open_log
from hansa.runtime.service import Service
from hansa.runtime.session import Session
from hansa.runtime.snapshot import check_job
from hansa.runtime.workspace import Workspace
from hansa.tasks import defaults

OneJob = Annotated[int | None, typer.Option("--job", help="The job's number; or --jobs.")]
ManyJobs = Annotated[
    str | None,
    typer.Option(
        "--jobs",
        help="Serve many jobs, one after the other: numbers like 1,2, until those have ended; or all that --allow, "
        "--task-file and deployment.json take, and wait for the next.",
        metavar="all|1,2",
    ),
]
LOOK_SECONDS = 5.0  # that the store has for a job's spec

Make = Callable[[JobId, Deployment, bool], Daemon | None]
"""A job's daemon by its number, the deployment as it is now, and whether its user named it: None where it was not, and
has nothing for the account."""


def chosen_jobs(job: int | None, jobs: str | None) -> list[JobId] | None:
    """The job or jobs that are named; None for all. FatalError unless exactly one of the options is given."""
    if (job is None) == (jobs is None):
        raise FatalError(
            "which job is not said" if job is None else "--job and --jobs are both given",
            next_step="give --job N, --jobs 1,2 or --jobs all",
        )
    if job is not None:
        return [JobId(job)]
    assert jobs is not None
    if jobs.strip() == "all":
        return None
    try:
        numbers = [int(part) for part in jobs.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        raise FatalError(f"--jobs {jobs!r} names no jobs", next_step="write it like 1,2, or all")
    return [JobId(number) for number in dict.fromkeys(numbers)]


@dataclass
class Listing:
    """The jobs that a user wants served: those named, or, where none is, every job of the deployment."""

    session: Session
    workspace: Workspace
    options: DaemonOptions
    numbers: list[JobId] | None
    make: Make

    @property
    def waits(self) -> bool:
        return self.numbers is None

    def jobs(self) -> Sequence[JobId]:
        if self.numbers is not None:
            return self.numbers
        return [JobId(number) for number in range(1, self.session.federation.job_count() + 1)]

    def edition(self) -> Hashable:
        """The allow-list of deployment.json: `hansa job post` adds to it while this runs."""
        return self.workspace.deployment().allowed.model_dump_json()

    def begin(self, job: JobId) -> Daemon | None:
        check_job(self.session.federation, job)
        allowed = self.workspace.deployment().allowed
        deployment = self.session.deployment.model_copy(update={"allowed": allowed})
        return self.make(job, deployment, self.numbers is not None)

    def check(self, job: JobId, deployment: Deployment) -> None:
        """FatalError, before a journal is made, for a job that the user's list does not take, or that is too fast."""
        check_pace(self.session, job)
        options, session = self.options, self.session
        allow = frozenset(options.allow or ())
        check_contracts(job, session.federation.terms(job), deployment, allow)  # before anybody's file is asked for
        context = JobContext.read(session.federation, session.store, job, LOOK_SECONDS)
        context.check_allowed(session.chain, deployment, allow, options.max_bytes)
        defaults(
            context.spec.task,
            task_digest=context.spec.task_digest,
            task_file=options.task_file,
            allowed={*deployment.allowed.tasks, *allow},
        )


def serve(listing: Listing, daemon: str, account: Address, most: int | None = None, relay: str | None = None) -> None:
    """Serves the jobs of a listing until they have ended, or for ever. relay: where it sends what trainers signed."""
    options = listing.options
    await_chain(listing.session)
    log = open_log(options.log_file, daemon=daemon, account=account)
    service = Service(listing.session.chain, listing, log, most)
    try:
        if options.metrics is not None:
            service.serve_metrics(options.metrics)
        if relay is not None:
            service.serve_relay(relay, listing.session.federation)
    except BaseException:
        service.close()
        raise
    service.run()
