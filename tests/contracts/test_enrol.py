"""Joining a job: bond, terms, admission."""

from __future__ import annotations

import pytest
from brownie import ZERO_ADDRESS, MockAdmission
from eth_utils.crypto import keccak
from node import at, now, refused, skip_to, word, wrong_phase
from terms import BOND

from hansa.protocol.types import Phase

REVERT, NOTHING, TWO, BURN, HUGE, ANSWERING_REVERT = range(1, 7)


@pytest.fixture
def admission(actors):
    return MockAdmission.deploy({"from": actors["deployer"]})


def test_enrol__takes_the_bond(play, house, alice):
    job = play()
    had = house.token.balanceOf(alice)
    done = job.enrol(alice, 150)
    assert (done.events["TrainerEnrolled"]["trainer"], done.events["TrainerEnrolled"]["bond"]) == (alice, 150)
    assert house.token.balanceOf(alice) == had - 150
    assert (house.vault.bondOf(job.id, alice), job.books.bonded) == (150, 150)
    assert job.books.escrowed == job.escrow, "a bond is no escrow"
    assert job.trainer(alice) == (True, 0, 150)
    assert job.state.enrolled == 1


def test_enrol__bond_as_enrolled__stays_whatever_is_taken_of_it(play, house, alice, bob):
    job = play(Phase.ENROL, maxRounds=1)
    job.enrol(alice, 150)
    job.leaves = {alice: (0, 1), bob: (1, 0)}
    job.play_to_end().claim(alice)
    assert (house.vault.bondOf(job.id, alice), job.trainer(alice)) == (110, (True, 1, 150))
    skip_to(job.books.slashUntil)
    house.vault.claimBond(job.id, alice, {"from": alice})
    assert (house.vault.bondOf(job.id, alice), job.trainer(alice)) == (0, (True, 1, 150))


def test_enrol__largest_bond__is_kept(play, house, actors, alice):
    house.token.transfer(alice, 2**96, {"from": actors["deployer"]})
    job = play()
    job.enrol(alice, 2**96 - 1)
    assert (house.vault.bondOf(job.id, alice), job.trainer(alice)) == (2**96 - 1, (True, 0, 2**96 - 1))


def test_enrol__bond_of_another_job__is_apart(play, house, alice):
    first, second = play(), play()
    first.enrol(alice, 100)
    second.enrol(alice, 300)
    assert (house.vault.bondOf(first.id, alice), house.vault.bondOf(second.id, alice)) == (100, 300)


def test_enrol__bond_below_the_minimum__reverts(play, alice):
    job = play()
    with refused("Federation_BondTooSmall", job.id, BOND, BOND - 1):
        job.enrol(alice, BOND - 1)


def test_enrol__other_terms__reverts(play, alice):
    job = play()
    with refused("Federation_WrongTerms", job.id, job.terms_hash, word("other terms")):
        job.enrol(alice, terms_hash=word("other terms"))


def test_enrol__twice__reverts(play, alice):
    job = play()
    job.enrol(alice)
    with refused("Federation_AlreadyEnrolled", job.id, alice):
        job.enrol(alice)


def test_enrol__without_allowance__reverts_whole(play, house, alice):
    job = play()
    house.token.approve(house.vault, BOND - 1, {"from": alice})
    with refused("ERC20InsufficientAllowance"):
        job.enrol(alice)
    assert job.trainer(alice) == (False, 0, 0), "not enrolled"
    assert job.state.enrolled == 0


def test_enrol__sponsor_and_member__may(play, sponsor, vera):
    job = play()
    job.enrol(sponsor)
    job.enrol(vera)
    assert job.state.enrolled == 2


def test_enrol__unknown_job__reverts(play, house, alice):
    job = play()
    with refused("Federation_WrongPhase", 9, Phase.ENROL, Phase.NONE):
        house.federation.enrol(9, job.terms_hash, BOND, b"", {"from": alice})


def test_enrol__last_second__counts(play, alice):
    job = play()
    at(job.state.deadline - 1)
    job.enrol(alice)
    assert job.state.enrolled == 1


def test_enrol__deadline__reverts(play, alice):
    job = play()
    at(job.state.deadline)
    with wrong_phase(job, Phase.ENROL, Phase.LAPSED):
        job.enrol(alice)


def test_enrol__deadline_with_enough__is_open(play, alice, bob, carol):
    job = play()
    deadline = job.state.deadline
    job.enrol(alice)
    job.enrol(bob)
    assert job.phase == Phase.ENROL, "there is room for a third until the deadline"
    at(deadline)
    with wrong_phase(job, Phase.ENROL, Phase.OPEN):
        job.enrol(carol)
    assert job.state.deadline == deadline + job.terms.openTime


def test_enrol__last_place__ends_it_at_once(play, alice, bob, carol, dave):
    job = play()
    for who in (alice, bob, carol):
        job.enrol(who)
    filled = now()
    assert (job.phase, job.state.deadline) == (Phase.OPEN, filled + job.terms.openTime)
    with wrong_phase(job, Phase.ENROL, Phase.OPEN):
        job.enrol(dave)


def test_enrol__during_a_cycle_and_after_the_end__reverts(play, dave):
    job = play(Phase.SUBMIT)
    with wrong_phase(job, Phase.ENROL, Phase.SUBMIT):
        job.enrol(dave)
    job.play_to_end()
    with wrong_phase(job, Phase.ENROL, Phase.COMPLETED):
        job.enrol(dave)


def test_enrol__not_admitted__reverts(play, admission, alice, bob):
    job = play(admission=admission)
    admission.setRefused(alice, True)
    with refused("Federation_NotAdmitted", job.id, alice):
        job.enrol(alice)
    job.enrol(bob)


def test_enrol__admission_sees_the_data(play, admission, alice):
    job = play(admission=admission)
    admission.setWanted(keccak(b"credential"))
    with refused("Federation_NotAdmitted", job.id, alice):
        job.enrol(alice, data=b"another")
    job.enrol(alice, data=b"credential")
    assert job.state.enrolled == 1


@pytest.mark.parametrize(
    "mode",
    [REVERT, NOTHING, TWO, BURN, ANSWERING_REVERT],
    ids=["reverts", "nothing", "no-bool", "burns-gas", "answers-by-a-revert"],
)
def test_enrol__hostile_admission__reverts(play, admission, alice, mode):
    job = play(admission=admission)
    admission.setMode(mode)
    with refused("Federation_NotAdmitted", job.id, alice):
        job.enrol(alice)


def test_enrol__huge_answer__costs_no_more_than_the_limit(play, admission, alice):
    job = play(admission=admission)
    admission.setMode(HUGE)
    assert job.enrol(alice).gas_used < 700_000, "32 bytes are read"


def test_enrol__too_little_gas_for_the_admission__reverts(play, house, admission, alice):
    job = play(admission=admission)
    with refused("Federation_TooLittleGas", 300_000):
        house.federation.enrol(job.id, job.terms_hash, BOND, b"", {"from": alice, "gas_limit": 310_000})


def test_enrol__idle_chain__phase_follows_the_time_asked(play):
    job = play()
    deadline = job.state.deadline
    assert job.federation.phaseAt(job.id, deadline - 1) == Phase.ENROL
    assert job.federation.phaseAt(job.id, deadline) == Phase.LAPSED
    assert job.state_at(deadline).deadline == 0, "what has lapsed has no deadline"
    skip_to(deadline)
    assert job.phase == Phase.LAPSED


def test_trainer_at__is_the_order_of_enrolment(play, house, alice, bob, carol):
    first, second = play(), play()
    for who in (carol, alice):
        first.enrol(who)
    second.enrol(bob)
    assert [house.federation.trainerAt(first.id, place) for place in range(3)] == [carol, alice, ZERO_ADDRESS]
    assert house.federation.trainerAt(second.id, 0) == bob
