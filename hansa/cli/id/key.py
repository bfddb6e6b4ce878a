"""`hansa id key`: announces an account's encryption key, on the federation and in its DID."""

from __future__ import annotations

from rich.console import Console

from hansa.cli.command import Command
from hansa.cli.id.show import IdentityView, identity_view, show
from hansa.cli.key_options import AccountName, FeeOptions, PasswordFile
from hansa.protocol import envelope
from hansa.protocol.types import Address
from hansa.runtime.accounts import load_account, names_of_accounts
from hansa.runtime.identity.keys import read_keys
from hansa.runtime.keystore import encryption_secret
from hansa.runtime.session import connect
from hansa.runtime.transactions.signer import signing_with


def run(
    command: Command,
    *,
    account_name: AccountName = None,
    password_file: PasswordFile = None,
    fees: FeeOptions,
) -> None:
    """Announce the account's encryption key on the federation and in its DID, where it isn't there already.

    It follows from the account's own key. Other keys that the DID names are revoked there.
    """
    workspace = command.workspace
    account = load_account(workspace, account_name, password_file)
    session, me = connect(workspace), Address(account.address)
    key = envelope.public_key(encryption_secret(account))
    calls = read_keys(session, me).missing(session, me, key)
    if calls:
        with signing_with(session.chain, account, workspace.journal(me), fees.caps) as signer:
            for call in calls:
                signer.do(call)
    view = identity_view(session, me)
    command.answer(view, lambda console: _show(console, view, len(calls), names_of_accounts(workspace.keys)))


def _show(console: Console, view: IdentityView, sent: int, names: dict[Address, str]) -> None:
    console.print("announced:" if sent else "it was announced already:")
    show(console, view, names)
