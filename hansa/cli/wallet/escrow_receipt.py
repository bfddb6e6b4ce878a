"""Why a validator was paid the fees it was, and where a sponsor's escrow went, from the events of a job."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rich.console import Console

from hansa.cli.document import Amount
from hansa.protocol.ledger import RoundLedger
from hansa.protocol.types import Address
from hansa.runtime.amounts import Token
from hansa.runtime.history.records import CycleRecord, Failed, Finalized, JobHistory
from hansa.runtime.snapshot import misvoted

MATCHED = "matched"
AMOUNTS = ("pay", "fees", "unearned", "burnt")


@dataclass(frozen=True)
class SeatLine:
    cycle: int
    round: int
    seat: int
    what: str
    fee: Amount


@dataclass(frozen=True)
class FeeReceipt:
    fee_per_seat: Amount
    cycles: list[SeatLine]
    matched: int
    fees: Amount


@dataclass(frozen=True)
class EscrowLine:
    """A finalised round or a failed cycle. unearned: what nobody can claim of a round (rounding, seats that did not
    match, roots that the sheets don't give)."""

    round: int
    cycle: int
    pay: Amount = 0
    fees: Amount = 0
    unearned: Amount = 0
    burnt: Amount = 0


@dataclass(frozen=True)
class EscrowReceipt:
    """Totals are of all rounds. rest: what no round took: the sponsor's, at the end."""

    lines: list[EscrowLine]
    pay: Amount
    fees: Amount
    unearned: Amount
    burnt: Amount
    escrow: Amount
    rest: Amount


def fee_receipt(history: JobHistory, member: Address, round_: int | None) -> FeeReceipt:
    """A seat's fee in every cycle that a member sat in, failed ones too; of all rounds, or one."""
    lines = []
    for number, cycle in enumerate(history.cycles, 1):
        if member not in cycle.committee or round_ not in (None, cycle.round):
            continue
        seat = cycle.committee.index(member)
        earned = isinstance(cycle.outcome, Finalized) and bool(cycle.outcome.matched >> seat & 1)
        fee = history.posted.terms.fee_per_seat if earned else 0
        lines.append(SeatLine(number, cycle.round, seat, _say_attendance(cycle, seat), fee))
    return FeeReceipt(
        fee_per_seat=history.posted.terms.fee_per_seat,
        cycles=lines,
        matched=sum(line.what == MATCHED for line in lines),
        fees=sum(line.fee for line in lines),
    )


def _say_attendance(cycle: CycleRecord, seat: int) -> str:
    """What a member did, and so why it earned, or didn't."""
    outcome = cycle.outcome
    if outcome is None:
        return "under way"
    if isinstance(outcome, Failed):
        return f"the cycle failed in {outcome.phase.name}: no seat earns"
    if outcome.matched >> seat & 1:
        return MATCHED
    if seat in cycle.votes:
        return "voted another result"
    if any(sheet.seat == seat for sheet in cycle.sheets):
        return "revealed, did not vote"
    return "committed, did not reveal" if seat in cycle.commitments else "did not commit"


def escrow_receipt(history: JobHistory, rounds: Sequence[RoundLedger], round_: int | None) -> EscrowReceipt:
    """What became of the escrow: a line a finalised round or failed cycle, all of them or one round's; and totals.

    rounds: the ledgers of all finalised ones.
    """
    lost = set(misvoted(history, rounds))
    found = [_escrow_line(history, rounds, number, lost) for number in range(1, len(history.cycles) + 1)]
    lines = [line for line in found if line is not None]
    totals = {name: sum(getattr(line, name) for line in lines) for name in AMOUNTS}
    escrow = history.posted.escrow
    shown = [line for line in lines if round_ in (None, line.round)]
    return EscrowReceipt(shown, **totals, escrow=escrow, rest=escrow - sum(totals.values()))


def _escrow_line(
    history: JobHistory, rounds: Sequence[RoundLedger], number: int, lost: Collection[int]
) -> EscrowLine | None:
    """Of one cycle, by its number from 1; None while it is under way."""
    cycle, terms = history.cycles[number - 1], history.posted.terms
    outcome = cycle.outcome
    if isinstance(outcome, Failed):
        return EscrowLine(cycle.round, number, burnt=outcome.burnt)
    if outcome is None:
        return None
    leaves = rounds[outcome.round - 1].leaves
    pay = 0 if outcome.round in lost else sum(leaf.pay for leaf in leaves)
    fees = outcome.matched.bit_count() * terms.fee_per_seat
    return EscrowLine(cycle.round, number, pay, fees, unearned=terms.full_round - pay - fees)


def show_fees(console: Console, receipt: FeeReceipt, token: Token) -> None:
    """A line a cycle, and the sum."""
    fee = token.text(receipt.fee_per_seat)
    console.print(f"as a validator; a validator that votes for a round's result earns {fee}")
    for line in receipt.cycles:
        where = f"round {line.round}, attempt {line.cycle} of the job, seat {line.seat}"
        console.print(f"  {where}: {line.what}, {token.text(line.fee)}")
    console.print(f"fees {receipt.matched} × {fee} = {token.text(receipt.fees)}")


def show_escrow(console: Console, receipt: EscrowReceipt, token: Token) -> None:
    """A line a round or failed cycle, and the sum."""
    escrow = token.text(receipt.escrow)
    console.print(f"as the sponsor, of an escrow of {escrow}")
    for line in receipt.lines:
        parts = [f"{name} {token.text(amount)}" for name in AMOUNTS if (amount := getattr(line, name))]
        console.print(f"  round {line.round}, attempt {line.cycle} of the job: {', '.join(parts) or 'nothing'}")
    parts = [f"{name} {token.text(getattr(receipt, name))}" for name in (*AMOUNTS, "rest")]
    console.print(f"{' + '.join(parts)} = {escrow}")
    console.print("unearned and unclaimed amounts are burnt when the time to claim is over; the rest is the sponsor's")
