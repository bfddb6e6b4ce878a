"""A job as the chain tells it, replayed: who did what, who is owed what. Read by wallet, job show and the demo."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from hansa.protocol.errors import FatalError, HistoryMismatch
from hansa.protocol.ledger import RoundLedger
from hansa.protocol.merkle import Leaf, RewardsTree
from hansa.protocol.types import Address, JobId, Seat
from hansa.runtime.chain.client import Block
from hansa.runtime.chain.federation import Federation
from hansa.runtime.chain.structs import JobState, JobTerms
from hansa.runtime.history.reader import CycleRecord, Finalized, HistoryReader, JobHistory
from hansa.runtime.job import JobContext
from hansa.runtime.replay import Replay
from hansa.runtime.store import Store

T = TypeVar("T")

READ_TRIES, READ_PAUSE = 5, 0.2  # seconds between them


@dataclass(frozen=True)
class Due:
    """One unclaimed leaf with its proof."""

    round: int
    leaf: Leaf
    proof: list[bytes]


@dataclass(frozen=True)
class Attendance:
    """What one member did in the finalised rounds that it had a seat in."""

    matched: int = 0
    wrong: int = 0  # voted another result
    missed: int = 0


@dataclass(frozen=True)
class JobSnapshot:
    """One job at one block, as the chain alone tells it."""

    job: JobId
    at: Block
    state: JobState
    history: JobHistory

    @property
    def terms(self) -> JobTerms:
        return self.history.posted.terms

    @property
    def finalised(self) -> list[tuple[CycleRecord, Finalized]]:
        """The finalised cycles with their outcomes; the one of round r is at r − 1."""
        return [(cycle, cycle.outcome) for cycle in self.history.cycles if isinstance(cycle.outcome, Finalized)]

    @property
    def trainers(self) -> list[Address]:
        return [enrolment.trainer for enrolment in self.history.enrolled]

    def members(self) -> list[Address]:
        """Everybody who ever had a seat, in order of appearance."""
        return list(dict.fromkeys(member for cycle in self.history.cycles for member in cycle.committee))

    def attendance(self, member: Address) -> Attendance:
        matched = wrong = missed = 0
        for cycle, outcome in self.finalised:
            if member not in cycle.committee:
                continue
            seat = cycle.committee.index(member)
            if outcome.matched >> seat & 1:
                matched += 1
            elif seat in cycle.votes:
                wrong += 1
            else:
                missed += 1
        return Attendance(matched, wrong, missed)

    def seat(self, member: Address) -> Seat | None:
        """The seat that a member has in the present committee."""
        return Seat(self.state.committee.index(member)) if member in self.state.committee else None


@dataclass(frozen=True)
class SettledSnapshot(JobSnapshot):
    """A job with what its sheets come to. Where no round is finalised that is nothing, whatever its spec says."""

    rounds: list[RoundLedger]  # the finalised ones, in order

    def leaves(self, trainer: Address) -> Iterator[tuple[int, Leaf]]:
        """A trainer's leaf in every finalised round."""
        for number, round_ in enumerate(self.rounds, 1):
            yield from ((number, leaf) for leaf in round_.leaves if leaf.trainer == trainer)

    def earned(self, trainer: Address) -> int:
        return sum(leaf.pay for _, leaf in self.leaves(trainer))

    def strikes(self, trainer: Address) -> int:
        return sum(leaf.strike for _, leaf in self.leaves(trainer))

    def reputation(self, trainer: Address) -> int:
        """In 1e-6."""
        return next((leaf.reputation for _, leaf in reversed(list(self.leaves(trainer)))), 0)

    def misvoted(self) -> list[int]:
        """Rounds whose quorum voted another rewards root than their sheets give: nobody can prove a leaf of those."""
        outcomes = [outcome for _, outcome in self.finalised]
        return [
            number
            for number, (outcome, round_) in enumerate(zip(outcomes, self.rounds, strict=True), 1)
            if outcome.rewards != RewardsTree(round_.leaves).root
        ]


@dataclass(frozen=True)
class FullSnapshot(SettledSnapshot):
    """A job with its ledgers and its spec."""

    context: JobContext


def read_job(federation: Federation, store: Store, job: JobId) -> FullSnapshot:
    """Reads and replays a job at the newest block. Raises FatalError where there is no such job."""
    return with_ledgers(read_snapshot(federation, job), federation, store)


def read_snapshot(federation: Federation, job: JobId) -> JobSnapshot:
    """What the chain tells of a job at the newest block; its files are not needed. FatalError as `read_job`."""
    check_job(federation, job)

    def read() -> tuple[Block, JobState, JobHistory]:
        at = federation.chain.head()
        state = federation.state(job, at)
        return at, state, HistoryReader(federation, job).read(at, state)

    return JobSnapshot(job, *retry_while_mixed(read))


def with_ledgers(facts: JobSnapshot, federation: Federation, store: Store) -> FullSnapshot:
    """With the ledgers of its rounds, by its spec. Raises Malformed, NotFound and whatever the store says of that."""
    context = JobContext.read(federation, store, facts.job)
    rounds = Replay(context, context.weights(facts.history.enrolled)).follow(facts.history)
    return FullSnapshot(facts.job, facts.at, facts.state, facts.history, rounds, context)


def without_rounds(facts: JobSnapshot) -> SettledSnapshot:
    """The ledgers of a job without a finalised round: none."""
    assert not facts.finalised
    return SettledSnapshot(facts.job, facts.at, facts.state, facts.history, [])


def retry_while_mixed(read: Callable[[], T]) -> T:
    """What `read` gives, in the end: a node that mines while it answers mixes blocks, and is asked again."""
    for _ in range(READ_TRIES - 1):
        try:
            return read()
        except HistoryMismatch:
            time.sleep(READ_PAUSE)
    return read()


def check_job(federation: Federation, job: JobId) -> None:
    """FatalError unless the job exists."""
    count = federation.job_count()
    if not 1 <= job <= count:
        raise FatalError(
            f"there is no job {job}",
            cause=f"jobs 1 to {count} are posted" if count else "no job is posted",
            next_step="`hansa job list` shows them" if count else "post one with `hansa job post`",
        )


def unclaimed(view: SettledSnapshot, federation: Federation, trainer: Address) -> list[Due]:
    """Every leaf of a trainer that pays or strikes and is not claimed yet, with its proof. Rounds of `misvoted` have
    none."""
    lost = set(view.misvoted())
    owing = [
        (number, leaf) for number, leaf in view.leaves(trainer) if number not in lost and (leaf.pay or leaf.strike)
    ]
    done = federation.claimed_rounds(view.job, trainer, [number for number, _ in owing])
    trees = {number: RewardsTree(view.rounds[number - 1].leaves) for number, _ in owing if number not in done}
    return [Due(number, leaf, trees[number].proof(trainer)) for number, leaf in owing if number in trees]
