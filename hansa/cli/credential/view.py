"""A credential, as commands show it; options that name its issuer and schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console

from hansa.cli.tables import named
from hansa.protocol.credential import PARTICIPANT, schema_of
from hansa.protocol.types import Address
from hansa.runtime.calendar import utc
from hansa.runtime.identity.credentials import Found

Subject = Annotated[str, typer.Argument(help="Whom it is about: a keystore's name, or an address.", metavar="WHO")]
SchemaName = Annotated[
    str, typer.Option("--schema", help="What it says: a name, or 0x and 64 digits.", metavar="SCHEMA")
]


@dataclass(frozen=True)
class CredentialView:
    uid: str
    issuer: Address
    subject: Address
    schema: str  # hash
    time: int  # Unix time, as the next two
    expires: int
    revoked: int  # 0: it is not
    data: str
    valid: bool
    faults: list[str]  # why it does not count

    @classmethod
    def of(cls, found: Found) -> CredentialView:
        one = found.credential
        return cls(
            uid=f"0x{one.uid.hex()}",
            issuer=one.issuer,
            subject=one.subject,
            schema=f"0x{one.schema.hex()}",
            time=one.time,
            expires=one.expires,
            revoked=one.revoked,
            data=f"0x{one.data.hex()}",
            valid=not found.faults,
            faults=found.faults,
        )


def show(console: Console, view: CredentialView, names: Mapping[Address, str]) -> None:
    """What it says, of whom, by whom, and whether it counts."""
    said = f"is {schema_in_words(view.schema)}, says {named(view.issuer, names)}"
    console.print(f"[bold]{named(view.subject, names)}[/] {said}")
    counts = "yes" if view.valid else f"no: {'; '.join(view.faults)}"
    console.print(f"  uid    {view.uid}\n  until  {utc(view.expires)}\n  counts {counts}")


def schema_in_words(schema: str) -> str:
    """The name of the schema that is used where none is named; of others the hash."""
    return PARTICIPANT if schema == f"0x{schema_of(PARTICIPANT).hex()}" else schema
