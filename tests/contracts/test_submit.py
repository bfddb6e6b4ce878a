"""Registering updates."""

from __future__ import annotations

import pytest
from brownie import MockAdmission
from node import at, now, refused, skip_to, word, wrong_phase
from terms import BOND, NO_WORD

from hansa.protocol import hashes
from hansa.protocol.types import Phase


def test_submit__goes_into_the_accumulator(play, alice, bob):
    job = play(Phase.SUBMIT)
    acc = job.state.updates
    for who in (alice, bob):
        event = job.submit(who, word(who.address)).events["UpdateSubmitted"]
        assert (event["job"], event["cycle"], event["trainer"]) == (job.id, job.cycle, who)
        acc = hashes.updates_acc(acc, who.address, word(who.address))
        assert job.state.updates == acc
    assert (job.state.submitted, job.state.pending) == (2, 1)


def test_submit__keeps_the_counter_of_the_cycle(play, alice):
    job = play(Phase.SUBMIT)
    job.submit(alice)
    assert job.trainer(alice) == (True, 1, BOND)
    job.trainers.remove(alice)
    job.step()
    job.reach(Phase.OPEN).reach(Phase.SUBMIT)
    job.submit(alice)
    assert job.trainer(alice) == (True, 2, BOND)


def test_submit__everybody_due__closes_the_phase(play):
    job = play(Phase.SUBMIT)
    for who in job.trainers:
        job.submit(who)
    assert (job.phase, job.state.deadline) == (Phase.SCORE, now() + job.terms.scoreTime)


def test_submit__two_of_three__waits_for_the_third(play, alice, bob):
    job = play(Phase.SUBMIT)
    deadline = job.state.deadline
    job.submit(alice)
    job.submit(bob)
    assert (job.phase, job.state.deadline) == (Phase.SUBMIT, deadline)
    skip_to(deadline)
    assert (job.phase, job.state.deadline) == (Phase.SCORE, deadline + job.terms.scoreTime)


def test_submit__who_is_not_due__counts_but_is_not_waited_for(play, alice, bob, carol):
    job = play(Phase.SUBMIT)
    job.trainers.remove(carol)
    job.play_round().open()
    job.submit(alice)
    job.submit(carol)
    assert (job.phase, job.state.submitted, job.state.pending) == (Phase.SUBMIT, 2, 1), "bob is due"
    job.submit(bob)
    assert (job.phase, job.state.submitted) == (Phase.SCORE, 3)


def test_submit__who_is_not_due__is_closed_out_by_the_others(play, alice, bob, carol):
    job = play(Phase.SUBMIT)
    job.trainers.remove(carol)
    job.play_round().open()
    job.submit(alice)
    job.submit(bob)
    with wrong_phase(job, Phase.SUBMIT, Phase.SCORE):
        job.submit(carol)


def test_submit__who_was_not_due_but_acted__is_due_again(play, carol):
    job = play(Phase.SUBMIT)
    job.trainers.remove(carol)
    job.play_round().open()
    job.trainers.insert(0, carol)
    job.play_round().open()
    assert job.state.pending == 3


def test_submit__twice__reverts(play, alice):
    job = play(Phase.SUBMIT)
    job.submit(alice)
    with refused("Federation_AlreadySubmitted", job.id, job.cycle, alice):
        job.submit(alice, word("another"))


def test_submit__not_enrolled__reverts(play, mallory):
    job = play(Phase.SUBMIT)
    with refused("Federation_NotEnrolled", job.id, mallory):
        job.submit(mallory)


def test_submit__the_same_digest__is_no_business_of_the_contract(play, alice, bob):
    job = play(Phase.SUBMIT)
    job.submit(alice, word("one"))
    job.submit(bob, word("one"))
    assert job.state.submitted == 2


def test_submit__other_cycle__reverts(play, alice):
    job = play(Phase.SUBMIT)
    for cycle in (job.cycle ^ 1, job.cycle ^ 2, job.cycle ^ 1 << 63, 0):
        with refused("Federation_WrongCycle", job.id, job.cycle, cycle):
            job.submit(alice, cycle=cycle)


def test_submit__other_seed__reverts(play, alice):
    """Whoever was shown other keys or another committee than those in force has sealed for nobody."""
    job = play(Phase.SUBMIT)
    with refused("Federation_WrongSeed", job.id, job.seed, word("another")):
        job.submit(alice, seed=word("another"))
    with refused("Federation_WrongSeed", job.id, job.seed, NO_WORD):
        job.federation.submit(job.id, job.cycle, NO_WORD, word("update"), {"from": alice})
    job.submit(alice)
    assert job.state.submitted == 1


def test_submit__other_seed_and_other_cycle__names_the_cycle(play, alice):
    job = play(Phase.SUBMIT)
    with refused("Federation_WrongCycle", job.id, job.cycle, job.cycle ^ 2):
        job.submit(alice, cycle=job.cycle ^ 2, seed=word("another"))


def test_submit__other_seed_in_another_phase__names_the_phase(play, alice):
    job = play(Phase.SCORE)
    with wrong_phase(job, Phase.SUBMIT, Phase.SCORE):
        job.submit(alice, seed=word("another"))


def test_submit__other_seed_of_an_outsider__names_the_seed(play, mallory):
    job = play(Phase.SUBMIT)
    with refused("Federation_WrongSeed", job.id, job.seed, word("another")):
        job.submit(mallory, seed=word("another"))


def test_submit__for_the_failed_cycle_after_the_next_opened__reverts(play, alice):
    job = play(Phase.SUBMIT)
    old = job.cycle
    job.lapse().fail()
    job.open()
    with refused("Federation_WrongCycle", job.id, job.cycle, old):
        job.submit(alice, cycle=old)
    job.submit(alice)


def test_submit__before_the_first_cycle__reverts(play, alice):
    job = play()
    with wrong_phase(job, Phase.SUBMIT, Phase.ENROL):
        job.submit(alice, cycle=0)


def test_submit__unknown_job__reverts(house, alice):
    with refused("Federation_WrongPhase", 9, Phase.SUBMIT, Phase.NONE):
        house.federation.submit(9, 0, NO_WORD, word("update"), {"from": alice})


def test_submit__last_second__counts(play, alice):
    job = play(Phase.SUBMIT)
    at(job.state.deadline - 1)
    job.submit(alice)
    assert job.state.submitted == 1


def test_submit__deadline__reverts(play, alice, bob, carol):
    job = play(Phase.SUBMIT)
    job.submit(alice)
    job.submit(bob)
    at(job.state.deadline)
    with wrong_phase(job, Phase.SUBMIT, Phase.SCORE):
        job.submit(carol)


def test_submit__deadline_with_too_few__reverts(play, alice, bob):
    job = play(Phase.SUBMIT)
    job.submit(alice)
    at(job.state.deadline)
    with wrong_phase(job, Phase.SUBMIT, Phase.LAPSED):
        job.submit(bob)


@pytest.mark.parametrize("phase", [Phase.SCORE, Phase.REVEAL, Phase.VOTE, Phase.FINALIZE])
def test_submit__later_in_the_cycle__reverts(play, alice, phase):
    job = play(phase)
    with wrong_phase(job, Phase.SUBMIT, phase):
        job.submit(alice)


def test_submit__after_the_round__reverts(play, alice):
    job = play(Phase.SUBMIT).play_round()
    with wrong_phase(job, Phase.SUBMIT, Phase.OPEN):
        job.submit(alice)


def test_submit__a_member__may(play, vera, alice):
    job = play(maxTrainers=2)
    job.enrol(vera)
    job.enrol(alice)
    job.open()
    job.submit(vera)
    job.submit(alice)
    assert job.phase == Phase.SCORE


def test_submit__admission_lost__reverts_where_terms_recheck(play, actors, alice, bob):
    admission = MockAdmission.deploy({"from": actors["deployer"]})
    job = play(Phase.SUBMIT, admission=admission, recheckAdmission=True)
    admission.setRefused(alice, True)
    with refused("Federation_NotAdmitted", job.id, alice):
        job.submit(alice)
    job.submit(bob)
    admission.setRefused(alice, False)
    job.submit(alice)
    assert job.state.submitted == 2


def test_submit__admission_lost__is_not_asked_otherwise(play, actors, alice):
    admission = MockAdmission.deploy({"from": actors["deployer"]})
    job = play(Phase.SUBMIT, admission=admission)
    admission.setRefused(alice, True)
    job.submit(alice)
    assert job.state.submitted == 1


def test_submit__recheck_with_too_little_gas__reverts(play, house, alice):
    job = play(Phase.SUBMIT, recheckAdmission=True)
    with refused("Federation_TooLittleGas", 300_000):
        house.federation.submit(job.id, job.cycle, job.seed, word("update"), {"from": alice, "gas_limit": 300_000})
