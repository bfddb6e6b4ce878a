"""Contracts, keystores and tokens on a fresh local chain, and accounts to play every part."""

from __future__ import annotations

from pathlib import Path

from eth_account import Account

from hansa.devnet.anvil import Anvil, published_address, published_key, require_local
from hansa.devnet.folder import PASSWORD, Devnet
from hansa.protocol.errors import BadKey
from hansa.protocol.types import Address
from hansa.runtime.accounts import PASSWORD_FILE
from hansa.runtime.chain.calls import transfer_call
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.deploy import deploy_contracts, store_settings
from hansa.runtime.deploy_check import draft
from hansa.runtime.files import OWNER, private_folder, write_atomically
from hansa.runtime.keystore import Keyfile
from hansa.runtime.transactions.signer import signing_with
from hansa.runtime.workspace import Workspace

TOKENS_EACH = 10_000 * 10**18


def bootstrap(
    workspace: Workspace, anvil: Anvil, names: list[str], *, name: str, store: dict[str, str] | None = None
) -> Deployment:
    """Contracts, keystores and tokens on a fresh local chain; writes DIR/deployment.json. No key is overwritten."""
    chain = Chain(anvil.urls, None, ws=anvil.ws)
    require_local(chain.chain_id)
    addresses = make_keystores(workspace.keys, names)
    sponsor = Account.from_key(published_key(0))
    with signing_with(chain, sponsor, workspace.journal(sponsor.address)) as signer:
        settings = store or store_settings("local", workspace.dir)
        planned = draft(anvil.urls, name=name, store=settings, ws=anvil.ws, confirmations=anvil.confirmations)
        deployment = deploy_contracts(signer, planned)
        for address in list(addresses.values())[1:]:
            signer.do(transfer_call(deployment.token, address, TOKENS_EACH))
    if (made := Devnet.load(workspace.dir)) is not None:
        made.save(workspace.dir, federation=deployment.federation)
    deployment.save(workspace.deployment_file)
    return deployment


def make_keystores(directory: Path, names: list[str]) -> dict[str, Address]:
    """Keystores of anvil's published accounts by name, with the password beside them: they belong to everybody.

    Those that are there already stay; BadKey where a file of theirs is something else.
    """
    private_folder(directory)
    word = directory / PASSWORD_FILE
    if word.exists() and word.read_bytes().strip() != PASSWORD.encode():
        raise BadKey(f"{word} is another password", next_step="name another directory with --dir")
    write_atomically(word, f"{PASSWORD}\n".encode(), OWNER)
    addresses = {name: published_address(index) for index, name in enumerate(names)}
    for index, (name, address) in enumerate(addresses.items()):
        path = directory / f"{name}.json"
        if not path.exists():
            Keyfile.create(path, PASSWORD, private_key=published_key(index), light=True)
        elif Keyfile.address(path) != address:
            raise BadKey(f"{path} is another account's", next_step="name another directory with --dir")
    return addresses
