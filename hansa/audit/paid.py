"""Who was paid what in a job, by whom, in what task and when.

Amounts are of the token's smallest unit; None: not known, because the job's spec is lost, or a quorum rooted other
rewards than its sheets give. Times are those of blocks that the record binds: of ends of cycles, and of the job's own.
When anything was claimed is bound by nothing, and is not in here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hansa.protocol.ledger import RoundLedger
from hansa.protocol.types import Address, JobId, Round, Timestamp, Wei
from hansa.runtime.history.records import JobHistory


@dataclass(frozen=True)
class Task:
    name: str
    code: str | None  # SHA-256 of a task of the sponsor's own, in hexadecimal
    settings: str  # SHA-256


@dataclass(frozen=True)
class RoundPay:
    """What one round was to one trainer."""

    round: Round
    verdict: str | None  # on its update; "absent" where it sent none
    earned: Wei | None
    claimed: Wei | None  # None: not claimed
    strike: bool | None
    penalty: Wei  # that the strike took off its bond


@dataclass(frozen=True)
class Bond:
    """paid = forfeited + returned + held."""

    paid: Wei
    forfeited: Wei
    returned: Wei
    held: Wei


@dataclass(frozen=True)
class TrainerPay:
    """earned = claimed + unclaimed."""

    trainer: Address
    earned: Wei | None
    claimed: Wei
    unclaimed: Wei | None
    bond: Bond
    rounds: Sequence[RoundPay]


@dataclass(frozen=True)
class ValidatorPay:
    """earned = claimed + unclaimed: a fee for each round whose result its vote matched."""

    validator: Address
    rounds: Sequence[Round]
    earned: Wei
    claimed: Wei
    unclaimed: Wei


@dataclass(frozen=True)
class RoundPaid:
    """A finalised round. matched: the members of the committee whose votes decided it, others: the rest of them."""

    round: Round
    cycle: int  # counter
    ended: Timestamp
    model: str  # CID
    rewards: str  # root, in hexadecimal
    matched: Sequence[Address]
    others: Sequence[Address]
    pay: Wei | None  # all that trainers earned
    fees: Wei


@dataclass(frozen=True)
class Burn:
    """Tokens that nobody has any more. ended: of the cycle that failed; of a strike or an expiry no time is bound."""

    why: str
    amount: Wei
    round: Round | None = None
    cycle: int | None = None
    ended: Timestamp | None = None


@dataclass(frozen=True)
class Escrow:
    """escrowed = pay + fees + unclaimed + failures + expired + refunded + left.

    pay, fees: claimed. unclaimed: booked for rounds. failures, expired: burnt. unearned: what of `unclaimed` and
    `expired` nobody earned: what rounding left, and seats that did not match.
    """

    escrowed: Wei
    pay: Wei
    fees: Wei
    unclaimed: Wei
    failures: Wei
    expired: Wei
    refunded: Wei
    left: Wei
    unearned: Wei | None


@dataclass(frozen=True)
class Paid:
    """ended_at, claim_until: None where the job runs, or nothing binds when it ended. claims_over: pay and fees can't
    be claimed any more. unknown_rounds: whose pay is not known."""

    job: JobId
    chain_id: int
    federation: Address
    sponsor: Address
    token: Address
    spec: str  # CID
    task: Task | None
    outcome: str | None
    ended_at: Timestamp | None
    claim_until: Timestamp | None
    claims_over: bool
    unknown_rounds: Sequence[Round]
    escrow: Escrow
    bonds: Bond
    trainers: Sequence[TrainerPay]
    validators: Sequence[ValidatorPay]
    rounds: Sequence[RoundPaid]
    burnt: Sequence[Burn]


@dataclass(frozen=True)
class Settlement:
    """What an audit played again of a job. ledgers: of its finalised rounds; sees: who can see one update. None, both,
    where its spec is lost."""

    history: JobHistory
    ledgers: list[RoundLedger] | None
    paid: Paid
    sees: str | None = None
