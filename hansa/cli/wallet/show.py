"""`hansa wallet show`: what an account has, and is owed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from rich.console import Console

from hansa.cli.command import Command
from hansa.cli.document import INLINE
from hansa.cli.tables import named
from hansa.cli.wallet.list import Balances, balances_text, read_balances
from hansa.cli.wallet.owed import JobChoice, OwedView, Who, show_later
from hansa.cli.wallet.portfolio import Portfolio, Problem
from hansa.protocol.types import Address
from hansa.runtime.accounts import address_of, names_of_accounts
from hansa.runtime.claims import owed
from hansa.runtime.session import Session, connect


@dataclass(frozen=True)
class WalletView:
    address: Address
    balances: Annotated[Balances, INLINE]
    symbol: str
    decimals: int
    jobs: list[OwedView]
    problems: list[Problem]


def run(command: Command, who: Who = None, job: JobChoice = None) -> None:
    """Coins and tokens of an account, and what every job owes it."""
    session = connect(command.workspace)
    address = address_of(command.workspace, who)
    portfolio = Portfolio(session, address, job)
    found = [snapshot for number in portfolio.jobs if (snapshot := portfolio.read(number)) is not None]
    jobs = [OwedView.of(snapshot, owed(snapshot, session.federation, address)) for snapshot in found]
    token = session.token()
    view = WalletView(
        address=address,
        balances=read_balances(session, address),
        symbol=token.symbol,
        decimals=token.decimals,
        jobs=jobs,
        problems=portfolio.problems,
    )
    names = names_of_accounts(command.workspace.keys)
    command.answer(view, lambda console: show(console, view, session, names))
    portfolio.report_problems()


def show(console: Console, view: WalletView, session: Session, names: Mapping[Address, str]) -> None:
    """Balances, then a line or more a job."""
    console.print(f"[bold]{named(view.address, names)}[/]\n  {balances_text(view.balances, session.token())}")
    for row in view.jobs:
        token = session.token(row.token)
        parts = row.parts(token)
        console.print(
            f"  job {row.job} ({row.phase}): " + (f"owes {', '.join(parts)}" if parts else "owes nothing now")
        )
        show_later(console, row, token)
    if not view.jobs:
        console.print("  takes part in no job")
