"""`hansa credential list`: what was issued."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console

from hansa.cli.command import Command
from hansa.cli.credential.view import CredentialView, show
from hansa.protocol.types import Address
from hansa.runtime.accounts import address_of, names_of_accounts
from hansa.runtime.identity.credentials import CredentialBook
from hansa.runtime.session import connect


@dataclass(frozen=True)
class CredentialList:
    credentials: list[CredentialView]


def run(
    command: Command,
    subject: Annotated[
        str | None, typer.Argument(help="Only about this account: a keystore's name, or an address.", metavar="WHO")
    ] = None,
    issuer: Annotated[
        str | None, typer.Option("--issuer", help="Only by this account: a keystore's name, or an address.")
    ] = None,
) -> None:
    """Every credential of the deployment, oldest first, and whether it counts."""
    workspace = command.workspace
    session = connect(workspace)
    by, about = (None if who is None else address_of(workspace, who) for who in (issuer, subject))
    found = CredentialBook.of(session.chain, session.deployment).issued(by, about)
    view = CredentialList([CredentialView.of(each) for each in found])
    command.answer(view, lambda console: _show(console, view, names_of_accounts(workspace.keys)))


def _show(console: Console, view: CredentialList, names: Mapping[Address, str]) -> None:
    for each in view.credentials:
        show(console, each, names)
    if not view.credentials:
        console.print("there are none; `hansa credential issue` makes one")
