"""`hansa credential revoke`: takes back what was vouched for."""

from __future__ import annotations

from hansa.cli.command import Command
from hansa.cli.credential.view import CredentialView, SchemaName, Subject, show
from hansa.cli.key_options import AccountName, FeeOptions, PasswordFile
from hansa.protocol.credential import PARTICIPANT, schema_of
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address
from hansa.runtime.accounts import address_of, load_account, names_of_accounts
from hansa.runtime.identity.credentials import CredentialBook
from hansa.runtime.session import connect
from hansa.runtime.transactions.signer import signing_with


def run(
    command: Command,
    subject: Subject,
    *,
    schema: SchemaName = PARTICIPANT,
    account_name: AccountName = None,
    password_file: PasswordFile = None,
    fees: FeeOptions,
) -> None:
    """Revoke the latest credential that you issued about an account: it enrols no more by it.

    Where a job asks again at every submission, the next one is refused. What it was admitted to counts, and is paid.
    """
    workspace = command.workspace
    account = load_account(workspace, account_name, password_file)
    issuer, about, hashed = Address(account.address), address_of(workspace, subject), schema_of(schema)
    session = connect(workspace)
    book = CredentialBook.of(session.chain, session.deployment)
    found = book.newest(issuer, hashed, about)
    if found is None or found.credential.revoked:
        raise FatalError(
            f"there is nothing to revoke of {about}",
            cause=f"{issuer} {'has revoked it already' if found else 'has issued it no credential'} of schema {schema}",
            next_step="`hansa credential list` shows all",
        )
    with signing_with(session.chain, account, workspace.journal(issuer), fees.caps) as signer:
        signer.do(book.revoke(found.credential.uid))
    done = book.newest(issuer, hashed, about)
    assert done is not None
    view = CredentialView.of(done)
    command.answer(view, lambda console: show(console, view, names_of_accounts(workspace.keys)))
