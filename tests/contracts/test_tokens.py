"""Tokens that take fees, call back, or refuse: each harms at most the job that named it."""

from __future__ import annotations

import pytest
from brownie import FeeToken, FreezingToken, GenerousToken, ReentrantToken, reverts
from drive import Job
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from node import now, refused, skip_to
from terms import BOND, DEAD, REWARD

from hansa.protocol.types import Phase

SUPPLY = 10**24


def dealt(house, actors, container):
    """A token of which everybody has some, approved to the vault."""
    by = {"from": actors["deployer"]}
    token = container.deploy(SUPPLY, by)
    if container is FeeToken:
        token.setCharging(False, by)
    for who in (house.sponsor, *house.trainers):
        token.transfer(who, 10**20, by)
        token.approve(house.vault, 2**256 - 1, {"from": who})
    return token


@pytest.fixture
def fee_token(house, actors):
    return dealt(house, actors, FeeToken)


@pytest.fixture
def generous(house, actors):
    return dealt(house, actors, GenerousToken)


@pytest.fixture
def reentrant(house, actors):
    return dealt(house, actors, ReentrantToken)


@pytest.fixture
def freezing(house, actors):
    return dealt(house, actors, FreezingToken)


def test_fee_on_transfer__escrow__reverts(house, fee_token):
    fee_token.setCharging(True)
    job = Job(house, token=fee_token)
    with refused("Vault_TokenTakesFees", fee_token, job.escrow, job.escrow - job.escrow // 100):
        job.post()
    assert house.federation.jobCount() == 0


def test_fee_on_transfer__bond__reverts(play, fee_token, alice):
    job = play(token=fee_token)
    fee_token.setCharging(True)
    with refused("Vault_TokenTakesFees", fee_token, BOND, BOND - 1):
        job.enrol(alice)
    assert job.trainer(alice) == (False, 0, 0)


def test_fee_on_transfer__later__is_the_receivers_loss_alone(play, house, fee_token, alice):
    other = play(Phase.OPEN)
    job = play(token=fee_token).play_to_end()
    fee_token.setCharging(True)
    had = fee_token.balanceOf(alice)
    job.claim(alice)
    assert fee_token.balanceOf(alice) == had + 900 - 9
    assert job.books.paid == 900, "the books are exact: the token kept its fee after the vault had paid"
    assert house.token.balanceOf(house.vault) == other.holding


def test_more_than_asked__escrow__reverts(house, generous):
    generous.setGiving(True)
    job = Job(house, token=generous)
    with refused("Vault_TokenTakesFees", generous, job.escrow, job.escrow + 1):
        job.post()
    assert house.federation.jobCount() == 0


def test_more_than_asked__bond__reverts(play, generous, alice):
    job = play(token=generous)
    generous.setGiving(True)
    with refused("Vault_TokenTakesFees", generous, BOND, BOND + 1):
        job.enrol(alice)
    assert job.trainer(alice) == (False, 0, 0)


def test_token__that_is_no_token__reverts(house):
    with reverts():
        Job(house, token=house.admission).post()


def calls_back(house, token, method, *arguments):
    token.arm(method._address, method.encode_input(*arguments))


@pytest.mark.parametrize("inner", ["claim", "claimFees", "claimBond", "claimRest", "sendBurnt"])
def test_reentrancy__into_the_vault_while_it_pays__is_refused(play, house, reentrant, alice, inner):
    job = play(token=reentrant).play_to_end()
    skip_to(job.books.slashUntil)
    inside = {
        "claim": (house.vault.claim, job.id, alice, job.claims(alice, [1, 2, 3])),
        "claimFees": (house.vault.claimFees, job.id, house.validators[0]),
        "claimBond": (house.vault.claimBond, job.id, alice),
        "claimRest": (house.vault.claimRest, job.id),
        "sendBurnt": (house.vault.sendBurnt, job.id),
    }[inner]
    for outer in (
        lambda: job.claim(alice),
        lambda: house.federation.claimFees(job.id, 0, {"from": alice}),
        lambda: house.vault.claimBond(job.id, alice, {"from": alice}),
    ):
        calls_back(house, reentrant, *inside)
        outer()
        assert reentrant.called() and not reentrant.succeeded()
        assert bytes(reentrant.answer()) == keccak(text="ReentrancyGuardReentrantCall()")[:4]
    assert (job.books.paid, reentrant.balanceOf(alice)) == (900 + 30, 10**20 + 900)


def test_reentrancy__while_escrow_comes_in__is_refused(play, house, reentrant):
    finished = play(token=reentrant, escrow=5000)
    finished.stop()
    calls_back(house, reentrant, house.vault.claimRest, finished.id)
    job = play(token=reentrant)
    assert reentrant.called() and not reentrant.succeeded(), "no payment can hide in the balance difference"
    assert reentrant.balanceOf(house.vault) == 5000 + job.escrow


def test_reentrancy__second_enrolment_inside_the_first__is_refused(play, house, reentrant, alice, actors):
    job = play(token=reentrant)
    reentrant.transfer(reentrant, 1000, {"from": actors["deployer"]})
    calls_back(house, reentrant, house.federation.enrol, job.id, job.terms_hash, BOND, b"")
    job.enrol(alice)
    assert reentrant.called() and not reentrant.succeeded()
    assert (job.state.enrolled, job.books.bonded) == (1, BOND)


@pytest.mark.parametrize("inner", ["open", "stop", "failRound", "rejoin"])
def test_reentrancy__into_the_federation__meets_finished_effects(play, house, reentrant, alice, inner):
    """The federation changes its state before it touches a token: a call back sees a job that is as it should be."""
    job = play(token=reentrant)
    job.enrol(house.trainers[1])
    job.enrol(house.trainers[2])
    arguments = (job.id, 0) if inner in ("failRound", "rejoin") else (job.id,)
    calls_back(house, reentrant, getattr(house.federation, inner), *arguments)
    job.enrol(alice)
    assert reentrant.called()
    assert not reentrant.succeeded() and job.phase == Phase.OPEN
    if inner == "open":
        too_early = keccak(text="Federation_TooEarly(uint256,uint256)")[:4]
        too_early += encode(["uint256", "uint256"], [job.id, now() + 1])
        assert bytes(reentrant.answer()) == too_early, "the last place is taken: anybody may open, from the next second"


def test_frozen_trainer__keeps_nobody_else_from_leaving(play, house, freezing, sponsor, alice, bob, carol):
    job = play(token=freezing).play_to_end()
    freezing.setFrozen(alice, True)
    with refused("Frozen", alice):
        job.claim(alice)
    job.claim(bob)
    job.claim(carol)
    skip_to(job.books.slashUntil)
    with refused("Frozen", alice):
        house.vault.claimBond(job.id, alice, {"from": alice})
    for who in (bob, carol):
        house.vault.claimBond(job.id, who, {"from": who})
    house.vault.claimRest(job.id, {"from": sponsor})
    freezing.setFrozen(alice, False)
    job.claim(alice)
    assert job.books.paid == 3 * 900


def test_frozen_trainer__struck_by_a_leaf_that_pays__keeps_its_whole_bond(play, house, freezing, alice, bob):
    """So it is today: who can refuse to be paid until `slashUntil` isn't struck."""
    job = play(Phase.SUBMIT, token=freezing, maxRounds=1)
    job.leaves = {alice: (1, 1), bob: (REWARD - 1, 0)}
    job.play_to_end()
    freezing.setFrozen(alice, True)
    with refused("Frozen", alice):
        job.claim(alice, by=bob)
    skip_to(job.books.slashUntil)
    freezing.setFrozen(alice, False)
    job.claim(alice)
    house.vault.claimBond(job.id, alice, {"from": alice})
    assert (job.books.paid, job.books.forfeited, freezing.balanceOf(alice)) == (1, 0, 10**20 + 1)


def test_frozen_receiver_of_burns__keeps_nobody_from_failing_a_round(play, house, freezing, sponsor):
    job = play(Phase.SCORE, token=freezing)
    freezing.setFrozen(DEAD, True)
    job.lapse().fail()
    with refused("Frozen", DEAD):
        house.vault.sendBurnt(job.id, {"from": sponsor})
    job.play_to_end()
    assert job.books.burnt == 465


def test_frozen_sponsor__keeps_no_trainer_from_leaving(play, house, freezing, sponsor, alice):
    job = play(Phase.OPEN, token=freezing)
    freezing.setFrozen(sponsor, True)
    job.stop()
    house.vault.claimBond(job.id, alice, {"from": alice})
    with refused("Frozen", sponsor):
        house.vault.claimRest(job.id, {"from": sponsor})


def test_frozen_vault__stops_new_money_alone(play, house, freezing, alice, bob):
    job = play(token=freezing)
    job.enrol(alice)
    freezing.setFrozen(house.vault, True)
    with refused("Frozen", house.vault):
        job.enrol(bob)
    job.stop()
    house.vault.claimBond(job.id, alice, {"from": alice})
    assert job.books.bonded == 0


def test_gift_to_the_vault__belongs_to_no_job(house, mallory):
    job = Job(house)
    job.post()
    job.reach(Phase.OPEN)
    house.token.transfer(house.vault, 77, {"from": mallory})
    job.stop()
    house.vault.claimRest(job.id, {"from": job.sponsor})
    for who in house.trainers[:3]:
        house.vault.claimBond(job.id, who, {"from": who})
    assert (house.token.balanceOf(house.vault), job.holding) == (77, 0)
