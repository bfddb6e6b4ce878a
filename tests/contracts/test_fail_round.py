"""Ending what has lapsed."""

from __future__ import annotations

import pytest
from node import at, now, refused, skip_to, wrong_phase

from hansa.protocol import hashes
from hansa.protocol.types import Phase

SHARING = {"attestTime": 250, "releaseTime": 350}
SILENT = [Phase.SUBMIT, Phase.ATTEST, Phase.RELEASE, Phase.SCORE, Phase.REVEAL, Phase.VOTE, Phase.FINALIZE]


@pytest.mark.parametrize("phase", SILENT, ids=lambda phase: phase.name.lower())
def test_fail_round__silence__fails_the_cycle(play, phase):
    job = play(phase, **SHARING)
    deadline, cycle = job.state.deadline, job.cycle
    at(deadline)
    event = job.fail().events["CycleFailed"]
    burnt = 0 if phase == Phase.SUBMIT else job.full // 2
    assert (event["job"], event["cycle"], event["phase"]) == (job.id, cycle, phase)
    assert (event["failures"], event["burnt"]) == (1, burnt)
    assert (job.books.burnt, job.books.left, job.books.booked) == (burnt, job.escrow - burnt, 0)
    state = job.state
    assert (state.phase, state.deadline, state.round) == (Phase.OPEN, now() + job.terms.openTime, 1)
    assert (state.failures, tuple(state.matched)) == (1, (0, 0, 0))


@pytest.mark.parametrize("phase", SILENT, ids=lambda phase: phase.name.lower())
def test_fail_round__one_second_early__reverts(play, phase):
    job = play(phase, **SHARING)
    at(job.state.deadline - 1)
    with wrong_phase(job, Phase.LAPSED, phase):
        job.fail()


@pytest.mark.parametrize("phase", [phase for phase in SILENT if phase not in (Phase.SUBMIT, Phase.FINALIZE)], ids=str)
def test_fail_round__one_member_is_not_enough__lapses(play, phase, vera):
    job = play(phase, **SHARING)
    job.members = [vera]
    job.step()
    assert job.phase == Phase.LAPSED
    assert job.fail().events["CycleFailed"]["phase"] == phase


@pytest.mark.parametrize("phase", [phase for phase in SILENT if phase not in (Phase.SUBMIT, Phase.FINALIZE)], ids=str)
def test_fail_round__minimum_met__does_not_lapse(play, phase, vera, victor):
    job = play(phase, **SHARING)
    job.members = [vera, victor]
    job.step()
    with wrong_phase(job, Phase.LAPSED, job.phase):
        job.fail()


def test_fail_round__one_update_of_two__lapses(play, alice):
    job = play(Phase.SUBMIT)
    job.trainers = [alice]
    job.step()
    assert job.fail().events["CycleFailed"]["burnt"] == 0, "too few updates is no fault of the committee"


def test_fail_round__votes_that_differ__wait_for_finalize_to_run_out(play, house):
    job = play(Phase.VOTE)
    for place, who in enumerate(house.validators[:3]):
        job.vote(who, model=bytes([place + 1]) * 32)
    with wrong_phase(job, Phase.LAPSED, Phase.FINALIZE):
        job.fail()
    skip_to(job.state.deadline)
    event = job.fail().events["CycleFailed"]
    assert (event["phase"], event["burnt"]) == (Phase.FINALIZE, job.full // 2)


def test_fail_round__by_anybody(play, mallory):
    job = play(Phase.SCORE).lapse()
    job.fail(mallory)
    assert job.state.failures == 1


def test_fail_round__other_cycle__reverts(play):
    job = play(Phase.SCORE).lapse()
    with refused("Federation_WrongCycle", job.id, job.cycle, job.cycle ^ 2):
        job.fail(cycle=job.cycle ^ 2)


def test_fail_round__twice__reverts(play):
    job = play(Phase.SCORE).lapse()
    job.fail()
    with wrong_phase(job, Phase.LAPSED, Phase.OPEN):
        job.fail()


def test_fail_round__unknown_job__reverts(house, sponsor):
    with refused("Federation_WrongPhase", 9, Phase.LAPSED, Phase.NONE):
        house.federation.failRound(9, 0, {"from": sponsor})


def test_fail_round__after_the_end__reverts(play):
    job = play(maxRounds=1).play_to_end()
    with wrong_phase(job, Phase.LAPSED, Phase.COMPLETED):
        job.fail()


def test_fail_round__lapsed_open__burns_nothing_and_is_no_cycle(play):
    job = play(Phase.OPEN).lapse()
    event = job.fail().events["CycleFailed"]
    assert (event["cycle"], event["phase"], event["failures"], event["burnt"]) == (0, Phase.OPEN, 1, 0)
    assert (job.phase, job.books.left) == (Phase.OPEN, job.escrow)
    job.open()
    assert hashes.cycle_counter(job.cycle) == 1


def test_fail_round__lapsed_open_one_second_early__reverts(play):
    job = play(Phase.OPEN)
    at(job.state.deadline - 1)
    with wrong_phase(job, Phase.LAPSED, Phase.OPEN):
        job.fail()


def test_fail_round__lapsed_enrol__cancels(play, alice):
    job = play()
    job.enrol(alice)
    with wrong_phase(job, Phase.LAPSED, Phase.ENROL):
        job.fail()
    at(job.state.deadline)
    assert job.fail().events["JobEnded"]["outcome"] == Phase.CANCELLED
    assert (job.phase, job.state.endedAt) == (Phase.CANCELLED, now())
    assert job.books.slashUntil == now(), "bonds are free at once"


def test_fail_round__most_in_a_row__aborts(play):
    job = play(Phase.OPEN, maxFailures=2)
    job.lapse().fail()
    event = job.lapse().fail().events
    assert event["CycleFailed"]["failures"] == 2
    assert event["JobEnded"]["outcome"] == Phase.ABORTED == job.phase


def test_fail_round__most_in_a_row_after_final_rounds__aborts_too(play):
    job = play(Phase.OPEN, maxFailures=1).play_round()
    job.lapse().fail()
    assert job.phase == Phase.ABORTED
    assert job.books.slashUntil == now() + job.terms.slashTime, "a round was final: strikes may come"


def test_fail_round__a_final_round_in_between__counts_anew(play):
    job = play(Phase.OPEN, maxFailures=2)
    for _ in range(2):
        job.lapse().fail()
        job.play_round()
    assert (job.phase, job.state.round, job.state.failures) == (Phase.OPEN, 3, 0)


def test_fail_round__burn_leaves_less_than_a_round__ends(play):
    job = play(Phase.SCORE, maxRounds=3, escrow=930 + 464)
    job.lapse().fail()
    assert job.phase == Phase.ABORTED, "no round was final"
    assert (job.books.burnt, job.books.left) == (465, 929)


def test_fail_round__burn_leaves_exactly_a_round__goes_on(play):
    job = play(Phase.SCORE, maxRounds=3, escrow=930 + 465)
    job.lapse().fail()
    assert (job.phase, job.books.left) == (Phase.OPEN, 930)


def test_fail_round__burn_leaves_less_after_a_final_round__completes(play):
    job = play(Phase.OPEN, maxRounds=3, escrow=2 * 930).play_round()
    job.reach(Phase.SCORE).lapse().fail()
    assert (job.phase, job.books.left) == (Phase.COMPLETED, 465)


@pytest.mark.parametrize(("points", "burnt"), [(0, 0), (1, 0), (3333, 309), (10_000, 930)])
def test_fail_round__burn__is_the_term_rounded_down(play, points, burnt):
    job = play(Phase.SCORE, failureBurn=points).lapse()
    job.fail()
    assert job.books.burnt == burnt


def test_fail_round__two_failed_then_a_good_one__everybody_is_paid(play, house, alice, bob, carol):
    job = play(Phase.SCORE, maxRounds=2)
    job.lapse().fail()
    job.reach(Phase.SCORE).lapse().fail()
    assert job.books.burnt == 2 * 465
    job.play_to_end()
    assert (job.phase, job.state.round) == (Phase.COMPLETED, 2), "930 are left of 1860 − 930, then nothing"
    for who in (alice, bob, carol):
        job.claim(who)
    assert job.books.paid == 900
