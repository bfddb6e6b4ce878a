"""What attest, release, commitScores, revealScores and vote have in common: cycle, phase, seat, once, early close."""

from __future__ import annotations

import pytest
from drive import MEMBER_STEPS
from node import at, now, refused, skip_to, word, wrong_phase
from terms import TIME_OF

from hansa.protocol.types import Phase

SHARING = {"attestTime": 250, "releaseTime": 350}
DAYS_30 = 30 * 24 * 3600  # the longest phase; its seconds have 22 bits
STEPS = list(MEMBER_STEPS)
NEXT = {
    Phase.SUBMIT: Phase.ATTEST,
    Phase.ATTEST: Phase.RELEASE,
    Phase.RELEASE: Phase.SCORE,
    Phase.SCORE: Phase.REVEAL,
    Phase.REVEAL: Phase.VOTE,
    Phase.VOTE: Phase.FINALIZE,
}
NAMES = {
    Phase.ATTEST: "attest",
    Phase.RELEASE: "release",
    Phase.SCORE: "commitScores",
    Phase.REVEAL: "revealScores",
    Phase.VOTE: "vote",
}
ACTED = {
    Phase.ATTEST: "attested",
    Phase.RELEASE: "released",
    Phase.SCORE: "committed",
    Phase.REVEAL: "revealed",
    Phase.VOTE: "voted",
}


@pytest.fixture(params=STEPS, ids=lambda phase: phase.name.lower())
def phase(request):
    return request.param


def do(job, phase, who, **named):
    return getattr(job, MEMBER_STEPS[phase])(who, **named)


def do_as(job, phase, who, seat):
    """The call with a seat of one's choice."""
    extra = {
        Phase.ATTEST: (b"\0",),
        Phase.RELEASE: (word("shares"),),
        Phase.SCORE: (word("commitment"),),
        Phase.REVEAL: (bytes(39), word("salt")),
        Phase.VOTE: (bytes(job.state.sheets), 1, 1),
    }[phase]
    getattr(job.federation, NAMES[phase])(job.id, job.cycle, seat, *extra, {"from": who})


def test_member_step__marks_the_seat(play, phase, victor):
    job = play(phase, **SHARING)
    do(job, phase, victor)
    assert getattr(job.state, ACTED[phase]) == 0b010
    assert job.phase == phase, "two are still waited for"


def test_member_step__twice__reverts(play, phase, victor):
    job = play(phase, **SHARING)
    do(job, phase, victor)
    with refused("Federation_AlreadyActed", job.id, job.cycle, 1):
        do(job, phase, victor)


def test_member_step__outsider__reverts(play, phase, mallory):
    job = play(phase, **SHARING)
    with refused("Federation_NotSeated", job.id, 0, mallory):
        do_as(job, phase, mallory, 0)


@pytest.mark.parametrize("seat", [0, 2, 3, 24, 255])
def test_member_step__seat_of_another_or_of_nobody__reverts(play, victor, seat):
    job = play(Phase.SCORE)
    with refused("Federation_NotSeated", job.id, seat, victor):
        do_as(job, Phase.SCORE, victor, seat)


def test_member_step__other_cycle__reverts(play, phase, vera):
    job = play(phase, **SHARING)
    with refused("Federation_WrongCycle", job.id, job.cycle, job.cycle ^ 2):
        do(job, phase, vera, cycle=job.cycle ^ 2)


def test_member_step__other_cycle_in_another_phase__names_the_cycle(play, phase, vera):
    job = play(Phase.SUBMIT, **SHARING)
    with refused("Federation_WrongCycle", job.id, job.cycle, job.cycle ^ 2):
        do(job, phase, vera, cycle=job.cycle ^ 2)


@pytest.mark.parametrize("actual", [Phase.SUBMIT, *STEPS, Phase.FINALIZE], ids=lambda phase: "in-" + phase.name.lower())
def test_member_step__in_every_other_phase__reverts(play, actual, vera):
    job = play(actual, **SHARING)
    for phase in STEPS:
        if phase != actual:
            with wrong_phase(job, phase, actual):
                do_as(job, phase, vera, 0)


def test_member_step__before_the_first_cycle__reverts(play, phase, vera):
    job = play(Phase.OPEN, **SHARING)
    with wrong_phase(job, phase, Phase.OPEN):
        do_as(job, phase, vera, 0)


def test_member_step__after_the_round__reverts(play, phase, vera):
    job = play(Phase.SUBMIT, **SHARING).play_round()
    with wrong_phase(job, phase, Phase.OPEN):
        do_as(job, phase, vera, 0)


def test_member_step__after_the_end__reverts(play, phase, vera):
    job = play(maxRounds=1, **SHARING).play_to_end()
    with wrong_phase(job, phase, Phase.COMPLETED):
        do_as(job, phase, vera, 0)


def test_member_step__unknown_job__reverts(play, phase, vera, house):
    job = play(**SHARING)
    several = {Phase.ATTEST: (b"",), Phase.REVEAL: (b"", word("salt")), Phase.VOTE: (word("sheets"), 1, 1)}
    extra = several.get(phase, (word("any"),))
    with refused("Federation_WrongPhase", job.id + 1, phase, Phase.NONE):
        getattr(house.federation, NAMES[phase])(job.id + 1, 0, 0, *extra, {"from": vera})


def test_member_step__last_second__counts(play, phase, vera):
    job = play(phase, **SHARING)
    at(job.state.deadline - 1)
    do(job, phase, vera)
    assert getattr(job.state, ACTED[phase]) == 1


def test_member_step__deadline_with_enough__is_the_next_phase(play, phase, vera, victor, viola):
    job = play(phase, **SHARING)
    deadline = job.state.deadline
    do(job, phase, vera)
    do(job, phase, victor)
    at(deadline)
    with wrong_phase(job, phase, NEXT[phase]):
        do(job, phase, viola)


def test_member_step__deadline_with_too_few__has_lapsed(play, phase, vera, victor):
    job = play(phase, **SHARING)
    do(job, phase, vera)
    at(job.state.deadline)
    with wrong_phase(job, phase, Phase.LAPSED):
        do(job, phase, victor)


def test_member_step__everybody__closes_the_phase(play, phase, house):
    job = play(phase, **SHARING)
    for who in house.validators[:3]:
        do(job, phase, who)
    closed = now()
    following = {**job.terms.__dict__}[f"{NEXT[phase].name.lower()}Time"]
    assert (job.phase, job.state.deadline) == (NEXT[phase], closed + following)


def test_member_step__phase_of_30_days__is_played_to_its_last_second(play, phase, vera, victor):
    job = play(phase, **{**SHARING, TIME_OF[phase]: DAYS_30}, maxRounds=1, maxFailures=1)
    deadline = now() + DAYS_30
    assert job.state.deadline == deadline
    do(job, phase, vera)
    at(deadline - 1)
    do(job, phase, victor)
    assert job.phase == phase
    skip_to(deadline)
    following = getattr(job.terms, TIME_OF[NEXT[phase]])
    assert (job.phase, job.state.deadline) == (NEXT[phase], deadline + following)


@pytest.mark.parametrize("left", [5, DAYS_30 - 5], ids=["late", "early"])
def test_member_step__everybody_within_30_days__closes_the_phase(play, phase, house, left):
    job = play(phase, **{**SHARING, TIME_OF[phase]: DAYS_30}, maxRounds=1, maxFailures=1)
    at(job.state.deadline - left)
    for who in house.validators[:3]:
        do(job, phase, who)
    following = getattr(job.terms, TIME_OF[NEXT[phase]])
    assert (job.phase, job.state.deadline) == (NEXT[phase], now() + following)
    assert job.play_to_end().phase == Phase.COMPLETED


def test_member_step__quorum_alone__does_not_close_it(play, phase, vera, viola):
    job = play(phase, **SHARING)
    deadline = job.state.deadline
    do(job, phase, vera)
    do(job, phase, viola)
    assert (job.phase, job.state.deadline) == (phase, deadline)
    skip_to(deadline)
    assert job.phase == NEXT[phase]


@pytest.mark.parametrize("phase", [Phase.ATTEST, Phase.RELEASE, Phase.SCORE], ids=lambda phase: phase.name.lower())
def test_member_step__who_is_not_due__may_act_but_is_not_waited_for(play, phase, vera, victor, viola):
    job = play(Phase.SUBMIT, **SHARING)
    job.members.remove(viola)
    job.play_round().reach(Phase.SUBMIT)
    assert job.state.due == 0b011
    job.reach(phase)
    do(job, phase, viola)
    do(job, phase, vera)
    assert job.phase == phase, "victor is due"
    do(job, phase, victor)
    assert (job.phase, getattr(job.state, ACTED[phase])) == (NEXT[phase], 0b111)


def test_member_step__all_phases_closed_in_order__lose_no_time(play):
    job = play(Phase.SUBMIT, **SHARING)
    began = now()
    job.reach(Phase.FINALIZE)
    assert now() - began <= 20, "one second a block"
    assert job.state.deadline == now() + job.terms.finalizeTime
