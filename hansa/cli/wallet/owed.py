"""What a job owes an account, or has just paid it; shared by `hansa wallet show` and `hansa wallet claim`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console

from hansa.cli.document import Amount
from hansa.protocol.text import counted, numbered
from hansa.protocol.types import Address
from hansa.runtime.amounts import Token
from hansa.runtime.claims import Owed
from hansa.runtime.snapshot import JobSnapshot, SettledSnapshot

Who = Annotated[str | None, typer.Argument(help="A keystore's name, or an address.", metavar="WHO")]
JobChoice = Annotated[int | None, typer.Option("--job", help="Only this job.")]


@dataclass(frozen=True)
class LaterView:
    amount: Amount
    from_: int  # Unix time; 0: the job's end


@dataclass(frozen=True)
class OwedView:
    job: int
    phase: str
    token: Address
    pay: Amount | None  # None: it can't be worked out
    rounds: list[int]  # that pay
    fees: Amount
    bond: Amount
    rest: Amount
    later: dict[str, LaterView]  # by what it is
    expired: bool
    misvoted_rounds: list[int]

    @classmethod
    def of(cls, snapshot: JobSnapshot, owed: Owed) -> OwedView:
        return cls(
            job=snapshot.job,
            phase=snapshot.state.phase.name,
            token=snapshot.terms.token,
            pay=None if owed.pay_unknown else owed.pay,
            rounds=[item.round for item in owed.rewards],
            fees=owed.fees,
            bond=owed.bond,
            rest=owed.rest,
            later={what: LaterView(amount, when) for what, (amount, when) in owed.later.items()},
            expired=owed.expired,
            misvoted_rounds=snapshot.misvoted() if isinstance(snapshot, SettledSnapshot) else [],
        )

    def parts(self, token: Token) -> list[str]:
        """What there is to have now, in words."""
        named = [
            ("pay", self.pay or 0, f" for {counted(len(self.rounds), 'round')}"),
            ("fees", self.fees, ""),
            ("bond", self.bond, ""),
            ("rest", self.rest, ""),
        ]
        unknown = ["pay that can't be worked out"] if self.pay is None else []
        return unknown + [f"{name} {token.text(amount)}{more}" for name, amount, more in named if amount]


def show_later(console: Console, view: OwedView, token: Token) -> None:
    """What can't be had yet, or not any more."""
    for what, item in view.later.items():
        when = f"from {moment(item.from_)}" if item.from_ else "after the job's end"
        console.print(f"    {what} {token.text(item.amount)} {when}")
    if view.expired:
        console.print("    the time to claim pay and fees is over")
    if view.misvoted_rounds:
        rounds = numbered("round", view.misvoted_rounds)
        console.print(f"    [red]wrong rewards were voted for {rounds}: nobody can claim those[/]")


def moment(timestamp: int) -> str:
    """A block's time in the local time zone."""
    return datetime.fromtimestamp(timestamp).isoformat(" ", "seconds") if timestamp else "the job's end"
