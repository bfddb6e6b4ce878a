"""Contracts, keystores and tokens on a fresh local chain, and accounts to play every part."""

from __future__ import annotations

import shutil
from pathlib import Path

from hansa.devnet.anvil import Anvil, published_key, require_local
from hansa.protocol.types import Address
from hansa.runtime.accounts import PASSWORD_FILE, load_account
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


def account_names(trainers: int, validators: int) -> list[str]:
    """Who gets the published accounts, in order."""
    parts = [f"trainer-{i}" for i in range(1, trainers + 1)] + [f"validator-{i}" for i in range(1, validators + 1)]
    return ["sponsor", *parts]


def bootstrap(
    workspace: Workspace, anvil: Anvil, names: list[str], *, name: str, store: dict[str, str] | None = None
) -> Deployment:
    """Contracts, keystores and tokens on a fresh local chain; writes DIR/deployment.json."""
    chain = Chain([anvil.url], None, ws=anvil.ws)
    require_local(chain.chain_id)
    shutil.rmtree(workspace.dir / "journals", ignore_errors=True)  # of a chain that is gone
    addresses = make_keystores(workspace.keys, names)
    sponsor = load_account(workspace, names[0])
    with signing_with(chain, sponsor, workspace.journal(sponsor.address)) as signer:
        settings = store or store_settings("local", workspace.dir)
        deployment = deploy_contracts(signer, draft([anvil.url], name=name, store=settings, ws=anvil.ws))
        for address in list(addresses.values())[1:]:
            signer.do(transfer_call(deployment.token, address, TOKENS_EACH))
    deployment.save(workspace.deployment_file)
    return deployment


def make_keystores(directory: Path, names: list[str]) -> dict[str, Address]:
    """Keystores of anvil's published accounts by name, with the password beside them: they belong to everybody."""
    private_folder(directory)
    write_atomically(directory / PASSWORD_FILE, b"hansa\n", OWNER)
    addresses = {}
    for index, name in enumerate(names):
        path = directory / f"{name}.json"
        path.unlink(missing_ok=True)
        account = Keyfile.create(path, "hansa", private_key=published_key(index), light=True)
        addresses[name] = Address(account.address)
    return addresses
