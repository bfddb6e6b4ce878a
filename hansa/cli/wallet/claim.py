"""`hansa wallet claim`: takes what jobs owe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console

from hansa.cli.command import Command
from hansa.cli.document import Amount
from hansa.cli.key_options import AccountName, FeeOptions, PasswordFile
from hansa.cli.tables import named
from hansa.cli.wallet.owed import JobChoice, OwedView, show_later
from hansa.cli.wallet.portfolio import Portfolio, Problem
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address, Wei
from hansa.runtime.accounts import address_of, load_account, names_of_accounts
from hansa.runtime.claims import claim
from hansa.runtime.session import Session, connect
from hansa.runtime.transactions.signer import signing_with

WAITING = (
    "Any running daemon of it moves it on: wait, or start yours (`hansa trainer run`, `hansa aggregator run`); "
    "its sponsor can end it with `hansa job stop {job}`."
)


@dataclass(frozen=True)
class ClaimedView:
    address: Address
    jobs: list[OwedView]
    gas_paid: Amount  # wei, by the signing account; what a rollup asks for the chain below is in it
    problems: list[Problem]


def run(
    command: Command,
    *,
    who: Annotated[str | None, typer.Option("--for", help="Whom to claim for; the signing account by default.")] = None,
    job: JobChoice = None,
    account_name: AccountName = None,
    password_file: PasswordFile = None,
    fees: FeeOptions,
) -> None:
    """Claim pay, fees, bonds and a sponsor's rest, all rounds of a job at once.

    Anyone may claim for anyone.
    """
    workspace = command.workspace
    session = connect(workspace)
    account = load_account(workspace, account_name, password_file)
    target = address_of(workspace, who if who is not None else account.address)
    portfolio = Portfolio(session, target, job)
    rows = []
    with signing_with(session.chain, account, workspace.journal(account.address), fees.caps) as signer:
        for number in portfolio.jobs:
            if (snapshot := portfolio.read(number)) is None:
                continue
            try:
                rows.append(OwedView.of(snapshot, claim(snapshot, session.federation, signer, target)))
            except FatalError as error:
                portfolio.add(number, str(error))
    view = ClaimedView(target, rows, Wei(signer.paid), portfolio.problems)
    names = names_of_accounts(workspace.keys)
    command.answer(view, lambda console: show(console, view, session, names))
    portfolio.report_problems()


def show(console: Console, view: ClaimedView, session: Session, names: Mapping[Address, str]) -> None:
    """A line or more a job."""
    for row in view.jobs:
        token = session.token(row.token)
        parts = row.parts(token)
        console.print(f"job {row.job}: " + (f"claimed {', '.join(parts)}" if parts else "nothing to claim now"))
        show_later(console, row, token)
        if row.phase == "LAPSED":
            console.print(f"    a phase of job {row.job} has run out. {WAITING.format(job=row.job)}")
    if view.gas_paid:
        console.print(f"for {view.gas_paid / 1e18:.6f} of the chain's coin")
    if not view.jobs:
        console.print(f"{named(view.address, names)} takes part in no job")
