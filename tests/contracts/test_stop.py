"""The sponsor ends the job."""

from __future__ import annotations

import pytest
from node import now, refused, wrong_phase
from terms import NO_WORD

from hansa.protocol.types import Phase

CYCLE = [Phase.SUBMIT, Phase.SCORE, Phase.REVEAL, Phase.VOTE, Phase.FINALIZE]


def test_stop__while_enrolling__cancels(play, alice):
    job = play()
    job.enrol(alice)
    events = job.stop().events
    assert events["StopRequested"]["job"] == job.id
    assert events["JobEnded"]["outcome"] == Phase.CANCELLED == job.phase
    assert job.books.slashUntil == now()


def test_stop__lapsed_enrol__cancels(play):
    job = play().lapse()
    job.stop()
    assert job.phase == Phase.CANCELLED


def test_stop__open_before_any_round__aborts(play):
    job = play(Phase.OPEN)
    job.stop()
    assert (job.phase, job.books.left) == (Phase.ABORTED, job.escrow)
    assert job.books.slashUntil == now(), "no round was final"


def test_stop__open_after_a_round__completes(play):
    job = play(Phase.OPEN).play_round()
    job.stop()
    assert (job.phase, job.books.left) == (Phase.COMPLETED, 2 * job.full)
    assert job.books.slashUntil == now() + job.terms.slashTime


def test_stop__lapsed_open__ends_at_once(play):
    job = play(Phase.OPEN).play_round().lapse()
    job.stop()
    assert job.phase == Phase.COMPLETED


@pytest.mark.parametrize("phase", CYCLE, ids=lambda phase: phase.name.lower())
def test_stop__in_a_cycle__ends_with_it(play, phase):
    job = play(phase)
    job.stop()
    assert (job.phase, job.state.stopping) == (phase, True)
    job.play_round()
    assert (job.phase, job.state.round) == (Phase.COMPLETED, 2)
    assert job.books.booked == job.full, "the round under way is paid"


@pytest.mark.parametrize("phase", CYCLE, ids=lambda phase: phase.name.lower())
def test_stop__in_a_cycle_that_fails__aborts(play, phase):
    job = play(phase)
    job.stop()
    job.lapse().fail()
    assert job.phase == Phase.ABORTED
    assert job.books.burnt == (0 if phase == Phase.SUBMIT else job.full // 2), "stopping saves no burn"


def test_stop__in_a_lapsed_cycle__still_burns(play):
    job = play(Phase.SCORE).lapse()
    job.stop()
    assert job.phase == Phase.LAPSED
    job.fail()
    assert (job.phase, job.books.burnt) == (Phase.ABORTED, 465)


def test_stop__in_a_failing_cycle_after_a_round__completes(play):
    job = play(Phase.OPEN).play_round().reach(Phase.SCORE)
    job.stop()
    job.lapse().fail()
    assert job.phase == Phase.COMPLETED


def test_stop__cycle_without_anything_to_aggregate__ends(play):
    job = play(Phase.SUBMIT)
    job.model = NO_WORD
    job.stop()
    job.reach(Phase.FINALIZE).finalize()
    assert job.phase == Phase.ABORTED


def test_stop__twice__changes_nothing(play):
    job = play(Phase.SUBMIT)
    job.stop()
    job.stop()
    assert job.phase == Phase.SUBMIT


@pytest.mark.parametrize("who", ["alice", "vera", "mallory"])
def test_stop__by_another__reverts(play, actors, who):
    job = play(Phase.OPEN)
    with refused("Federation_NotSponsor", job.id, actors[who]):
        job.stop(actors[who])


def test_stop__unknown_job__reverts(house, sponsor):
    with refused("Federation_NotSponsor", 9, sponsor):
        house.federation.stop(9, {"from": sponsor})


def test_stop__after_the_end__reverts(play):
    job = play(Phase.OPEN)
    job.stop()
    with wrong_phase(job, Phase.OPEN, Phase.ABORTED):
        job.stop()
