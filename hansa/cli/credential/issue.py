"""`hansa credential issue`: vouches for an account."""

from __future__ import annotations

from typing import Annotated

import typer

from hansa.cli.command import Command
from hansa.cli.credential.view import CredentialView, SchemaName, Subject, show
from hansa.cli.key_options import AccountName, FeeOptions, PasswordFile
from hansa.protocol.credential import PARTICIPANT, schema_of
from hansa.runtime.accounts import address_of, load_account, names_of_accounts
from hansa.runtime.identity.credentials import CredentialBook, Found
from hansa.runtime.session import connect
from hansa.runtime.transactions.signer import signing_with
from hansa.sponsor.terms import seconds


def run(
    command: Command,
    subject: Subject,
    *,
    schema: SchemaName = PARTICIPANT,
    lasts: Annotated[str, typer.Option("--for", help="How long it counts, like 90d.", metavar="TIME")] = "365d",
    account_name: AccountName = None,
    password_file: PasswordFile = None,
    fees: FeeOptions,
) -> None:
    """Issue a credential about an account, on chain, for everybody to read; it takes the place of an earlier one."""
    workspace = command.workspace
    account = load_account(workspace, account_name, password_file)
    about, hashed, validity = address_of(workspace, subject), schema_of(schema), seconds(lasts)
    session = connect(workspace)
    book = CredentialBook.of(session.chain, session.deployment)
    expires = session.chain.latest().timestamp + validity
    with signing_with(session.chain, account, workspace.journal(account.address), fees.caps) as signer:
        uid = book.issued_in(signer.do(book.attest(hashed, about, expires)))
    view = CredentialView.of(Found(book.credential(uid), []))
    command.answer(view, lambda console: show(console, view, names_of_accounts(workspace.keys)))
