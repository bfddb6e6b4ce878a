"""`hansa id delegate`: another account signs for this one's DID, or no longer."""

from __future__ import annotations

from typing import Annotated

import typer

from hansa.cli.command import Command
from hansa.cli.id.show import identity_view, show
from hansa.cli.key_options import AccountName, FeeOptions, PasswordFile
from hansa.protocol.types import Address
from hansa.runtime.accounts import address_of, load_account, names_of_accounts
from hansa.runtime.identity.registry import Registry
from hansa.runtime.session import connect
from hansa.runtime.transactions.signer import signing_with
from hansa.sponsor.terms import seconds


def run(
    command: Command,
    delegate: Annotated[str, typer.Argument(help="Who: a keystore's name, or an address.", metavar="WHO")],
    *,
    lasts: Annotated[str, typer.Option("--for", help="How long, like 30d.", metavar="TIME")] = "30d",
    authenticate: Annotated[
        bool, typer.Option("--authenticate", help="It may log in as this account too, not only sign.")
    ] = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="Take it back.")] = False,
    account_name: AccountName = None,
    password_file: PasswordFile = None,
    fees: FeeOptions,
) -> None:
    """Let another account sign credentials for this one's DID, for a time; --revoke takes that back.

    It acts in no job for this one, and moves none of its tokens.
    """
    workspace = command.workspace
    other, kind = address_of(workspace, delegate), "sigAuth" if authenticate else "veriKey"
    validity = seconds(lasts)
    account = load_account(workspace, account_name, password_file)
    session, me = connect(workspace), Address(account.address)
    registry = Registry.of(session.chain, session.deployment)
    call = registry.revoke_delegate(me, kind, other) if revoke else registry.add_delegate(me, kind, other, validity)
    with signing_with(session.chain, account, workspace.journal(me), fees.caps) as signer:
        signer.do(call)
    view = identity_view(session, me)
    command.answer(view, lambda console: show(console, view, names_of_accounts(workspace.keys)))
