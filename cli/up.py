"""`hansa up`: a chain and a store of your own, with the contracts on it and accounts to play every part."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.anvil import Anvil, published_key, require_local, start_anvil
from cli.chainfile import ChainFile, forget_stale
from cli.context import Here, check_range
from protocol.errors import FatalError

if TYPE_CHECKING:
    from protocol.chain.deployment import Deployment
    from protocol.types import Address

GAS_MONEY = 10_000  # of the chain's own coin, anvil's default for each account
TOKENS_EACH = 10_000 * 10**18
BACKGROUND_SECONDS = 60.0


def up(
    here: Here,
    port: Annotated[int | None, typer.Option("--port", help="Where the chain listens; a free port by default.")] = None,
    trainers: Annotated[int, typer.Option("--trainers", help="Accounts called trainer-1 and so on.")] = 4,
    validators: Annotated[int, typer.Option("--validators", help="Accounts called validator-1 and so on.")] = 3,
    background: Annotated[bool, typer.Option("--background", help="Return as soon as it runs.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Stop the chain that runs in the background.")] = False,
) -> None:
    """Start a local chain and store, deploy the contracts, print the accounts. Ctrl-C stops it."""
    if stop:
        stop_chain(here)
        return
    check_range("--trainers", trainers, 0, 200)
    check_range("--validators", validators, 0, 24)
    forget_stale(here.dir)
    if background:
        _in_background(here, port, trainers, validators)
        return
    here.dir.mkdir(parents=True, exist_ok=True)
    names = account_names(trainers, validators)
    anvil = start_anvil(here.dir / "anvil.log", accounts=len(names), port=port)
    try:
        deployment = furnish(here, anvil, names, name="local")
        ChainFile.of(anvil).save(here.dir)
        _tell(here, deployment, names)
        _wait(anvil)
    finally:
        anvil.stop()
        ChainFile.remove(here.dir)


def account_names(trainers: int, validators: int) -> list[str]:
    """Who gets the published accounts, in order."""
    parts = [f"trainer-{i}" for i in range(1, trainers + 1)] + [f"validator-{i}" for i in range(1, validators + 1)]
    return ["sponsor", *parts]


def furnish(here: Here, anvil: Anvil, names: list[str], *, name: str, store: dict[str, str] | None = None) -> Deployment:
    """Contracts, keystores and tokens on a fresh local chain; writes DIR/deployment.json."""
    from cli.deploy import deploy_contracts, store_settings
    from cli.wire import acting, journal_of
    from protocol.chain.client import Chain
    from protocol.chain.federation import transfer_call

    chain = Chain([anvil.url], None, ws=anvil.ws)
    require_local(chain.chain_id)
    addresses = make_keystores(here.keys, names)
    sponsor = open_published(here, names[0])
    with acting(chain, sponsor, journal_of(here, sponsor.address)) as actor:
        deployment = deploy_contracts(
            actor, [anvil.url], name=name, store=store or store_settings("local", here.dir), ws=anvil.ws
        )
        for address in list(addresses.values())[1:]:
            actor.do(transfer_call(deployment.token, address, TOKENS_EACH))
    deployment.save(here.deployment_file)
    return deployment


def make_keystores(directory: Path, names: list[str]) -> dict[str, Address]:
    """Keystores of anvil's published accounts by name, with the password beside them: they belong to everybody."""
    from cli.accounts import PASSWORD_FILE
    from protocol.keys import Keyfile

    directory.mkdir(parents=True, exist_ok=True)
    (directory / PASSWORD_FILE).write_text("hansa\n")
    addresses = {}
    for index, name in enumerate(names):
        path = directory / f"{name}.json"
        path.unlink(missing_ok=True)
        account = Keyfile.create(path, "hansa", private_key=published_key(index), light=True)
        addresses[name] = account.address
    return addresses
