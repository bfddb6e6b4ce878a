"""How a job ends by itself: rounds, target, patience, escrow, failures."""

from __future__ import annotations

import pytest
from node import at, now, refused

from hansa.protocol.types import Phase


def rounds(job, *metrics):
    """Plays a round for each metric that all members measure."""
    for metric in metrics:
        job.metrics = dict.fromkeys(job.members, metric)
        job.play_round()
    return job


def test_end__after_the_last_round__completes(play):
    job = play(Phase.OPEN, maxRounds=2)
    rounds(job, 1)
    assert job.phase == Phase.OPEN
    rounds(job, 2)
    state = job.state
    assert (state.phase, state.endedAt, state.deadline, state.round) == (Phase.COMPLETED, now(), 0, 3)


def test_end__event_and_closed_books(play):
    job = play(Phase.FINALIZE, maxRounds=1)
    event = job.finalize().events["JobEnded"]
    assert (event["job"], event["outcome"]) == (job.id, Phase.COMPLETED)
    books, ended = job.books, now()
    assert (books.endedAt, books.claimUntil, books.slashUntil) == (ended, ended + 50_000, ended + 5_000)


@pytest.mark.parametrize(
    ("metric", "phase"),
    [(99, Phase.OPEN), (100, Phase.COMPLETED), (101, Phase.COMPLETED)],
    ids=["below", "at", "above"],
)
def test_end__target__is_reached_at_or_above(play, metric, phase):
    job = rounds(play(Phase.OPEN, targetMetric=100), metric)
    assert job.phase == phase


def test_end__negative_target(play):
    job = play(Phase.OPEN, targetMetric=-5)
    rounds(job, -6)
    assert job.phase == Phase.OPEN
    rounds(job, -5)
    assert job.phase == Phase.COMPLETED


def test_end__patience__counts_rounds_without_a_better_metric(play):
    job = play(Phase.OPEN, maxRounds=9, patience=2, escrow=9000)
    rounds(job, 5, 5, 6, 6)
    assert job.phase == Phase.OPEN, "6 was better than 5"
    rounds(job, 6)
    assert (job.phase, job.state.round) == (Phase.COMPLETED, 6)


def test_end__patience_of_one(play):
    job = rounds(play(Phase.OPEN, maxRounds=9, patience=1, escrow=9000), 5, 4)
    assert job.phase == Phase.COMPLETED


def test_end__patience_with_a_metric_that_is_none__counts_it_as_no_better(play):
    job = rounds(play(Phase.OPEN, maxRounds=9, patience=1, escrow=9000), -(2**63))
    assert (job.phase, job.state.stale) == (Phase.COMPLETED, 1)


def test_end__patience_of_zero__never_ends(play):
    job = rounds(play(Phase.OPEN, maxRounds=4, escrow=9000), 5, 5, 5)
    assert (job.phase, job.state.stale) == (Phase.OPEN, 2)


def test_end__escrow_run_out__completes(play):
    job = play(Phase.OPEN, maxRounds=9, escrow=2 * 930 + 929)
    rounds(job, 1)
    assert job.phase == Phase.OPEN
    rounds(job, 2)
    assert (job.phase, job.books.left) == (Phase.COMPLETED, 929)


def test_end__escrow_of_exactly_the_rounds__leaves_nothing(play):
    job = rounds(play(Phase.OPEN, maxRounds=9, escrow=2 * 930), 1, 2)
    assert (job.phase, job.books.left) == (Phase.COMPLETED, 0)


def test_end__first_of_several_reasons__ends_once(play):
    job = play(Phase.FINALIZE, maxRounds=1, targetMetric=1, patience=1)
    job.stop()
    events = job.finalize().events
    assert len(events["JobEnded"]) == 1 or events.count("JobEnded") == 1
    assert job.phase == Phase.COMPLETED


def test_end__nobody_ever_opens__is_over_after_the_failures(play):
    job = play(Phase.OPEN, maxFailures=3)
    began = now()
    for _ in range(3):
        at(job.state.deadline)
        job.fail()
    assert (job.phase, now() - began) == (Phase.ABORTED, 3 * job.terms.openTime), "exactly maxFailures · openTime"


def test_end__state_afterwards__stays(play):
    job = play(maxRounds=1).play_to_end()
    ended = job.state
    later = job.state_at(now() + 10**8)
    assert later == ended, "no phase runs on"


def test_end__every_call_of_a_cycle__is_refused(play, vera, alice):
    job = play(Phase.FINALIZE, maxRounds=1)
    cycle, result = job.cycle, job.result()
    job.finalize()
    for call in (
        lambda: job.open(),
        lambda: job.submit(alice, cycle=cycle),
        lambda: job.commit(vera),
        lambda: job.reveal(vera),
        lambda: job.vote(vera),
        lambda: job.finalize(result=result),
        lambda: job.fail(),
        lambda: job.rejoin(alice),
        lambda: job.stop(),
        lambda: job.enrol(alice),
    ):
        with refused("Federation_WrongPhase"):
            call()


def test_end__matched_counts__run_over_a_long_job(play):
    job = rounds(play(Phase.OPEN, maxRounds=6), 1, 2, 3, 4, 5, 6)
    assert tuple(job.state.matched) == (6, 6, 6)
