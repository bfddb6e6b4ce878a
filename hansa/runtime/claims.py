"""Taking out of a job what it owes: pay, fees, bonds, the sponsor's rest. Anyone may claim for anyone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from structlog.stdlib import BoundLogger

from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address, JobId
from hansa.runtime.chain.calls import Call
from hansa.runtime.chain.federation import Federation
from hansa.runtime.chain.structs import Books
from hansa.runtime.follower import JobFollower
from hansa.runtime.snapshot import Due, JobSnapshot, SettledSnapshot, unclaimed
from hansa.runtime.transactions.outcome import Refused
from hansa.runtime.transactions.signer import Signer


@dataclass
class Owed:
    """What a job owes one account at a block. `later` says what can't be claimed yet, and from when."""

    rewards: list[Due] = field(default_factory=list)
    pay_unknown: bool = False  # there are rounds that may pay it, and no spec to work them out by
    fees: int = 0
    bond: int = 0
    rest: int = 0
    later: dict[str, tuple[int, int]] = field(default_factory=dict)  # what: (amount, time)
    expired: bool = False  # claimTime is over: pay and fees are gone

    @property
    def pay(self) -> int:
        return sum(due.leaf.pay for due in self.rewards)

    @property
    def total(self) -> int:
        return self.pay + self.fees + self.bond + self.rest


def owed(view: JobSnapshot, federation: Federation, account: Address) -> Owed:
    """Everything that `account` could have from a job: now, or later. Pay alone needs more than the facts."""
    found = Owed()
    books = federation.books(view.job)
    now = view.at.timestamp
    ended = view.state.phase.is_over
    found.expired = bool(books.claim_until) and now >= books.claim_until
    if account in view.trainers:
        _owe_trainer(found, view, federation, account, ended and now >= books.slash_until, books.slash_until)
    if not found.expired:
        _owe_member(found, view, federation, account, ended)
    if account == view.state.sponsor:
        found.rest = books.left if ended else 0
    return found


def _owe_trainer(
    found: Owed, view: JobSnapshot, federation: Federation, trainer: Address, bond_is_free: bool, free_from: int
) -> None:
    if not found.expired and isinstance(view, SettledSnapshot):
        found.rewards = unclaimed(view, federation, trainer)
    elif not found.expired:
        found.pay_unknown = True
    bond = federation.bond(view.job, trainer)
    if bond_is_free:
        found.bond = bond
    elif bond:
        found.later["bond"] = (bond, free_from)


def _owe_member(found: Owed, view: JobSnapshot, federation: Federation, member: Address, ended: bool) -> None:
    """Fees of a seat still held are booked after the end, by the claim itself."""
    fees = federation.fees(view.job, member)
    held = 0
    if (seat := view.state.seat_of(member)) is not None:
        held = view.state.matched[seat] * view.terms.fee_per_seat
    found.fees = fees + held if ended else fees
    if held and not ended:
        found.later["fees"] = (held, 0)


def claim(view: JobSnapshot, federation: Federation, signer: Signer, account: Address) -> Owed:
    """Claims everything that is due to `account` now; all rounds go in one transaction."""
    due = owed(view, federation, account)
    if due.rewards:
        signer.do(rewards_call(federation, view.job, account, due.rewards))
    if due.fees:
        seat = view.state.seat_of(account)
        if view.state.phase.is_over and seat is not None:
            signer.do(federation.claim_seat_fees_call(view.job, seat))
        else:
            signer.do(federation.claim_fees_call(view.job, account))
    if due.bond:
        signer.do(federation.claim_bond_call(view.job, account))
    if due.rest:
        signer.do(federation.claim_rest_call(view.job))
    return due


def rewards_call(federation: Federation, job: JobId, trainer: Address, dues: Sequence[Due]) -> Call:
    """Claims leaves of one trainer, pay and strikes together."""
    return federation.claim_call(job, trainer, [(due.round, due.leaf, due.proof) for due in dues])


def report_unclaimed(
    follower: JobFollower, log: BoundLogger, what: str, amount: int, books: Books, refused: Refused | None
) -> None:
    """FatalError, and a warning in the log, where a job that is over still owes an account `amount` and the claim of it
    came too late, or was `refused`."""
    if not amount:
        return
    log.warning("not claimed", what=what, amount=amount, token=books.token, until=books.claim_until)
    named = f"{amount} units of token {books.token}, {what} of job {follower.job},"
    if follower.head.timestamp >= books.claim_until or (refused and refused.error.name == "Vault_TooLate"):
        end = datetime.fromtimestamp(books.claim_until, UTC).isoformat(" ", "seconds")
        raise FatalError(
            f"{named} can't be claimed any more",
            cause=f"the time to claim ended at {end}",
            next_step="let your daemon run at a job's end, and raise --min-claim to refuse jobs as short as this",
        )
    raise FatalError(
        f"{named} could not be claimed",
        cause=None if refused is None else refused.error,
        next_step="try `hansa wallet claim`",
    )
