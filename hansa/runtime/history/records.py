"""A job's events as records: what was posted, enrolled, submitted, revealed, voted and decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

from hansa.protocol.hashes import updates_acc, updates_start
from hansa.protocol.types import Address, BlockNumber, CycleId, Digest, JobId, Phase, Round, Seat, Timestamp, Wei
from hansa.runtime.chain.structs import JobTerms


@dataclass(frozen=True)
class Posted:
    block: BlockNumber
    sponsor: Address
    terms: JobTerms
    escrow: Wei


@dataclass(frozen=True, slots=True)
class Enrolment:
    trainer: Address
    bond: Wei


@dataclass(frozen=True, slots=True)
class Submitted:
    trainer: Address
    digest: Digest


@dataclass(frozen=True, slots=True)
class Revealed:
    seat: Seat
    sheet: bytes
    salt: bytes


@dataclass(frozen=True, slots=True)
class Vote:
    sealed: int  # 192 bits
    metric: int  # 1e-9


@dataclass(frozen=True, slots=True)
class Finalized:
    round: Round
    model: Digest
    rewards: bytes  # root of the round's StandardMerkleTree
    metric: int  # 1e-9
    matched: int  # bitmap of seats
    result_hash: bytes
    time: Timestamp
    block: BlockNumber


@dataclass(frozen=True, slots=True)
class Failed:
    phase: Phase  # that ran out; VOTE where the committee agreed that nothing could be aggregated
    failures: int  # in a row
    burnt: Wei
    time: Timestamp
    block: BlockNumber


@dataclass(frozen=True)
class CycleRecord:
    """One attempt at a round, in on-chain order."""

    cycle: CycleId
    round: Round
    randomness: bytes
    seed: bytes
    committee: tuple[Address, ...]  # by seat
    keys: tuple[bytes | None, ...]  # X25519 keys that updates are sealed to, by seat; None for none
    due: int  # bitmap of the seats that the cycle waits for
    opened_at: BlockNumber
    updates: tuple[Submitted, ...]
    acted: Mapping[Phase, Mapping[Seat, Any]]  # what each seat gave in each of the committee's phases
    sheets: tuple[Revealed, ...]
    outcome: Finalized | Failed | None  # None while it is under way

    @property
    def commitments(self) -> Mapping[Seat, bytes]:
        return self.acted[Phase.SCORE]

    @property
    def attests(self) -> Mapping[Seat, bytes]:
        """Bitmaps: bit i, of value 2^(i mod 8) of byte i // 8, is the update at place i; others mean nothing."""
        return self.acted[Phase.ATTEST]

    @property
    def releases(self) -> Mapping[Seat, Digest]:
        return self.acted[Phase.RELEASE]

    @property
    def votes(self) -> Mapping[Seat, Vote]:
        return self.acted[Phase.VOTE]

    @cached_property
    def updates_acc(self) -> int:
        """The accumulator of its updates, as the contract has it."""
        start = updates_start(self.seed)
        return reduce(lambda acc, update: updates_acc(acc, update.trainer, update.digest), self.updates, start)

    def place_of(self, trainer: Address) -> int | None:
        """The place on chain of a trainer's update."""
        return next((place for place, update in enumerate(self.updates) if update.trainer == trainer), None)

    def has_update_of(self, trainer: Address) -> bool:
        return self.place_of(trainer) is not None


@dataclass(frozen=True)
class JobHistory:
    """Everything that happened in a job up to a block, checked against what the contract stores of it.

    lapses: OPENs that nobody used, with the number of cycles opened before each. ended: None while the job runs.
    """

    job: JobId
    posted: Posted
    enrolled: tuple[Enrolment, ...]
    cycles: tuple[CycleRecord, ...]
    lapses: tuple[tuple[int, Failed], ...]
    ended: Phase | None

    @property
    def finalised(self) -> list[tuple[CycleRecord, Finalized]]:
        """The finalised cycles with their outcomes; the one of round r is at r − 1."""
        return [(cycle, cycle.outcome) for cycle in self.cycles if isinstance(cycle.outcome, Finalized)]

    @property
    def trainers(self) -> list[Address]:
        return [enrolment.trainer for enrolment in self.enrolled]

    def members(self) -> list[Address]:
        """Everybody who ever had a seat, in order of appearance."""
        return list(dict.fromkeys(member for cycle in self.cycles for member in cycle.committee))
