"""A job as the chain tells it, replayed: who did what, who is owed what. Read by wallet, job show and the demo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hansa.protocol.errors import FatalError
from hansa.protocol.ledger import RoundLedger
from hansa.protocol.merkle import Leaf, RewardsTree
from hansa.protocol.types import Address, JobId
from hansa.runtime.chain.client import Block
from hansa.runtime.chain.federation import Federation, JobState, JobTerms
from hansa.runtime.follower import JobFollower
from hansa.runtime.history.records import CycleRecord, Finalized, JobHistory
from hansa.runtime.job import JobContext
from hansa.runtime.store import Store


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
        return self.history.finalised

    @property
    def trainers(self) -> list[Address]:
        return self.history.trainers

    def members(self) -> list[Address]:
        """Everybody who ever had a seat, in order of appearance."""
        return self.history.members()

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
        return misvoted(self.history, self.rounds)


@dataclass(frozen=True)
class FullSnapshot(SettledSnapshot):
    """A job with its ledgers and its spec."""

    context: JobContext


def misvoted(history: JobHistory, rounds: Sequence[RoundLedger]) -> list[int]:
    """Rounds whose quorum voted another rewards root than their sheets give: nobody can prove a leaf of those."""
    outcomes = [outcome for _, outcome in history.finalised]
    return [
        number
        for number, (outcome, round_) in enumerate(zip(outcomes, rounds, strict=True), 1)
        if outcome.rewards != RewardsTree(round_.leaves).root
    ]


def read_job(federation: Federation, store: Store, job: JobId) -> FullSnapshot:
    """Reads and replays a job at the newest block. Raises FatalError where there is no such job."""
    follower = JobFollower(federation, store, job)
    read_snapshot(follower)
    return with_ledgers(follower)


def read_snapshot(follower: JobFollower) -> JobSnapshot:
    """What the chain tells of a job at the newest block; its files are not needed. FatalError as `read_job`."""
    check_job(follower.federation, follower.job)
    history = follower.read()
    return JobSnapshot(follower.job, follower.head, follower.state, history)


def with_ledgers(follower: JobFollower) -> FullSnapshot:
    """The job where the follower is, with the ledgers of its rounds, by its spec. Raises Malformed, NotFound and
    whatever the store says of that."""
    at, state, history = follower.head, follower.state, follower.history()
    return FullSnapshot(follower.job, at, state, history, follower.ledgers(), follower.context)


def without_rounds(facts: JobSnapshot) -> SettledSnapshot:
    """The ledgers of a job without a finalised round: none."""
    assert not facts.finalised
    return SettledSnapshot(facts.job, facts.at, facts.state, facts.history, [])


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
    done = federation.claimed_rounds(view.job, trainer, [number for number, _ in owing], view.at)
    trees = {number: RewardsTree(view.rounds[number - 1].leaves) for number, _ in owing if number not in done}
    return [Due(number, leaf, trees[number].proof(trainer)) for number, leaf in owing if number in trees]
