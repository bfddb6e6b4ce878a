"""A chain of our own, and the contracts on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from eth_account import Account
from worlds import MEMBERS, NAMES, TRAINERS, World, terms, transfer

from hansa.devnet.anvil import Anvil, find_anvil, published_key, start_anvil
from hansa.protocol.errors import FatalError
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.federation import Federation
from hansa.runtime.deploy import create, deploy_contracts, trusting
from hansa.runtime.deploy_check import draft
from hansa.runtime.journal import Journal
from hansa.runtime.transactions.sender import Sender
from hansa.runtime.transactions.signer import Signer


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
    sponsor = Signer(chain, Account.from_key(published_key(NAMES.index("sponsor"))), journals[NAMES.index("sponsor")])
    made = deploy_contracts(sponsor, draft([anvil.url], name="test", store=store, ws=anvil.ws))
    committee = create(sponsor, "AppointedCommittee", members)
    made = trusting(made.updated(committee=committee), committee)
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
