"""`hansa job list`: every job of a deployment."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill

from rich.console import Console
from rich.table import Table

from hansa.cli.command import Command
from hansa.cli.document import Amount, Metric
from hansa.cli.job.state import metric_text
from hansa.cli.tables import fitting, wrapping_table
from hansa.protocol.phases import PHASES
from hansa.protocol.types import Address, JobId, Phase
from hansa.runtime.session import Session, connect

NARROW = 9  # characters of a phase's line, where the table is too wide otherwise


@dataclass(frozen=True)
class JobRow:
    job: int
    phase: str
    round: int  # finalised ones
    rounds: int
    trainers: int
    seats: int
    metric: Metric
    sponsor: Address
    reward_per_round: Amount
    token: Address


@dataclass(frozen=True)
class JobList:
    jobs: list[JobRow]


def run(command: Command) -> None:
    """Every job of the deployment, newest first."""
    session = connect(command.workspace)
    view = list_jobs(session)
    command.answer(view, lambda console: show(console, view, session))


def list_jobs(session: Session) -> JobList:
    """All jobs at the newest block."""
    at = session.chain.head()
    rows = []
    for number in range(session.federation.job_count(), 0, -1):
        state = session.federation.state(JobId(number), at)
        terms = session.federation.terms(JobId(number))
        rows.append(
            JobRow(
                job=number,
                phase=state.phase.name,
                round=state.round - 1,
                rounds=terms.max_rounds,
                trainers=state.enrolled,
                seats=terms.seats,
                metric=state.best_metric,
                sponsor=state.sponsor,
                reward_per_round=terms.reward_per_round,
                token=terms.token,
            )
        )
    return JobList(rows)


def show(console: Console, view: JobList, session: Session) -> None:
    """A line a job."""
    if not view.jobs:
        console.print("no job is posted; `hansa job post` posts one")
        return

    def make(short: bool) -> Table:
        table = wrapping_table("job", "phase", "rounds", "trainers", "seats", "metric", "reward a round")
        for row in view.jobs:
            reward = session.token(row.token).text(row.reward_per_round)
            phase = PHASES[Phase[row.phase]].title
            numbers = (f"{row.round}/{row.rounds}", str(row.trainers), str(row.seats))
            title = fill(phase, NARROW) if short else phase
            table.add_row(str(row.job), title, *numbers, metric_text(row.metric), reward)
        return table

    console.print(fitting(console, make, False, True)[0])
