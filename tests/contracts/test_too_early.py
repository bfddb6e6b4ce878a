"""A cycle opens later than the second in which what came before it ended: whoever ended that chooses nothing."""

from __future__ import annotations

import pytest
from node import at, now, refused, skip_to, together, wrong_phase
from races import EARLY, OK, race, soon
from terms import NO_WORD

from hansa.protocol.types import Phase


def test_open__in_the_first_second_after_enrol__reverts(play, alice, bob):
    job = play()
    job.enrol(alice)
    job.enrol(bob)
    deadline = job.state.deadline
    at(deadline)
    with refused("Federation_TooEarly", job.id, deadline + 1):
        job.open()
    at(deadline + 1)
    job.open()
    assert job.phase == Phase.SUBMIT


def ends_enrol(job):
    for who in job.trainers[:-1]:
        job.enrol(who)
    return job.draft("enrol", job.trainers[-1])


def ends_round(job):
    job.reach(Phase.FINALIZE)
    return job.draft("finalize")


def ends_with_nothing(job):
    job.model = NO_WORD
    job.reach(Phase.FINALIZE)
    return job.draft("finalize")


def ends_silence(job):
    job.reach(Phase.SCORE).lapse()
    return job.draft("fail")


def ends_submit(job):
    job.reach(Phase.SUBMIT).lapse()
    return job.draft("fail")


def ends_open(job):
    job.reach(Phase.OPEN).lapse()
    return job.draft("fail")


ENDS = [ends_enrol, ends_round, ends_with_nothing, ends_silence, ends_submit, ends_open]
NAMES = ["last-enrolment", "final-round", "nothing", "silence", "too-few-updates", "lapsed-open"]


@pytest.fixture(params=ENDS, ids=NAMES)
def ended(request, play):
    """A job, and the call that will begin its OPEN."""
    job = play()
    return job, request.param(job)


def test_open__in_the_same_block__reverts(ended):
    job, end = ended
    time = soon()
    assert race(time, end, job.draft("open")) == [OK, EARLY]
    assert (job.phase, now()) == (Phase.OPEN, time)
    job.open()
    assert job.phase == Phase.SUBMIT


def test_open__in_the_same_transaction__reverts_it_whole(ended):
    job, (method, arguments, sender) = ended
    before, time = job.state, soon()
    calls = [method.encode_input(*arguments), job.federation.open.encode_input(job.id)]
    at(time)
    with refused("Federation_TooEarly", job.id, time + 1):
        job.federation.multicall(calls, {"from": sender})
    after = job.state
    assert (after.history, after.failures, after.round, after.enrolled) == (
        before.history,
        before.failures,
        before.round,
        before.enrolled,
    )


def test_open__in_the_shortest_open__has_one_second(play):
    job = play(openTime=2)
    job.enrol(job.trainers[0])
    job.enrol(job.trainers[1])
    since = job.state.deadline
    skip_to(since)
    assert race(since + 1, job.draft("open")) == [OK]


def test_open__after_the_shortest_open__has_lapsed(play):
    job = play(Phase.OPEN, openTime=2)
    at(now() + 2)
    with wrong_phase(job, Phase.OPEN, Phase.LAPSED):
        job.open()


def test_open__later_in_the_same_block_as_another_jobs_end__works(play):
    """Only the job's own end counts."""
    ending, job = play(Phase.FINALIZE), play(Phase.OPEN)
    receipts = together(soon(), ending.draft("finalize"), job.draft("open"))
    assert [receipt.status for receipt in receipts] == [1, 1]
    assert (ending.phase, job.phase) == (Phase.OPEN, Phase.SUBMIT)
