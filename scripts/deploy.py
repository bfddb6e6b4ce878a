"""Deploys Hansa with brownie and writes the deployment.json that `hansa` reads, as `hansa deploy` does.

    brownie run deploy --network anvil                      or ganache-cli
    brownie run deploy main my-account --network sepolia    an account of `brownie accounts list`

HANSA_DIR (default .hansa) is where the file goes. Start `anvil` or `ganache-cli` before to keep the chain: one that
brownie starts ends with the script.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from brownie import (
    Credentials,
    DidRegistry,
    Federation,
    OpenAdmission,
    RewardToken,
    Terms,
    accounts,
    network,
    rpc,
    web3,
)
from brownie._config import CONFIG
from web3 import HTTPProvider, Web3
from web3.exceptions import Web3Exception

from hansa.protocol.text import carries_secret
from hansa.runtime.chain.deployment import Allowed, Deployment
from hansa.runtime.deploy import SUPPLY, store_settings
from hansa.runtime.secrets import require_no_secrets

LIVE_CONFIRMATIONS = 3


def main(account: str | None = None) -> None:
    directory = Path(os.environ.get("HANSA_DIR", ".hansa"))
    file = directory / "deployment.json"
    if file.exists() and is_alive(Deployment.load(file)):
        raise FileExistsError(f"{file} exists: name another directory with HANSA_DIR, or move that file away")

    url = shareable(web3.provider.endpoint_uri, CONFIG.active_network["host"])
    sender = {"from": signer(account)}
    Terms.deploy(sender)  # brownie links it into the next
    federation = Federation.deploy(sender)
    admission = OpenAdmission.deploy(sender)
    token = RewardToken.deploy(SUPPLY, sender)
    registry, credentials = DidRegistry.deploy(sender), Credentials.deploy(sender)
    made = Deployment(
        name="hansa",
        chain_id=web3.eth.chain_id,
        rpc=[url],
        ws=None,
        federation=federation.address,
        vault=federation.vault(),
        token=token.address,
        admission=admission.address,
        registry=registry.address,
        credentials=credentials.address,
        first_block=federation.tx.block_number,
        store=store_settings("local", directory),
        confirmations=0 if development() else LIVE_CONFIRMATIONS,
        allowed=Allowed(tokens=[token.address], admissions=[admission.address]),
    )
    directory.mkdir(parents=True, exist_ok=True)
    made.save(file)
    print(f"Hansa on {network.show_active()}, chain {made.chain_id}: {federation.address}. Written to {file}.")
    if rpc.is_child():
        print("This chain ends now, with the script that started it.")


def is_alive(deployment: Deployment) -> bool:
    """Whether one of its nodes still knows its federation."""
    for url in deployment.rpc:
        with contextlib.suppress(OSError, Web3Exception):
            return bool(
                Web3(HTTPProvider(deployment.expanded(url))).eth.get_code(
                    Web3.to_checksum_address(deployment.federation)
                )
            )
    return False


def shareable(url: str, host: str) -> str:
    """The node's URL, or where that holds a key, brownie's text of it with ${NAME} in the key's place."""
    if carries_secret(url):
        url = re.sub(r"\$\{?(\w+)\}?", r"${\1}", host)
    require_no_secrets({f"network {network.show_active()}:": url})
    return url


def signer(name: str | None):  # type: ignore[no-untyped-def]
    """Brownie's account; on a development chain its first, with fees that every chain takes."""
    if development():
        network.max_fee("10 gwei")
        network.priority_fee("1 gwei")
    if name is not None:
        return accounts.load(name)
    if not development():
        raise ValueError("name the account that pays: brownie run deploy main ACCOUNT --network NETWORK")
    return accounts[0]


def development() -> bool:
    return bool(CONFIG.network_type == "development")
