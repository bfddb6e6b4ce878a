"""The jobs of one account: found on chain first, then read as far as each can be. No job of others is read."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from hansa.cli.document import HIDDEN
from hansa.protocol.errors import ChainUnavailable, HansaError
from hansa.protocol.types import Address, JobId
from hansa.runtime.chain.abi import BadEncoding, artifact
from hansa.runtime.chain.client import Block
from hansa.runtime.chain.federation import Federation
from hansa.runtime.chain.rpc import Nonsense
from hansa.runtime.chain.structs import address
from hansa.runtime.follower import JobFollower
from hansa.runtime.session import Session
from hansa.runtime.snapshot import JobSnapshot, SettledSnapshot, check_job, read_snapshot, with_ledgers, without_rounds


@dataclass(frozen=True)
class Problem:
    """Why something of one job can't be read or claimed; whatever else there is goes on without it."""

    job: JobId
    why: str
    is_grave: Annotated[bool, HIDDEN]  # whoever asked did not get all that is its own

    def __str__(self) -> str:
        return f"job {self.job}: {self.why}"


def jobs_of(federation: Federation, account: Address) -> list[JobId]:
    """The jobs that `account` sponsors, is enrolled in, or ever had a seat of, oldest first. Needs no file."""
    head = federation.chain.head()
    jobs = [JobId(number) for number in range(1, federation.job_count() + 1)]
    sponsored = {
        job for job, state in zip(jobs, federation.states(jobs, head), strict=True) if state.sponsor == account
    }
    return sorted(sponsored | federation.enrolments(account, jobs, head) | _find_seated(federation, account, head))


def _find_seated(federation: Federation, account: Address, head: Block) -> set[JobId]:
    """The jobs with a cycle that was opened with a seat of `account`."""
    event, chain = artifact("Federation").event("CycleOpened"), federation.chain
    found: set[JobId] = set()
    for log in chain.logs(federation.address, [event.topic], chain.first_block, head):
        try:
            values = event.decode(log.topics, log.data)
        except BadEncoding as error:
            raise Nonsense("CycleOpened", error) from error
        if account in map(address, values["committee"]):
            found.add(JobId(values["job"]))
    return found


class Portfolio:
    """What an account has a part in, job by job; `problems` says of which jobs something was left out."""

    def __init__(self, session: Session, account: Address, job: int | None = None) -> None:
        """job: only this one. FatalError where there is no such job."""
        if job is not None:
            check_job(session.federation, JobId(job))
        self.jobs = [found for found in jobs_of(session.federation, account) if job in (None, found)]
        self.problems: list[Problem] = []
        self._session, self._account, self._is_named = session, account, job is not None

    def read(self, job: JobId) -> JobSnapshot | None:
        """A job with its ledgers; its facts alone where rounds are finalised and their spec can't be read; None: not
        even those.

        A seat is given by a sponsor, whoever that is, so an unreadable job is grave for its sponsor and trainers alone.
        """
        snapshot = None
        try:
            follower = JobFollower(self._session.federation, self._session.store, job)
            snapshot = read_snapshot(follower)
            return with_ledgers(follower) if snapshot.finalised else without_rounds(snapshot)
        except ChainUnavailable:
            raise
        except HansaError as error:
            own = snapshot is None or self._account in (snapshot.state.sponsor, *snapshot.trainers)
            why = f"its pay can't be worked out: {error}" if snapshot else str(error)
            self.add(job, why, grave=own or self._is_named)
            return snapshot

    def last(self) -> JobSnapshot | None:
        """The newest job that can be read, else the newest that has facts at all; None: no job."""
        best: JobSnapshot | None = None
        for job in reversed(self.jobs):
            found = self.read(job)
            if isinstance(found, SettledSnapshot):
                return found
            best = best or found
        return best

    def add(self, job: JobId, why: str, *, grave: bool = True) -> None:
        self.problems.append(Problem(job, why, grave))

    def report_problems(self) -> None:
        """As the function of that name."""
        report_problems(self.problems)


def report_problems(problems: Sequence[Problem]) -> None:
    """Prints each problem in a line on standard error. typer.Exit with 1 where one is grave."""
    for problem in problems:
        print(f"hansa: {problem}", file=sys.stderr)
    if any(problem.is_grave for problem in problems):
        raise typer.Exit(1)
