"""`hansa wallet list`: the keystores that are here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from eth_utils.address import to_checksum_address
from rich.console import Console

from hansa.cli.command import Command
from hansa.cli.document import INLINE, Amount
from hansa.protocol.errors import HansaError
from hansa.protocol.types import Address
from hansa.runtime.accounts import UNTOLD, keystores
from hansa.runtime.amounts import Token
from hansa.runtime.session import Session, connect
from hansa.runtime.workspace import Workspace


@dataclass(frozen=True)
class Balances:
    coins: Amount
    balance: Amount
    token: Address


@dataclass(frozen=True)
class KeystoreRow:
    name: str
    address: Address | None  # None: the file says none
    balances: Annotated[Balances | None, INLINE]  # None: no chain answers, or no address is known


@dataclass(frozen=True)
class KeystoreList:
    accounts: list[KeystoreRow]
    chain_problem: str | None


def run(command: Command) -> None:
    """Every keystore of DIR/keys, with its balances where a chain answers."""
    session, problem = _reach_chain(command.workspace)
    rows = []
    for path, found in keystores(command.workspace.keys):
        address = None if found is None else Address(to_checksum_address(found))
        held = None if session is None or address is None else read_balances(session, address)
        rows.append(KeystoreRow(path.stem, address, held))
    view = KeystoreList(rows, problem)
    command.answer(view, lambda console: show(console, view, command.workspace.keys, session))


def _reach_chain(workspace: Workspace) -> tuple[Session | None, str | None]:
    try:
        session = connect(workspace)
        session.federation.check()
        return session, None
    except HansaError as error:
        return None, str(error)


def read_balances(session: Session, address: Address) -> Balances:
    """What an account has of the chain's coin and of the deployment's token."""
    token = Address(session.deployment.token)
    return Balances(session.chain.balance(address), session.federation.token_balance(token, address), token)


def balances_text(balances: Balances, token: Token) -> str:
    return f"{token.text(balances.balance)}, {balances.coins / 1e18:.4f} of the chain's coin"


def show(console: Console, view: KeystoreList, keys: Path, session: Session | None) -> None:
    """A line a keystore."""
    width = max((len(row.name) for row in view.accounts), default=0)
    for row in view.accounts:
        held = ""
        if session is not None and row.balances is not None:
            held = f"  {balances_text(row.balances, session.token())}"
        console.print(f"{row.name:{width}}  {row.address or UNTOLD}{held}")
    if not view.accounts:
        console.print(f"{keys} holds no keystores; `hansa wallet new NAME` makes one")
    elif view.chain_problem:
        console.print(f"[dim]no balances: {view.chain_problem}[/]")
