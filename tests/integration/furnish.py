"""A chain of our own, and the contracts on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from eth_account import Account
from worlds import MEMBERS, NAMES, TRAINERS, World, terms, transfer

from cli.anvil import Anvil, find_anvil, published_key, start_anvil
from protocol.chain.client import Chain
from protocol.chain.deploy import Deployer
from protocol.chain.federation import Federation
from protocol.chain.sender import Sender
from protocol.errors import FatalError
from protocol.journal import Journal


@contextmanager
def started(tmp_path: Path) -> Iterator[Anvil]:
    try:
        find_anvil()
    except FatalError as error:
        pytest.skip(str(error))
    running = start_anvil(tmp_path / "anvil.log", accounts=len(NAMES))
    try:
        yield running
    finally:
        running.stop()


@contextmanager
def furnished(anvil: Anvil, tmp_path: Path) -> Iterator[World]:
    chain = Chain([anvil.url], None, ws=anvil.ws)
    journals = [Journal(tmp_path / f"{name}.sqlite") for name in NAMES]
    senders = {
        name: Sender(chain, Account.from_key(published_key(index)), journals[index]) for index, name in enumerate(NAMES)
    }
    members = sorted((senders[name].address for name in MEMBERS), key=str.lower)
    store = {"kind": "local", "path": str(tmp_path / "store")}
    (tmp_path / "store").mkdir(exist_ok=True)
    made = Deployer(chain, senders["sponsor"]).deploy(
        [anvil.url], name="test", store=store, ws=anvil.ws, members=members
    )
    chain.first_block = made.first_block
    made_world = World(anvil, tmp_path, chain, made, Federation(chain, made), terms(made), senders, journals)
    for name in TRAINERS:
        made_world.do("sponsor", transfer(made, made_world.address(name)))
    try:
        yield made_world
    finally:
        chain.close()
        for journal in made_world.journals:
            journal.close()
