"""`hansa wallet history`: movements of tokens between one account and the vault, and what its jobs burnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from hansa.cli.command import Command
from hansa.cli.document import Amount
from hansa.cli.tables import named
from hansa.cli.wallet.owed import JobChoice, Who, moment
from hansa.protocol.tables import MOVEMENTS
from hansa.protocol.types import Address, JobId
from hansa.runtime.accounts import address_of, names_of_accounts
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.client import Log
from hansa.runtime.session import Session, connect


@dataclass(frozen=True)
class MovementRow:
    time: int
    block: int
    job: int
    kind: str  # the event
    what: str
    amount: Amount  # negative where the account paid
    moved: Amount  # to the account, negative from it; 0 where nothing was
    token: Address


@dataclass(frozen=True)
class HistoryView:
    address: Address
    movements: list[MovementRow]


def run(command: Command, who: Who = None, job: JobChoice = None) -> None:
    """Every movement of tokens between an account and the vault, and what its jobs burnt.

    Oldest first.
    """
    session = connect(command.workspace)
    address = address_of(command.workspace, who)
    view = HistoryView(address, movements(session, address, job))
    names = names_of_accounts(command.workspace.keys)
    command.answer(view, lambda console: show(console, view, session, names))


def movements(session: Session, account: Address, job: int | None) -> list[MovementRow]:
    """Oldest first; a claim of a round that paid nothing is left out."""
    vault = artifact("Vault")
    events = {vault.event(name).topic: name for name in MOVEMENTS}
    times: dict[int, int] = {}
    rows = []
    for log in _read_logs(session, account, job):
        name = events[log.topics[0]]
        values = vault.event(name).decode(log.topics, log.data)
        amount = int(values.get("amount", values.get("penalty", 0)))
        if not amount:
            continue
        if log.block not in times:
            times[log.block] = session.chain.block(log.block).timestamp
        kind = MOVEMENTS[name]
        rows.append(
            MovementRow(
                time=times[log.block],
                block=log.block,
                job=int(values["job"]),
                kind=name,
                what=kind.what.format(**values),
                amount=amount * kind.to_account if kind.to_account else amount,
                moved=amount * kind.to_account,
                token=session.federation.terms(JobId(int(values["job"]))).token,
            )
        )
    return rows


def _read_logs(session: Session, account: Address, job: int | None) -> list[Log]:
    """Events that name the account, and the burnings of jobs whose escrow it paid in; in order."""
    vault, deployment, head = artifact("Vault"), session.deployment, session.chain.head()
    topic = {name: vault.event(name).topic for name in MOVEMENTS}

    def read(topics: Sequence[Any]) -> list[Log]:
        return list(session.chain.logs(deployment.vault, topics, deployment.first_block, head))

    of_job = None if job is None else job.to_bytes(32, "big")
    found = read([list(topic.values()), of_job, bytes(12) + bytes.fromhex(account[2:])])
    for sponsored in [log.topics[1] for log in found if log.topics[0] == topic["Deposited"]]:
        found += read([topic["Burnt"], sponsored])
    return sorted(found, key=lambda log: (log.block, log.index))


def show(console: Console, view: HistoryView, session: Session, names: Mapping[Address, str]) -> None:
    """A line a movement, and what they come to by token."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("when", "block", "job", "what", "amount"):
        table.add_column(heading, justify="right" if heading == "amount" else "left", no_wrap=heading != "what")
    for row in view.movements:
        amount = session.token(row.token).text(row.amount)
        table.add_row(moment(row.time), str(row.block), str(row.job), row.what, amount)
    if not view.movements:
        console.print(f"no tokens have moved between {named(view.address, names)} and the vault")
        return
    console.print(table)
    for token in dict.fromkeys(row.token for row in view.movements):
        moved = sum(row.moved for row in view.movements if row.token == token)
        console.print(f"in all, from the vault to {named(view.address, names)}: {session.token(token).text(moved)}")
