"""Two transactions that compete at the end of a cycle or after it, in one block, in either order."""

from __future__ import annotations

import pytest
from races import CYCLE, EARLY, OK, WRONG, race, soon
from terms import FEE, NO_WORD, PENALTY, REWARD

from hansa.protocol import hashes
from hansa.protocol.types import Phase


@pytest.mark.parametrize("finalize_first", [True, False])
@pytest.mark.parametrize("early", [1, 0], ids=["a-second-before", "deadline"])
def test_finalize_and_fail_round(play, early, finalize_first):
    job = play(Phase.FINALIZE)
    calls = [job.draft("finalize"), job.draft("fail")]
    order = 1 if finalize_first else -1
    expected = [OK, WRONG] if early else [WRONG, OK]
    assert race(job.state.deadline - early, *calls[::order]) == expected[::order]
    assert (job.state.round, job.books.burnt) == ((2, 0) if early else (1, 465))


def test_finalize_twice__counts_once(play, mallory):
    job = play(Phase.FINALIZE)
    assert race(soon(), job.draft("finalize"), job.draft("finalize", mallory)) == [OK, WRONG]
    assert (job.state.round, job.books.booked) == (2, job.full)


@pytest.mark.parametrize("stop_first", [True, False])
def test_finalize_and_stop__end_alike(play, stop_first):
    job = play(Phase.FINALIZE)
    calls = [job.draft("stop"), job.draft("finalize")]
    assert race(soon(), *(calls if stop_first else calls[::-1])) == [OK, OK]
    assert (job.phase, job.state.round, job.books.left) == (Phase.COMPLETED, 2, 2 * job.full)


@pytest.mark.parametrize("stop_first", [True, False])
def test_fail_round_and_stop__end_alike(play, stop_first):
    job = play(Phase.SCORE).lapse()
    calls = [job.draft("stop"), job.draft("fail")]
    assert race(soon(), *(calls if stop_first else calls[::-1])) == [OK, OK]
    assert (job.phase, job.books.burnt) == (Phase.ABORTED, 465), "no order saves the burn"


def test_last_finalize_and_stop__the_job_is_over(play):
    job = play(Phase.FINALIZE, maxRounds=1)
    assert race(soon(), job.draft("finalize"), job.draft("stop")) == [OK, WRONG]
    assert job.phase == Phase.COMPLETED


def test_fail_round_twice__counts_once(play, mallory):
    job = play(Phase.SCORE).lapse()
    assert race(soon(), job.draft("fail"), job.draft("fail", mallory)) == [OK, WRONG]
    assert (job.state.failures, job.books.burnt) == (1, 465)


@pytest.mark.parametrize("fail_first", [True, False])
def test_fail_round_and_open(play, fail_first):
    job = play(Phase.SCORE).lapse()
    calls = [job.draft("fail"), job.draft("open")]
    assert race(soon(), *(calls if fail_first else calls[::-1])) == ([OK, EARLY] if fail_first else [WRONG, OK])
    assert job.phase == Phase.OPEN


@pytest.mark.parametrize("finalize_first", [True, False])
@pytest.mark.parametrize("early", [1, 0], ids=["a-second-before", "deadline"])
def test_nothing_to_aggregate_and_fail_round__burn_alike_in_any_order(play, early, finalize_first):
    job = play(Phase.SUBMIT)
    job.model = NO_WORD
    job.reach(Phase.FINALIZE)
    order = 1 if finalize_first else -1
    calls, expected = [job.draft("finalize"), job.draft("fail")], [OK, WRONG] if early else [WRONG, OK]
    assert race(job.state.deadline - early, *calls[::order]) == expected[::order]
    assert (job.state.failures, job.books.burnt) == (1, 465)


@pytest.mark.parametrize("finalize_first", [True, False])
def test_nothing_to_aggregate_of_masked_updates__burns_nothing_if_it_is_finalised(play, finalize_first):
    job = play(Phase.SUBMIT, attestTime=100)
    job.model = NO_WORD
    job.reach(Phase.FINALIZE)
    order = 1 if finalize_first else -1
    calls = [job.draft("finalize"), job.draft("fail")]
    assert race(job.state.deadline - 1, *calls[::order]) == [OK, WRONG][::order]
    assert (job.state.failures, job.books.burnt) == (1, 0)


@pytest.mark.parametrize("rejoin_first", [True, False])
def test_rejoin_and_open(play, carol, rejoin_first):
    job = play(Phase.SUBMIT)
    job.trainers.remove(carol)
    job.play_round().reach(Phase.SUBMIT).play_round()
    calls, expected = [job.draft("rejoin", carol), job.draft("open")], [OK if rejoin_first else CYCLE, OK]
    order = 1 if rejoin_first else -1
    assert race(soon(), *calls[::order]) == expected[::order], "who names the last cycle can't mean the new one"
    assert hashes.everybody_due(job.cycle) == rejoin_first and not job.state.rejoining
    if not rejoin_first:
        job.rejoin(carol)
        assert job.state.rejoining, "it is kept for the cycle after"


@pytest.mark.parametrize("submit_first", [True, False])
def test_rejoin_and_own_submit(play, carol, submit_first):
    job = play(Phase.SUBMIT)
    job.trainers.remove(carol)
    job.play_round().reach(Phase.SUBMIT)
    calls = [job.draft("submit", carol), job.draft("rejoin", carol)]
    expected = [OK, "Federation_NotAbsent"] if submit_first else [OK, OK]
    assert race(soon(), *(calls if submit_first else calls[::-1])) == expected


@pytest.mark.parametrize("claim_first", [True, False])
@pytest.mark.parametrize("early", [1, 0], ids=["a-second-before", "deadline"])
def test_claim_and_expire(play, house, alice, early, claim_first):
    job = play(maxRounds=1).play_to_end()
    expire = (house.vault.expire, (job.id,), job.sponsor)
    calls = [job.draft("claim", alice), expire]
    order = 1 if claim_first else -1
    expected = [OK, "Vault_TooEarly"] if early else ["Vault_TooLate", OK]
    assert race(job.books.claimUntil - early, *calls[::order]) == expected[::order]
    assert (job.books.paid, job.books.burnt) == ((300, 0) if early else (0, REWARD + 3 * FEE))


@pytest.mark.parametrize("strike_first", [True, False])
@pytest.mark.parametrize("early", [1, 0], ids=["a-second-before", "slash-time"])
def test_strike_and_claim_bond(play, house, alice, bob, early, strike_first):
    job = play(Phase.SUBMIT, maxRounds=1)
    job.leaves = {alice: (0, 1), bob: (900, 0)}
    job.play_to_end()
    take = (house.vault.claimBond, (job.id, alice), alice)
    calls = [job.draft("claim", alice, by=bob), take]
    order = 1 if strike_first else -1
    expected = [OK, "Vault_TooEarly"] if early else [OK, OK]
    assert race(job.books.slashUntil - early, *calls[::order]) == expected[::order]
    assert job.books.forfeited == (PENALTY if early else 0), "one second decides, no order does"


@pytest.mark.parametrize("order", [1, -1])
def test_two_claims_of_more_than_the_pool__first_come(play, alice, bob, order):
    job = play(Phase.SUBMIT, maxRounds=1)
    job.leaves = {alice: (700, 0), bob: (700, 0)}
    job.play_to_end()
    calls = [job.draft("claim", who) for who in (alice, bob)][::order]
    assert race(soon(), *calls) == [OK, OK]
    gained = [job.token.balanceOf(who) - 10**24 + 100 for who in (alice, bob)]
    assert gained == [700, 200][::order]


def test_the_same_claim_twice__pays_once(play, alice, mallory):
    job = play(maxRounds=1).play_to_end()
    assert race(soon(), job.draft("claim", alice), job.draft("claim", alice, by=mallory)) == [OK, OK]
    assert job.books.paid == 300


def test_claims_and_end__in_one_second(play, alice):
    job = play(Phase.OPEN, maxRounds=2).play_round().reach(Phase.FINALIZE)
    assert race(soon(), job.draft("claim", alice), job.draft("finalize")) == [OK, OK]
    assert (job.phase, job.books.paid) == (Phase.COMPLETED, 300)


def test_whole_cycle__in_two_blocks(play, house):
    """No phase must last: each can begin and end in one second."""
    job = play(Phase.OPEN, seats=1, quorum=1, maxTrainers=1, minUpdates=1)
    vera, alice = house.validators[0], house.trainers[0]
    job.open()
    calls = [job.draft("submit", alice)]
    job.sheets[vera] = bytes(13)
    calls.append(job.draft("commit", vera))
    calls.append(job.draft("reveal", vera))
    assert race(soon(), *calls) == [OK, OK, OK]
    assert race(soon(), job.draft("vote", vera), job.draft("finalize")) == [OK, OK]
    assert job.state.round == 2
