"""`hansa id resolve`: the DID document of an account."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from hansa.cli.command import Command
from hansa.protocol.did import did_of
from hansa.runtime.accounts import address_of
from hansa.runtime.identity.registry import Registry
from hansa.runtime.session import connect


def run(
    command: Command,
    who: Annotated[str, typer.Argument(help="A DID, an address, or a keystore's name.", metavar="WHO")],
) -> None:
    """Print the W3C DID document of an account, as the registry's events make it."""
    session = connect(command.workspace)
    did = who if who.startswith("did:") else did_of(session.chain.chain_id, address_of(command.workspace, who))
    document = Registry.of(session.chain, session.deployment).resolve(did)
    text = json.dumps(document, indent=2)  # ASCII: whatever strangers wrote into it is escaped
    command.answer(document, lambda console: console.print(text, markup=False))
