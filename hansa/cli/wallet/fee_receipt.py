"""Why a validator was paid the fees it was, and where a sponsor's escrow went, from the events of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hansa.runtime.history.reader import Failed, Finalized
from hansa.runtime.snapshot import JobSnapshot, SettledSnapshot

if TYPE_CHECKING:
    from rich.console import Console

    from hansa.protocol.types import Address
    from hansa.runtime.amounts import Token
    from hansa.runtime.history.reader import CycleRecord


def fee_receipt(view: JobSnapshot, member: Address, round_: int | None) -> dict[str, Any]:
    """A seat's fee in every cycle that a member sat in, failed ones too; of all rounds, or one."""
    rows: list[dict[str, Any]] = []
    for number, cycle in enumerate(view.history.cycles, 1):
        if member not in cycle.committee or round_ not in (None, cycle.round):
            continue
        seat = cycle.committee.index(member)
        earned = isinstance(cycle.outcome, Finalized) and bool(cycle.outcome.matched >> seat & 1)
        fee = view.terms.fee_per_seat if earned else 0
        rows.append(
            {"cycle": number, "round": cycle.round, "seat": seat, "what": _attended(cycle, seat), "fee": str(fee)}
        )
    return {
        "fee_per_seat": str(view.terms.fee_per_seat),
        "cycles": rows,
        "matched": sum(row["what"] == MATCHED for row in rows),
        "fees": str(sum(int(row["fee"]) for row in rows)),
    }


MATCHED = "matched"


def _attended(cycle: CycleRecord, seat: int) -> str:
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


def escrow_receipt(view: SettledSnapshot, round_: int | None) -> dict[str, Any]:
    """What became of the escrow: a line a finalised round or failed cycle, all of them or one round's; and totals.

    unearned: what nobody can claim of a round (rounding, seats that did not match, roots that the sheets don't give).
    `rest` is what no round took: the sponsor's, at the end.
    """
    terms, lost = view.terms, set(view.misvoted())
    lines: list[dict[str, Any]] = []
    for number, cycle in enumerate(view.history.cycles, 1):
        line = {"round": cycle.round, "cycle": number, "pay": 0, "fees": 0, "unearned": 0, "burnt": 0}
        if isinstance(cycle.outcome, Finalized):
            leaves = view.rounds[cycle.outcome.round - 1].leaves
            line["pay"] = 0 if cycle.outcome.round in lost else sum(leaf.pay for leaf in leaves)
            line["fees"] = cycle.outcome.matched.bit_count() * terms.fee_per_seat
            line["unearned"] = terms.full_round - line["pay"] - line["fees"]
        elif isinstance(cycle.outcome, Failed):
            line["burnt"] = cycle.outcome.burnt
        else:
            continue
        lines.append(line)
    totals = {name: sum(line[name] for line in lines) for name in AMOUNTS}
    totals |= {"escrow": view.history.posted.escrow, "rest": view.history.posted.escrow - sum(totals.values())}
    shown = [line for line in lines if round_ in (None, line["round"])]
    return {
        "lines": [line | {name: str(line[name]) for name in AMOUNTS} for line in shown],
        **{name: str(amount) for name, amount in totals.items()},
    }


AMOUNTS = ("pay", "fees", "unearned", "burnt")


def show_fees(console: Console, data: dict[str, Any], token: Token) -> None:
    """A line a cycle, and the sum."""
    console.print(f"as a validator; a seat that matches a round's result earns {token.text(int(data['fee_per_seat']))}")
    for row in data["cycles"]:
        fee = token.text(int(row["fee"]))
        console.print(f"  round {row['round']}, cycle {row['cycle']}, seat {row['seat']}: {row['what']}, {fee}")
    matched = f"{data['matched']} × {token.text(int(data['fee_per_seat']))}"
    console.print(f"fees {matched} = {token.text(int(data['fees']))}")


def show_escrow(console: Console, data: dict[str, Any], token: Token) -> None:
    """A line a round or failed cycle, and the sum."""
    console.print(f"as the sponsor, of an escrow of {token.text(int(data['escrow']))}")
    for line in data["lines"]:
        parts = [f"{name} {token.text(int(line[name]))}" for name in AMOUNTS if int(line[name])]
        console.print(f"  round {line['round']}, cycle {line['cycle']}: {', '.join(parts) or 'nothing'}")
    parts = [f"{name} {token.text(int(data[name]))}" for name in (*AMOUNTS, "rest")]
    console.print(f"{' + '.join(parts)} = {token.text(int(data['escrow']))}")
    console.print("unearned and unclaimed amounts are burnt when the time to claim is over; the rest is the sponsor's")
