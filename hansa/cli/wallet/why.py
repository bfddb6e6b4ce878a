"""`hansa wallet why`: the reasons of every payment to an account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console

from hansa.cli.command import Command
from hansa.cli.document import INLINE, OMIT_NONE
from hansa.cli.wallet.escrow_receipt import (
    EscrowReceipt,
    FeeReceipt,
    escrow_receipt,
    fee_receipt,
    show_escrow,
    show_fees,
)
from hansa.cli.wallet.owed import Who
from hansa.cli.wallet.portfolio import Portfolio, Problem
from hansa.cli.wallet.trainer_receipt import TrainerReceipt, check_round, show_receipt, trainer_receipt
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address
from hansa.runtime.accounts import address_of
from hansa.runtime.amounts import Token
from hansa.runtime.session import connect
from hansa.runtime.snapshot import JobSnapshot, SettledSnapshot


@dataclass(frozen=True)
class WhyView:
    """What an account was paid and why, by its parts in the job: those that it has."""

    job: int
    address: Address
    trainer: Annotated[TrainerReceipt | None, INLINE]
    seat: Annotated[FeeReceipt | None, OMIT_NONE]
    escrow: Annotated[EscrowReceipt | None, OMIT_NONE]
    problems: list[Problem]


def run(
    command: Command,
    who: Who = None,
    job: Annotated[
        int | None, typer.Option("--job", help="The last one that the account took part in by default.")
    ] = None,
    round_: Annotated[int | None, typer.Option("--round", help="Only this round, in full.")] = None,
) -> None:
    """Explain a trainer's pay, a validator's fees and a sponsor's escrow, to the last unit.

    A trainer's pay: verdicts, measurements, averages, share. A validator's fees: what it matched, what it lost and why.
    What became of a sponsor's escrow. All of it equal to the chain.
    """
    session = connect(command.workspace)
    address = address_of(command.workspace, who)
    portfolio = Portfolio(session, address, job)
    snapshot = portfolio.last()
    if snapshot is None:
        portfolio.report_problems()
        where = f"job {job}" if job is not None else "any job"
        raise FatalError(f"{address} has no part in {where}", next_step="`hansa job show JOB` lists who has")
    view = explain(snapshot, address, round_, portfolio.problems)
    token = session.token(snapshot.terms.token)
    command.answer(view, lambda console: show(console, view, token))
    portfolio.report_problems()


def explain(snapshot: JobSnapshot, address: Address, round_: int | None, problems: list[Problem]) -> WhyView:
    """Every part that an account has in a job, of all rounds or one; FatalError where that isn't finalised."""
    check_round(snapshot, round_)
    settled = snapshot if isinstance(snapshot, SettledSnapshot) else None
    return WhyView(
        job=snapshot.job,
        address=address,
        trainer=trainer_receipt(settled, address, round_) if settled and address in snapshot.trainers else None,
        seat=fee_receipt(snapshot, address, round_) if address in snapshot.members() else None,
        escrow=escrow_receipt(settled, round_) if settled and address == snapshot.state.sponsor else None,
        problems=problems,
    )


def show(console: Console, view: WhyView, token: Token) -> None:
    """Each receipt after the other."""
    if view.trainer is not None:
        show_receipt(console, view.trainer, token, f"[bold]{view.address}[/] in job {view.job}")
    else:
        console.print(f"[bold]{view.address}[/] in job {view.job}")
    if view.seat is not None:
        show_fees(console, view.seat, token)
    if view.escrow is not None:
        show_escrow(console, view.escrow, token)
