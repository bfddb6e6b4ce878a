"""`hansa id show`: an account's DID, its owner, its keys and delegates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from hansa.cli.command import Command
from hansa.cli.tables import named
from hansa.cli.wallet.owed import Who
from hansa.protocol.did import did_of, encryption_keys, signers_of
from hansa.protocol.types import Address
from hansa.runtime.accounts import address_of, names_of_accounts
from hansa.runtime.identity.keys import EncryptionKeys
from hansa.runtime.identity.registry import Registry
from hansa.runtime.session import Session, connect


@dataclass(frozen=True)
class IdentityView:
    did: str
    account: Address
    owner: Address  # who may change the identity
    signers: list[Address]  # whose signatures count for it
    announced_key: str | None  # X25519, on the federation: what updates are sealed to
    did_keys: list[str]  # X25519, that the DID names
    keys_agree: bool


def run(command: Command, who: Who = None) -> None:
    """Show an account's DID, who owns it and signs for it, and its encryption key in both places."""
    session = connect(command.workspace)
    view = identity_view(session, address_of(command.workspace, who))
    names = names_of_accounts(command.workspace.keys)
    command.answer(view, lambda console: show(console, view, names))


def identity_view(session: Session, account: Address) -> IdentityView:
    """An account's identity at the newest block."""
    registry, block = Registry.of(session.chain, session.deployment), session.chain.latest()
    did = did_of(session.chain.chain_id, account)
    document: dict[str, Any] = registry.resolve(did, block)
    keys = EncryptionKeys(session.federation.announced_key(account, block), encryption_keys(document))
    return IdentityView(
        did=did,
        account=account,
        owner=registry.owner(account, block),
        signers=sorted(signers_of(document, session.chain.chain_id)),
        announced_key=None if keys.announced is None else f"0x{keys.announced.hex()}",
        did_keys=[f"0x{key.hex()}" for key in keys.in_did],
        keys_agree=keys.agree,
    )


def show(console: Console, view: IdentityView, names: Mapping[Address, str]) -> None:
    """A line for each thing that others can know."""
    console.print(f"[bold]{view.did}[/]")
    console.print(f"  owner      {named(view.owner, names)}")
    for signer in view.signers:
        console.print(f"  signs      {named(signer, names)}")
    console.print(f"  key        {view.announced_key or 'none announced'}")
    for key in view.did_keys or ["none"]:
        console.print(f"  key in DID {key}")
    if not view.keys_agree:
        console.print("  the two differ: `hansa id key` makes them the same")
