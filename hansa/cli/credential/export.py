"""`hansa credential export`: a credential of the chain as a W3C verifiable credential."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hansa.cli.command import Command
from hansa.cli.credential.view import SchemaName, Subject
from hansa.cli.file_options import Force, require_new
from hansa.cli.key_options import AccountName, PasswordFile
from hansa.protocol import jwt
from hansa.protocol.credential import PARTICIPANT, claims_of, schema_of
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address
from hansa.runtime.accounts import address_of, load_account
from hansa.runtime.files import unwritable, write_atomically
from hansa.runtime.identity.credentials import CredentialBook
from hansa.runtime.session import connect


@dataclass(frozen=True)
class ExportedView:
    uid: str
    jwt: str
    file: str | None


def run(
    command: Command,
    subject: Subject,
    *,
    schema: SchemaName = PARTICIPANT,
    out: Annotated[Path | None, typer.Option("--out", help="By default it is printed.", metavar="FILE")] = None,
    force: Force = False,
    account_name: AccountName = None,
    password_file: PasswordFile = None,
) -> None:
    """Sign the latest credential that you issued about an account as a W3C VC-JWT, to be handed to it.

    Its status names the one on chain: once that is revoked, this one counts no more.
    """
    workspace = command.workspace
    if out is not None:
        require_new(out, force)
    account = load_account(workspace, account_name, password_file)
    issuer, about = Address(account.address), address_of(workspace, subject)
    session = connect(workspace)
    book = CredentialBook.of(session.chain, session.deployment)
    found = book.newest(issuer, schema_of(schema), about)
    if found is None or found.faults:
        raise FatalError(
            f"there is no credential of {about} to export",
            cause="; ".join(found.faults) if found else f"{issuer} has issued it none of schema {schema}",
            next_step="issue one with `hansa credential issue`",
        )
    claims = claims_of(found.credential, session.chain.chain_id, book.address, schema)
    token = jwt.sign(claims, bytes(account.key))
    if out is not None:
        try:
            write_atomically(out, f"{token}\n".encode())
        except OSError as error:
            raise unwritable(out, error) from error
    view = ExportedView(f"0x{found.credential.uid.hex()}", token, None if out is None else str(out))
    command.answer(view, lambda console: _show(console, view))


def _show(console: Console, view: ExportedView) -> None:
    console.print(view.jwt if view.file is None else f"wrote {view.file}: credential {view.uid}", markup=False)
