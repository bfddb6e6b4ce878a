"""Two transactions that compete at an edge within a cycle, in one block, in either order."""

from __future__ import annotations

import pytest
from drive import Job
from node import at, skip_to, word
from races import CYCLE, EARLY, OK, WRONG, race, soon

from hansa.protocol import hashes
from hansa.protocol.types import Phase

SHARING = {"attestTime": 250, "releaseTime": 350}
MINIMUM_STEPS = {
    Phase.ATTEST: "attest",
    Phase.RELEASE: "release",
    Phase.SCORE: "commit",
    Phase.REVEAL: "reveal",
    Phase.VOTE: "vote",
}


def test_last_place__two_enrol__first_come(play, alice, bob, carol, dave):
    job = play()
    job.enrol(alice)
    job.enrol(bob)
    assert race(soon(), job.draft("enrol", carol), job.draft("enrol", dave)) == [OK, WRONG]
    assert job.trainer(carol)[0] and not job.trainer(dave)[0]
    assert job.books.bonded == 300, "no bond was taken of who came too late"


def test_last_enrol_and_open__in_one_second__is_too_early(play, carol, alice, bob):
    """Whoever enrols last would choose, by the order of its block, who sits on the committee."""
    job = play()
    job.enrol(alice)
    job.enrol(bob)
    assert race(soon(), job.draft("enrol", carol), job.draft("open")) == [OK, EARLY]
    job.open()
    assert (job.phase, job.state.pending) == (Phase.SUBMIT, 3)


def test_open_before_the_last_enrol__is_too_early(play, carol, alice, bob):
    job = play()
    job.enrol(alice)
    job.enrol(bob)
    assert race(soon(), job.draft("open"), job.draft("enrol", carol)) == [WRONG, OK]
    assert job.phase == Phase.OPEN


@pytest.mark.parametrize("enrol_first", [True, False])
def test_enrol_and_stop(play, house, alice, enrol_first):
    job = play()
    calls = [job.draft("enrol", alice), job.draft("stop")]
    assert race(soon(), *(calls if enrol_first else calls[::-1])) == ([OK, OK] if enrol_first else [OK, WRONG])
    assert job.phase == Phase.CANCELLED
    assert house.vault.bondOf(job.id, alice) == (100 if enrol_first else 0)
    house.vault.claimBond(job.id, alice, {"from": alice})
    assert house.token.balanceOf(alice) == 10**24


@pytest.mark.parametrize("enrol_first", [True, False])
def test_enrol_and_fail_round__at_the_deadline(play, alice, bob, enrol_first):
    job = play()
    job.enrol(alice)
    calls = [job.draft("enrol", bob), job.draft("fail")]
    expected = [WRONG, OK]
    order = 1 if enrol_first else -1
    assert race(job.state.deadline, *calls[::order]) == expected[::order]
    assert job.phase == Phase.CANCELLED


@pytest.mark.parametrize("enrol_first", [True, False])
def test_enrol_and_fail_round__a_second_before(play, alice, bob, enrol_first):
    job = play()
    job.enrol(alice)
    order = 1 if enrol_first else -1
    calls = [job.draft("enrol", bob), job.draft("fail")]
    deadline = job.state.deadline
    assert race(deadline - 1, *calls[::order]) == [OK, WRONG][::order]
    skip_to(deadline)
    assert job.phase == Phase.OPEN, "two are enough"


@pytest.mark.parametrize("open_first", [True, False])
@pytest.mark.parametrize("early", [1, 0], ids=["a-second-before", "deadline"])
def test_open_and_fail_round(play, early, open_first):
    job = play(Phase.OPEN)
    calls = [job.draft("open"), job.draft("fail")]
    order = 1 if open_first else -1
    time = job.state.deadline - early
    if early:
        expected = [OK, CYCLE] if open_first else [WRONG, OK]
        assert race(time, *calls[::order]) == expected
        assert job.phase == Phase.SUBMIT
    elif open_first:
        assert race(time, *calls) == [WRONG, OK]
        assert (job.phase, job.state.failures) == (Phase.OPEN, 1)
    else:
        assert race(time, *calls[::-1]) == [OK, EARLY], "OPEN begins again in the second in which it failed"
        assert (job.phase, job.state.failures) == (Phase.OPEN, 1)


def test_open_then_stop__the_cycle_is_played(play):
    job = play(Phase.OPEN)
    assert race(soon(), job.draft("open"), job.draft("stop")) == [OK, OK]
    assert (job.phase, job.state.stopping) == (Phase.SUBMIT, True)
    job.play_round()
    assert job.phase == Phase.COMPLETED


def test_stop_then_open__is_over(play):
    job = play(Phase.OPEN)
    assert race(soon(), job.draft("stop"), job.draft("open")) == [OK, WRONG]
    assert job.phase == Phase.ABORTED


def test_open_twice__opens_one_cycle(play, mallory):
    job = play(Phase.OPEN)
    assert race(soon(), job.draft("open"), job.draft("open", mallory)) == [OK, WRONG]
    assert hashes.cycle_counter(job.cycle) == 1


@pytest.mark.parametrize("submit_first", [True, False])
@pytest.mark.parametrize("early", [1, 0], ids=["a-second-before", "deadline"])
def test_last_submit_and_lapse(play, alice, bob, early, submit_first):
    job = play(Phase.SUBMIT)
    job.submit(alice)
    calls = [job.draft("submit", bob), job.draft("fail")]
    order = 1 if submit_first else -1
    deadline = job.state.deadline
    expected = [OK, WRONG] if early else [WRONG, OK]
    assert race(deadline - early, *calls[::order]) == expected[::order]
    skip_to(deadline)
    assert (job.phase, job.state.submitted) == ((Phase.SCORE, 2) if early else (Phase.OPEN, 1))


@pytest.mark.parametrize("submit_first", [True, False])
def test_last_submit_and_first_commit(play, alice, bob, carol, vera, submit_first):
    job = play(Phase.SUBMIT)
    job.submit(alice)
    job.submit(bob)
    calls = [job.draft("submit", carol), job.draft("commit", vera, word("commitment"))]
    order = 1 if submit_first else -1
    assert race(soon(), *calls[::order]) == ([OK, OK] if submit_first else [WRONG, OK])
    assert (job.phase, job.state.committed) == (Phase.SCORE, 1 if submit_first else 0)


@pytest.mark.parametrize("order", [1, -1])
def test_two_submits__accumulate_in_their_order(play, alice, bob, order):
    job = play(Phase.SUBMIT)
    acc = job.state.updates
    both = [alice, bob][::order]
    assert race(soon(), *(job.draft("submit", who, word("u")) for who in both)) == [OK, OK]
    for who in both:
        acc = hashes.updates_acc(acc, who.address, word("u"))
    assert job.state.updates == acc


def test_closing_submit_and_one_who_is_not_due__is_closed_out(play, alice, bob, carol):
    job = play(Phase.SUBMIT)
    job.trainers.remove(carol)
    job.play_round().open()
    job.submit(alice)
    assert race(soon(), job.draft("submit", bob), job.draft("submit", carol)) == [OK, WRONG]


def test_one_who_is_not_due_and_closing_submit__both_count(play, alice, bob, carol):
    job = play(Phase.SUBMIT)
    job.trainers.remove(carol)
    job.play_round().open()
    job.submit(alice)
    assert race(soon(), job.draft("submit", carol), job.draft("submit", bob)) == [OK, OK]
    assert (job.phase, job.state.submitted) == (Phase.SCORE, 3)


@pytest.mark.parametrize("act_first", [True, False])
@pytest.mark.parametrize("early", [1, 0], ids=["a-second-before", "deadline"])
@pytest.mark.parametrize("phase", MINIMUM_STEPS, ids=lambda phase: phase.name.lower())
def test_the_member_that_makes_the_minimum_and_lapse(play, vera, victor, phase, early, act_first):
    job = play(phase, **SHARING)
    step = MINIMUM_STEPS[phase]
    getattr(job, step)(vera)
    calls = [job.draft(step, victor), job.draft("fail")]
    order = 1 if act_first else -1
    deadline = job.state.deadline
    expected = [OK, WRONG] if early else [WRONG, OK]
    assert race(deadline - early, *calls[::order]) == expected[::order]
    skip_to(deadline)
    if early:
        assert job.phase not in (phase, Phase.LAPSED), "the next phase"
        assert job.books.burnt == 0
    else:
        assert (job.phase, job.books.burnt) == (Phase.OPEN, 465)


def test_last_commit_then_reveal__in_one_second(play, vera, victor, viola):
    job = play(Phase.SCORE)
    job.commit(vera)
    job.commit(victor)
    assert race(soon(), job.draft("commit", viola), job.draft("reveal", vera)) == [OK, OK]
    assert (job.phase, job.state.revealed) == (Phase.REVEAL, 1)


def test_reveal_before_the_last_commit__is_too_early(play, vera, victor, viola):
    """Nobody shows a sheet while another may still commit to the same."""
    job = play(Phase.SCORE)
    job.commit(vera)
    job.commit(victor)
    assert race(soon(), job.draft("reveal", vera), job.draft("commit", viola)) == [WRONG, OK]


def vote_call(job: Job, who, seat, sheets):
    sealed = hashes.sealed_vote(word("result"), seat)
    return job.federation.vote, (job.id, job.cycle, seat, sheets, sealed, 5), who


def test_last_reveal_then_vote__names_the_new_sheets(play, vera, victor, viola):
    job = play(Phase.REVEAL)
    job.reveal(vera)
    job.reveal(victor)
    old = bytes(job.state.sheets)
    new = hashes.sheets_acc(old, 2, job.sheet_of(viola), job.salt_of(viola))
    calls = [job.draft("reveal", viola), vote_call(job, vera, 0, old), vote_call(job, victor, 1, new)]
    assert race(soon(), *calls) == [OK, "Federation_WrongSheets", OK]


def test_vote_before_the_last_reveal__is_too_early(play, vera, victor, viola):
    job = play(Phase.REVEAL)
    job.reveal(vera)
    job.reveal(victor)
    vote = vote_call(job, vera, 0, bytes(job.state.sheets))
    assert race(soon(), vote, job.draft("reveal", viola)) == [WRONG, OK]


def test_reveal_in_the_last_second__a_vote_without_it_is_refused(play, vera, victor, viola):
    job = play(Phase.REVEAL)
    job.reveal(vera)
    job.reveal(victor)
    old, deadline = bytes(job.state.sheets), job.state.deadline
    early = vote_call(job, vera, 0, old)
    at(deadline - 1)
    job.reveal(viola)
    assert race(deadline, early, job.draft("vote", vera)) == ["Federation_WrongSheets", OK]


def test_last_vote_then_finalize__in_one_second(play, vera, victor, viola):
    job = play(Phase.VOTE)
    job.vote(vera)
    job.vote(victor)
    assert race(soon(), job.draft("vote", viola), job.draft("finalize")) == [OK, OK]
    assert (job.state.round, tuple(job.state.matched)) == (2, (1, 1, 1))


def test_finalize_before_the_last_vote__is_too_early(play, vera, victor, viola):
    """Nobody can close the vote on who has not voted yet."""
    job = play(Phase.VOTE)
    job.vote(vera)
    job.vote(victor)
    assert race(soon(), job.draft("finalize"), job.draft("vote", viola)) == [WRONG, OK]
    job.finalize()
    assert tuple(job.state.matched) == (1, 1, 1)
