"""What the contracts hold, as Python sees it: the structs of IFederation and IVault, field by field in their order."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any, NamedTuple, TypeVar

from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from hansa.protocol.types import Address, CycleId, Digest, Phase, Round, Seat, Timestamp, Wei
from hansa.runtime.chain.abi import artifact


@dataclass(frozen=True)
class JobTerms:
    """Solidity's JobTerms: times in seconds, amounts in the token's smallest unit, metrics in 1e-9."""

    token: Address
    committee: Address
    admission: Address
    recheck_admission: bool
    keep_committee: bool  # a round's second opened cycle keeps it
    spec: Digest
    model: Digest
    reward_per_round: Wei
    fee_per_seat: Wei
    min_bond: Wei
    strike_penalty: Wei
    target_metric: int
    enrol_time: int
    open_time: int
    submit_time: int
    attest_time: int
    release_time: int
    score_time: int
    reveal_time: int
    vote_time: int
    finalize_time: int
    claim_time: int
    slash_time: int
    max_trainers: int
    min_updates: int
    max_rounds: int
    patience: int
    failure_burn: int
    max_failures: int
    seats: int
    quorum: int
    threshold: int

    def hash(self, escrow: int, sponsor: Address) -> bytes:
        """keccak256(abi.encode(terms, escrow, sponsor)), what `enrol` agrees to."""
        return keccak(encode([_terms_type(), "uint256", "address"], [astuple(self), escrow, sponsor]))

    @property
    def full_round(self) -> int:
        """What one finalised round takes from the escrow: the reward and every seat's fee."""
        return self.reward_per_round + self.seats * self.fee_per_seat


@dataclass(frozen=True)
class JobState:
    """Solidity's JobState at one block. Bitmaps: bit s is seat s."""

    phase: Phase
    sponsor: Address
    cycle: CycleId  # the last one opened; 0 before the first
    deadline: Timestamp  # when `phase` ends if nobody acts; 0 where it has no end
    opened_at: Timestamp
    ended_at: Timestamp  # 0 while the job runs
    round: Round  # the one that is attempted; finalised rounds + 1
    enrolled: int
    submitted: int
    pending: int  # due trainers that have not submitted
    stale: int
    failures: int  # in a row
    stopping: bool
    rejoining: bool
    committee_kept: bool
    best_metric: int
    due: int
    attested: int
    released: int
    committed: int
    revealed: int
    voted: int
    updates: int  # accumulator
    sheets: bytes  # accumulator
    history: bytes  # a chain from the terms' hash over each cycle's opening and end, and each lapsed OPEN
    committee: tuple[Address, ...]
    matched: tuple[int, ...]

    def seat_of(self, member: Address) -> Seat | None:
        return Seat(self.committee.index(member)) if member in self.committee else None


@dataclass(frozen=True)
class Books:
    """Solidity's Books of one job: escrowed = left + booked + (burnt − forfeited) + refunded."""

    token: Address
    sponsor: Address
    ended_at: Timestamp
    claim_until: Timestamp
    slash_until: Timestamp
    escrowed: Wei
    left: Wei
    booked: Wei
    paid: Wei
    burnt: Wei
    burn_sent: Wei
    refunded: Wei
    bonded: Wei
    forfeited: Wei  # penalties taken from bonds; of burnt


class Enrolled(NamedTuple):
    """What `trainerOf` tells: counter of the last cycle with an update (0: none), and the bond as enrolled."""

    enrolled: bool
    counter: int
    bond: Wei


NOT_ENROLLED = Enrolled(False, 0, Wei(0))

T = TypeVar("T", JobTerms, JobState, Books)
ADDRESSES = frozenset({"token", "committee", "admission", "sponsor"})


def from_tuple(kind: type[T], values: Sequence[Any]) -> T:
    """A record from the ABI's tuple; ValueError where an enum or a length doesn't fit."""
    named: dict[str, Any] = dict(zip((field.name for field in fields(kind)), values, strict=True))
    for name, value in named.items():
        if isinstance(value, tuple):
            named[name] = tuple(address(item) if name == "committee" else item for item in value)
        elif name in ADDRESSES:
            named[name] = address(value)
        elif name == "phase":
            named[name] = Phase(value)
    return kind(**named)


@functools.lru_cache(4096)
def address(value: str) -> Address:
    """With its checksum (EIP-55), which costs a hash: a job has few accounts, and its events name them often."""
    return Address(to_checksum_address(value))


def _terms_type() -> str:
    return artifact("Federation").functions["termsOf"].outputs[0].type
