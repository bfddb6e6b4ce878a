"""`hansa credential verify`: whether a credential counts, now, by what the chain says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hansa.cli.command import Command
from hansa.cli.credential.view import schema_in_words
from hansa.protocol.credential import PARTICIPANT, schema_of
from hansa.protocol.did import did_of, parse_did
from hansa.protocol.errors import FatalError
from hansa.protocol.jwt import LONGEST
from hansa.protocol.types import Address
from hansa.runtime.accounts import address_of
from hansa.runtime.identity.credentials import CredentialBook
from hansa.runtime.identity.registry import Registry
from hansa.runtime.session import Session, connect


@dataclass(frozen=True)
class VerifiedView:
    issuer: str | None  # a DID; None: no credential of it was found
    subject: str  # a DID
    schema: str  # hash
    uid: str | None
    valid: bool
    faults: list[str]  # why it does not count


def run(
    command: Command,
    what: Annotated[
        str,
        typer.Argument(help="A file with a VC-JWT, or an account: its keystore's name or address.", metavar="WHAT"),
    ],
    issuer: Annotated[
        str | None,
        typer.Option("--issuer", help="Whose word counts: a keystore's name, or an address. An account needs it."),
    ] = None,
    schema: Annotated[
        str | None,
        typer.Option(
            "--schema",
            help="What it must say; of a token anything, of an account 'participant' by default.",
            metavar="SCHEMA",
        ),
    ] = None,
) -> None:
    """Check a VC-JWT, or what an issuer says of an account: signature, times, revocation.

    Ends with 1 where it does not count.
    """
    workspace = command.workspace
    session = connect(workspace)
    by = None if issuer is None else address_of(workspace, issuer)
    file = Path(what)
    if file.is_file():
        view = verify_token(session, _read(file), by, schema)
    else:
        view = verify_account(session, address_of(workspace, what), by, schema or PARTICIPANT)
    command.answer(view, lambda console: show(console, view))
    if not view.valid:
        raise typer.Exit(1)


def verify_token(session: Session, token: str, issuer: Address | None, schema: str | None) -> VerifiedView:
    """What a token claims, and whether it holds. issuer: whose word counts; None: whoever's it is. schema: what it must
    say; None: anything."""
    registry = Registry.of(session.chain, session.deployment)
    claim, faults = CredentialBook.of(session.chain, session.deployment).verify(token, registry)
    if issuer is not None and parse_did(claim.issuer).account != issuer:
        faults = [f"it is not by {issuer}", *faults]
    if schema is not None and claim.schema != schema_of(schema):
        faults = [f"it is not of schema {schema}", *faults]
    return VerifiedView(
        claim.issuer, claim.subject, f"0x{claim.schema.hex()}", f"0x{claim.uid.hex()}", not faults, faults
    )


def verify_account(session: Session, account: Address, issuer: Address | None, schema: str) -> VerifiedView:
    """What an issuer says of an account. FatalError without an issuer: anybody can vouch for anybody."""
    if issuer is None:
        raise FatalError(
            f"nobody is named who would vouch for {account}",
            cause="anybody can issue a credential about anybody",
            next_step="name whom you trust with --issuer",
        )
    asked = schema_of(schema)
    found = CredentialBook.of(session.chain, session.deployment).newest(issuer, asked, account)
    subject, by = (did_of(session.chain.chain_id, who) for who in (account, issuer))
    if found is None:
        said = f"{issuer} has issued it no credential of schema {schema}"
        return VerifiedView(None, subject, f"0x{asked.hex()}", None, False, [said])
    uid = f"0x{found.credential.uid.hex()}"
    return VerifiedView(by, subject, f"0x{asked.hex()}", uid, not found.faults, found.faults)


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(LONGEST + 2).decode("ascii")
    except OSError as error:
        raise FatalError(f"{file} can't be read", cause=error.strerror) from error
    except UnicodeDecodeError as error:
        raise FatalError(f"{file} is not a JSON web token", cause="it is not text") from error


def show(console: Console, view: VerifiedView) -> None:
    """Who says it of whom, and whether it counts."""
    console.print(f"[bold]{view.subject}[/]\n  schema {schema_in_words(view.schema)}")
    if view.issuer is not None:
        console.print(f"  issuer {view.issuer}\n  uid    {view.uid}")
    console.print("  counts yes" if view.valid else f"  counts no: {'; '.join(view.faults)}")
