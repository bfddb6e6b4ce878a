"""Who was paid what, as tables of a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from hansa.audit.paid import Escrow, Paid
from hansa.cli.tables import fitting, named, wrapping_table
from hansa.protocol.text import escape_untrusted, numbered
from hansa.protocol.types import Address
from hansa.runtime.amounts import Token

LONGEST_TASK = 80  # characters
ESCROW = {
    "pay": "claimed as pay",
    "fees": "claimed as fees",
    "unclaimed": "not claimed",
    "failures": "burnt by failed cycles",
    "expired": "burnt as claimed by nobody",
    "refunded": "back with the sponsor",
    "left": "left for the sponsor or further rounds",
}
"""Where an escrow went, in words: the parts of `Escrow` that make it up."""


class Form(NamedTuple):
    """How much of a table fits: whole addresses or short ones, all columns or those of pay alone."""

    short: bool
    whole: bool


def utc(timestamp: int) -> str:
    """A block's time."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def show_paid(console: Console, paid: Paid, token: Token, names: Mapping[Address, str]) -> None:
    """Rounds, trainers, validators, burns, and where the escrow went."""
    task = "a task that is not known" if paid.task is None else escape_untrusted(paid.task.name, LONGEST_TASK)
    escrow = token.text(paid.escrow.escrowed)
    console.print(f"\n[bold]who was paid[/] for {task}, by {named(paid.sponsor, names)}, of an escrow of {escrow}")
    tables: list[Callable[[Form], Table]] = []
    if paid.rounds:
        tables.append(lambda form: _rounds(paid, token, form))
    if paid.trainers:
        tables.append(lambda form: _trainers(paid, token, names, form))
    if paid.validators:
        tables.append(lambda form: _validators(paid, token, names, form))
    for make in tables:
        console.print(fitting(console, make, Form(False, True), Form(True, True), Form(True, False))[0])
    for burn in paid.burnt:
        where = f"round {burn.round}, " if burn.round is not None else ""
        when = f", {utc(burn.ended)}" if burn.ended is not None else ""
        console.print(f"burnt: {token.text(burn.amount)}: {where}{burn.why}{when}")
    if paid.unknown_rounds:
        rounds = numbered("round", paid.unknown_rounds)
        console.print(f"[yellow]what trainers earned in {rounds} is not known[/]")
    parts = escrow_parts(paid.escrow)
    console.print(f"{escrow} = {' + '.join(f'{token.text(amount, unit=False)} {what}' for what, amount in parts)}\n")


def escrow_parts(escrow: Escrow) -> list[tuple[str, int]]:
    """What an escrow is the sum of, in words; parts of nothing left out, but for one."""
    parts = [(what, getattr(escrow, name)) for name, what in ESCROW.items()]
    return [part for part in parts if part[1]] or parts[-1:]


def _rounds(paid: Paid, token: Token, form: Form) -> Table:
    decided = ("decided by",) if form.whole else ()
    table = wrapping_table("round", "ended", *decided, "pay", "fees")
    for item in paid.rounds:
        seats = (f"{len(item.matched)} of {len(item.matched) + len(item.others)}",) if form.whole else ()
        table.add_row(str(item.round), utc(item.ended), *seats, _amount(item.pay, token), _amount(item.fees, token))
    return table


def _trainers(paid: Paid, token: Token, names: Mapping[Address, str], form: Form) -> Table:
    bonds = ("penalties", "bond back") if form.whole else ()
    table = wrapping_table("trainer", "earned", "claimed", _unclaimed(paid), *bonds)
    for item in paid.trainers:
        amounts = (item.earned, item.claimed, item.unclaimed, item.bond.forfeited, item.bond.returned)
        shown = amounts if form.whole else amounts[:3]
        table.add_row(named(item.trainer, names, form.short), *(_amount(each, token) for each in shown))
    return table


def _validators(paid: Paid, token: Token, names: Mapping[Address, str], form: Form) -> Table:
    matched = ("matched",) if form.whole else ()
    table = wrapping_table("validator", *matched, "earned", "claimed", _unclaimed(paid))
    for item in paid.validators:
        amounts = (_amount(each, token) for each in (item.earned, item.claimed, item.unclaimed))
        rounds = (str(len(item.rounds)),) if form.whole else ()
        table.add_row(named(item.validator, names, form.short), *rounds, *amounts)
    return table


def _unclaimed(paid: Paid) -> str:
    return "lost unclaimed" if paid.claims_over else "unclaimed"


def _amount(amount: int | None, token: Token) -> str:
    return "–" if amount is None else token.text(amount, unit=False)
