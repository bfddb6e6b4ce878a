"""`hansa aggregator report`: who was at fault in a job's cycles loses 1 % of its stake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console

from hansa.cli.aggregator.stakes import pool_of
from hansa.cli.command import Command
from hansa.cli.daemon_options import JobOption
from hansa.cli.key_options import AccountName, FeeOptions, PasswordFile
from hansa.cli.tables import named
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.types import Address, JobId, Seat
from hansa.runtime.accounts import load_account, names_of_accounts
from hansa.runtime.chain.pool import Pool
from hansa.runtime.history.shown import ShownCycle, shown_cycles
from hansa.runtime.session import Session, connect
from hansa.runtime.snapshot import read_job
from hansa.runtime.transactions.signer import signing_with


@dataclass(frozen=True)
class FaultView:
    cycle: int  # counted from 1
    seat: int
    address: Address
    fault: str
    reported: bool


@dataclass(frozen=True)
class ReportView:
    job: int
    pool: Address
    faults: list[FaultView]


def run(
    command: Command,
    job: JobOption,
    *,
    send: Annotated[bool, typer.Option("--send", help="Report them; without it they are only listed.")] = False,
    account_name: AccountName = None,
    password_file: PasswordFile = None,
    fees: FeeOptions,
) -> None:
    """List who was at fault in a job's cycles; with --send, report them: 1 % of a stake is burnt.

    Faults are shown by the job's own history. Nobody is paid for a report; each costs the gas of a transaction.
    """
    session, workspace = connect(command.workspace), command.workspace
    number = JobId(job)
    pool = pool_of(session, session.federation.terms(number).committee)
    found = list(reportable(session, pool, number))
    if send and found:
        account = load_account(workspace, account_name, password_file)
        with signing_with(session.chain, account, workspace.journal(account.address), fees.caps) as signer:
            for shown, seat in found:
                signer.do(pool.report_call(number, seat, shown))
                signer.do(pool.weigh_call(shown.record.committee[seat]))
    names = names_of_accounts(workspace.keys)
    view = ReportView(job, pool.address, [_view(shown, seat, send) for shown, seat in found])
    command.answer(view, lambda console: show(console, view, {who: named(who, names) for who in names}))


def reportable(session: Session, pool: Pool, job: JobId) -> Iterator[tuple[ShownCycle, Seat]]:
    """Every fault of a drawn member that nobody has reported."""
    snapshot = read_job(session.federation, session.store, job)
    history, appointed = snapshot.history, pool.appointed()
    for shown in shown_cycles(session.chain.chain_id, session.deployment.federation, history):
        for seat in shown.faults:
            member = shown.record.committee[seat]
            if member not in appointed and not pool.is_reported(shown.record.seed, seat):
                yield shown, seat


def _view(shown: ShownCycle, seat: Seat, reported: bool) -> FaultView:
    member = shown.record.committee[seat]
    return FaultView(cycle_counter(shown.record.cycle), seat, member, shown.faults[seat], reported)


def show(console: Console, view: ReportView, names: dict[Address, str]) -> None:
    """Who did what, a line each."""
    if not view.faults:
        console.print(f"nobody that the pool {view.pool} has drawn for job {view.job} is to be reported")
        return
    for fault in view.faults:
        end = "reported: 1 % of its stake is burnt" if fault.reported else "not reported; --send does it"
        who = names.get(fault.address, fault.address)
        console.print(f"cycle {fault.cycle}, seat {fault.seat}: {who} {fault.fault} ({end})")
