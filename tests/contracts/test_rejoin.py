"""UntrustedCalls to be waited for again."""

from __future__ import annotations

import pytest
from node import refused, skip_to, wrong_phase

from hansa.protocol import hashes
from hansa.protocol.types import Phase


@pytest.fixture
def without(play):
    """A job in SUBMIT of round 2, in whose round 1 some were silent."""

    def prepare(*silent, **terms):
        job = play(Phase.SUBMIT, **terms)
        job.trainers = [who for who in job.trainers if who not in silent]
        job.members = [who for who in job.members if who not in silent]
        return job.play_round().reach(Phase.SUBMIT)

    return prepare


def test_rejoin__absent_trainer__makes_everybody_due_in_the_next_cycle(without, carol):
    job = without(carol)
    assert job.state.pending == 2
    event = job.rejoin(carol).events["Rejoined"]
    assert (event["job"], event["account"]) == (job.id, carol)
    assert (job.state.rejoining, job.state.pending) == (True, 2), "this cycle stays as it is"
    job.play_round().open()
    assert (job.state.rejoining, job.state.pending, job.state.due) == (False, 3, 0b111)
    assert hashes.everybody_due(job.cycle)


def test_rejoin__absent_member__makes_everybody_due_in_the_next_cycle(without, viola):
    job = without(viola)
    assert job.state.due == 0b011
    job.rejoin(viola)
    job.play_round().open()
    assert job.state.due == 0b111 and hashes.everybody_due(job.cycle)


def test_rejoin__between_cycles__works(without, carol):
    job = without(carol)
    job.play_round()
    job.rejoin(carol)
    job.open()
    assert hashes.everybody_due(job.cycle)


def test_rejoin__only_for_one_cycle(without, carol):
    job = without(carol)
    job.rejoin(carol)
    job.play_round().play_round()
    assert job.phase == Phase.COMPLETED
    assert not hashes.everybody_due(job.cycle) or hashes.cycle_counter(job.cycle) == 3


def test_rejoin__due_trainer__reverts(without, carol, alice):
    job = without(carol)
    with refused("Federation_NotAbsent", job.id, alice):
        job.rejoin(alice)


def test_rejoin__trainer_that_came_back_by_itself__reverts(without, carol):
    job = without(carol)
    job.submit(carol)
    with refused("Federation_NotAbsent", job.id, carol):
        job.rejoin(carol)


def test_rejoin__member_that_came_back_by_itself__reverts(without, viola):
    job = without(viola)
    job.reach(Phase.SCORE)
    job.commit(viola)
    job.reach(Phase.REVEAL)
    job.reveal(viola)
    job.reach(Phase.VOTE)
    job.vote(viola)
    with refused("Federation_NotAbsent", job.id, viola):
        job.rejoin(viola)


def test_rejoin__due_member_and_outsider__reverts(without, viola, vera, mallory):
    job = without(viola)
    for who in (vera, mallory):
        with refused("Federation_NotAbsent", job.id, who):
            job.rejoin(who)


def test_rejoin__while_everybody_is_due__reverts(play, carol):
    job = play(Phase.SUBMIT)
    with refused("Federation_NotAbsent", job.id, carol):
        job.rejoin(carol)


def test_rejoin__silent_before_a_cycle_that_waits_for_everybody__reverts(without, carol):
    job = without(carol)
    job.lapse().fail()
    job.open()
    assert (hashes.cycle_counter(job.cycle), job.state.pending) == (3, 3)
    with refused("Federation_NotAbsent", job.id, carol):
        job.rejoin(carol)
    assert not job.state.rejoining, "the cycle after this one need not wait for everybody again"


def test_rejoin__before_the_first_cycle_and_unknown_job__reverts(play, house, alice):
    job = play()
    job.enrol(alice)
    with refused("Federation_NotAbsent", job.id, alice):
        job.rejoin(alice)
    with refused("Federation_NotAbsent", 9, alice):
        house.federation.rejoin(9, 0, {"from": alice})


def test_rejoin__after_the_end__reverts(without, carol):
    job = without(carol, maxRounds=2)
    job.play_round()
    with wrong_phase(job, Phase.OPEN, Phase.COMPLETED):
        job.rejoin(carol)


def test_rejoin__other_cycle__reverts(without, carol):
    job = without(carol)
    for cycle in (job.cycle ^ 1, job.cycle ^ 2, 0):
        with refused("Federation_WrongCycle", job.id, job.cycle, cycle):
            job.rejoin(carol, cycle)
    assert not job.state.rejoining


def test_rejoin__other_cycle_after_the_end__names_the_cycle(without, carol):
    job = without(carol, maxRounds=2)
    job.play_round()
    with refused("Federation_WrongCycle", job.id, job.cycle, 0):
        job.rejoin(carol, 0)


def test_rejoin__again__changes_nothing(without, carol):
    job = without(carol)
    job.rejoin(carol)
    job.rejoin(carol)
    assert job.state.rejoining


def test_rejoin__survives_a_failed_cycle(without, carol):
    job = without(carol)
    job.rejoin(carol)
    job.lapse().fail()
    job.open()
    assert hashes.everybody_due(job.cycle) and not job.state.rejoining


def test_rejoin__replaced_member__is_not_absent(play, mock, house, vera, viola):
    job = play(Phase.SUBMIT, committee=mock)
    job.play_round()
    mock.setMembers(house.validators[1:4])
    job.open()
    with refused("Federation_NotAbsent", job.id, vera):
        job.rejoin(vera)


def test_rejoin__who_is_waited_for_again_and_stays_silent__costs_one_wait(without, carol):
    job = without(carol, maxRounds=4)
    job.rejoin(carol)
    job.play_round().open()
    deadline = job.state.deadline
    for who in job.trainers:
        job.submit(who)
    assert job.phase == Phase.SUBMIT, "everybody is waited for"
    skip_to(deadline)
    job.play_round().open()
    assert job.state.pending == 2
