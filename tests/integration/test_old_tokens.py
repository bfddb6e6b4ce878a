"""Tokens from before ERC-20 was settled: leftover approvals, symbols of 32 bytes."""

from __future__ import annotations

import pytest
from eth_account import Account
from old_token import SYMBOL, make_old
from worlds import ESCROW, NAMES, World

from client.config import TrainerConfig
from client.trainer import Trainer
from hansa.devnet.anvil import published_key
from hansa.protocol.types import JobId, Wei
from hansa.runtime.chain.calls import approve_call
from hansa.runtime.chain.refusals import explain
from hansa.runtime.deploy import trusting
from hansa.runtime.session import Session, any_token, read_token
from hansa.runtime.transactions.sender import Refused
from hansa.runtime.transactions.signer import Signer
from hansa.sponsor.post import post_job, prepare
from hansa.sponsor.terms import JobOffer


@pytest.fixture
def old(world: World) -> World:
    make_old(world.anvil.url, world.deployment.token)
    return world


def leave(world: World, name: str, amount: int) -> None:
    """An earlier approval, of which so much was not used."""
    world.do(name, approve_call(world.deployment.token, world.deployment.vault, amount))


def allowed(world: World, name: str) -> int:
    return world.federation.allowance(world.deployment.token, world.address(name))


def job(world: World) -> JobId:
    """Posted as `hansa job post` does it."""
    offer = JobOffer(
        trainers=1, seats=1, rounds=1, reward=Wei(1000), fee=Wei(10), bond=Wei(100), penalty=Wei(10), min_updates=1
    )
    sponsor = Signer(world.chain, Account.from_key(published_key(0)), world.journals[0])
    posted = post_job(Session(world.deployment), sponsor, prepare("heart", seed=0), offer, [world.address("dave")])
    world.deployment = trusting(world.deployment, posted.committee)
    return posted.job


def test_the_token__refuses_to_change_an_approval(old: World) -> None:
    leave(old, "sponsor", 7)
    call = approve_call(old.deployment.token, old.deployment.vault, 9)
    refused = old.senders["sponsor"].send(call, key=("again",), wait=5)
    assert isinstance(refused, Refused) and explain(refused.error)


@pytest.mark.parametrize("left", [0, 7, 1009])
def test_post__whatever_an_earlier_approval_left(old: World, left: int) -> None:
    leave(old, "sponsor", left)
    assert job(old) == 1
    assert allowed(old, "sponsor") == 0


def test_post__uses_an_approval_that_is_enough(old: World) -> None:
    leave(old, "sponsor", ESCROW)
    assert job(old) == 1
    assert allowed(old, "sponsor") == ESCROW - 1010


@pytest.mark.parametrize("left", [7, 99, 250])
def test_enrol__whatever_an_earlier_approval_left(old: World, left: int) -> None:
    leave(old, "alice", left)
    posted = job(old)
    account = Account.from_key(published_key(NAMES.index("alice")))
    config = TrainerConfig(
        deployment=old.deployment, account=account, journal=old.directory / "a.sqlite", job=posted, source="0"
    )
    trainer = Trainer(config)
    try:
        for _ in range(5):
            trainer.once()
    finally:
        trainer.close()
    assert old.federation.trainer(posted, old.address("alice")).enrolled
    assert allowed(old, "alice") == (150 if left == 250 else 0)


def test_symbol__of_32_bytes__is_read(old: World) -> None:
    token = old.deployment.token
    assert read_token(old.chain, token).symbol == SYMBOL
    assert any_token(old.chain, token, is_ours=True).symbol == SYMBOL
