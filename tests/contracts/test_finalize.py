"""Opening the result and counting the votes for it."""

from __future__ import annotations

import pytest
from node import at, now, refused, skip_to, word, wrong_phase
from terms import FEE, NO_WORD, REWARD

from hansa.protocol import hashes
from hansa.protocol.types import Phase


def test_finalize__books_the_round(play, house):
    job = play(Phase.FINALIZE)
    result, result_hash, cycle = job.result(), job.result_hash(), job.cycle
    event = job.finalize().events["RoundFinalized"]
    assert (event["job"], event["cycle"], event["round"], event["metric"]) == (job.id, cycle, 1, 5)
    assert (bytes(event["model"]), bytes(event["rewards"])) == result
    assert (event["matched"], bytes(event["resultHash"])) == (0b111, result_hash)
    root, unpaid = house.vault.roundOf(job.id, 1)
    assert (root, unpaid) == (int.from_bytes(result[1], "big") % 2**160, REWARD)
    assert (job.books.left, job.books.booked, job.books.paid) == (job.escrow - job.full, job.full, 0)


def test_finalize__begins_the_next_round(play):
    job = play(Phase.FINALIZE)
    job.finalize()
    state = job.state
    assert (state.phase, state.deadline) == (Phase.OPEN, now() + job.terms.openTime)
    assert (state.round, state.failures, state.stale, state.bestMetric) == (2, 0, 0, 5)
    assert tuple(state.matched) == (1, 1, 1)


def test_finalize__by_anybody(play, mallory):
    job = play(Phase.FINALIZE)
    job.finalize(mallory)
    assert job.state.round == 2


def test_finalize__quorum_of_the_seats__is_enough(play, vera, victor, viola):
    job = play(Phase.VOTE)
    job.vote(vera)
    job.vote(victor)
    job.vote(viola, model=word("another model"))
    event = job.finalize().events["RoundFinalized"]
    assert event["matched"] == 0b011
    assert tuple(job.state.matched) == (1, 1, 0), "who voted another result earns nothing"


def test_finalize__fewer_matched_than_the_quorum__reverts(play, vera, victor, viola):
    job = play(Phase.VOTE)
    job.vote(vera)
    job.vote(victor, model=word("another model"))
    job.vote(viola, model=word("a third model"))
    with refused("Federation_NoQuorum", job.id, job.cycle, 1, 2):
        job.finalize()
    assert job.phase == Phase.FINALIZE


def test_finalize__a_minority_of_the_seats_though_all_voters__reverts(play, house):
    job = play(Phase.VOTE, seats=5, quorum=3)
    for who in house.validators[:3]:
        job.vote(who, model=word("one") if who == house.validators[0] else None)
    skip_to(job.state.deadline)
    with refused("Federation_NoQuorum", job.id, job.cycle, 2, 3):
        job.finalize()


def test_finalize__another_result__reverts_and_the_true_one_still_counts(play):
    job = play(Phase.FINALIZE)
    model, rewards = job.result()
    for result in ((word("x"), rewards), (model, word("x")), (NO_WORD, NO_WORD), (rewards, model)):
        with refused("Federation_NoQuorum", job.id, job.cycle, 0, 2):
            job.finalize(result=result)
    job.finalize()
    assert job.state.round == 2


def test_finalize__a_copied_vote__does_not_match(play, vera, victor, viola):
    job = play(Phase.VOTE)
    copied = job.vote(vera).events["ResultVoted"]["sealedVote"]
    sheets = bytes(job.state.sheets)
    for seat, who in ((1, victor), (2, viola)):
        job.federation.vote(job.id, job.cycle, seat, sheets, copied, 5, {"from": who})
    with refused("Federation_NoQuorum", job.id, job.cycle, 1, 2):
        job.finalize()


def test_finalize__vote_of_zero__is_no_vote_for_anything(play, vera, victor, viola):
    job = play(Phase.VOTE)
    sheets = bytes(job.state.sheets)
    for seat, who in enumerate((vera, victor, viola)):
        job.federation.vote(job.id, job.cycle, seat, sheets, 0, 5, {"from": who})
    with refused("Federation_NoQuorum", job.id, job.cycle, 0, 2):
        job.finalize(result=(NO_WORD, NO_WORD))


@pytest.mark.parametrize(
    ("metrics", "median"),
    [
        ((1, 2, 3), 2),
        ((3, 1, 2), 2),
        ((2, 3, 1), 2),
        ((-5, -5, 7), -5),
        ((-(2**63), 2**63 - 1, 2**63 - 1), 2**63 - 1),
        ((9, 9, 9), 9),
    ],
)
def test_finalize__metric__is_the_median(play, house, metrics, median):
    job = play(Phase.VOTE, targetMetric=2**63 - 1)
    job.metrics = dict(zip(house.validators, metrics, strict=False))
    job.step()
    assert job.finalize().events["RoundFinalized"]["metric"] == median


def test_finalize__metric_of_an_even_number__is_the_lower(play, house):
    job = play(Phase.VOTE, seats=4, quorum=3)
    job.metrics = dict(zip(house.validators, (40, 10, 30, 20), strict=False))
    job.step()
    assert job.finalize().events["RoundFinalized"]["metric"] == 20


def test_finalize__metric__is_of_the_matched_votes_alone(play, house):
    job = play(Phase.VOTE, seats=5, quorum=3)
    for who, metric in zip(house.validators, (100, 1, 3, 2, 100), strict=True):
        job.vote(who, metric, model=word("wrong") if metric == 100 else None)
    assert job.finalize().events["RoundFinalized"]["metric"] == 2


def test_finalize__cannot_be_split_over_cycles(play):
    job = play(Phase.FINALIZE)
    with refused("Federation_WrongCycle", job.id, job.cycle, job.cycle ^ 2):
        job.finalize(cycle=job.cycle ^ 2)


@pytest.mark.parametrize("phase", [Phase.SUBMIT, Phase.SCORE, Phase.REVEAL, Phase.VOTE])
def test_finalize__before_the_vote_closed__reverts(play, phase):
    job = play(phase)
    with wrong_phase(job, Phase.FINALIZE, phase):
        job.finalize()


def test_finalize__quorum_of_votes_while_voting__waits(play, vera, victor):
    job = play(Phase.VOTE)
    job.vote(vera)
    job.vote(victor)
    with wrong_phase(job, Phase.FINALIZE, Phase.VOTE):
        job.finalize()


def test_finalize__twice__reverts(play):
    job = play(Phase.FINALIZE)
    result, cycle = job.result(), job.cycle
    job.finalize()
    with wrong_phase(job, Phase.FINALIZE, Phase.OPEN):
        job.finalize(result=result, cycle=cycle)


def test_finalize__last_second__counts(play):
    job = play(Phase.FINALIZE)
    at(job.state.deadline - 1)
    job.finalize()
    assert job.state.round == 2


def test_finalize__deadline__reverts(play):
    job = play(Phase.FINALIZE)
    at(job.state.deadline)
    with wrong_phase(job, Phase.FINALIZE, Phase.LAPSED):
        job.finalize()


def test_finalize__before_the_first_cycle_and_unknown_job__reverts(play):
    job = play()
    with wrong_phase(job, Phase.FINALIZE, Phase.ENROL):
        job.finalize(cycle=0, result=(word("m"), word("r")))
    with refused("Federation_WrongPhase", 9, Phase.FINALIZE, Phase.NONE):
        job.federation.finalize(9, 0, (word("m"), word("r")), {"from": job.sponsor})


@pytest.mark.parametrize(
    ("times", "burnt"),
    [({}, 465), ({"releaseTime": 100}, 465), ({"attestTime": 100}, 0)],
    ids=["open", "with-release", "masked"],
)
def test_finalize__nothing_to_aggregate__is_a_failed_cycle_that_burns_unless_masked(play, times, burnt):
    job = play(Phase.SUBMIT, **times)
    job.model = NO_WORD
    job.reach(Phase.FINALIZE)
    cycle = job.cycle
    event = job.finalize().events["CycleFailed"]
    assert (event["cycle"], event["phase"], event["failures"], event["burnt"]) == (cycle, Phase.VOTE, 1, burnt)
    state = job.state
    assert (state.phase, state.round) == (Phase.OPEN, 1)
    assert tuple(state.matched) == (0, 0, 0), "no seat earns"
    assert (job.books.left, job.books.booked, job.books.burnt) == (job.escrow - burnt, 0, burnt)
    assert state.bestMetric == -(2**63), "it measured nothing"


def test_finalize__nothing_to_aggregate__everybody_is_due_in_the_next(play):
    job = play(Phase.OPEN).play_round()
    job.model = NO_WORD
    job.reach(Phase.FINALIZE).finalize()
    job.open()
    assert hashes.everybody_due(job.cycle) and hashes.cycle_counter(job.cycle) == 3


def test_finalize__nothing_to_aggregate_too_often__aborts(play):
    job = play(maxFailures=2)
    job.model = NO_WORD
    job.play_to_end()
    assert (job.phase, job.books.burnt, job.books.left) == (Phase.ABORTED, 2 * 465, job.escrow - 2 * 465)


def test_finalize__nothing_to_aggregate__burns_once_more_after_each_final_round(play):
    """No streak of failures buys off a later one."""
    job, burnt = play(Phase.OPEN, maxRounds=4, maxFailures=2, escrow=9000), []
    for _ in range(3):
        job.model = NO_WORD
        job.reach(Phase.FINALIZE).finalize()
        burnt.append(job.books.burnt)
        job.model = None
        job.play_round()
    assert burnt == [465, 2 * 465, 3 * 465] and (job.phase, job.state.round) == (Phase.OPEN, 4)


def test_finalize__no_model_but_rewards__reverts_and_costs_what_silence_does(play, house):
    job = play(Phase.VOTE)
    job.result = lambda model=None: (NO_WORD, word("rewards"))
    job.step()
    with refused("Federation_BadResult", job.id, job.cycle):
        job.finalize()
    assert job.phase == Phase.FINALIZE
    event = job.lapse().fail().events["CycleFailed"]
    assert (event["phase"], event["burnt"]) == (Phase.FINALIZE, 465)
    assert (job.state.round, tuple(job.state.matched), job.books.booked) == (1, (0, 0, 0), 0)
    assert tuple(house.vault.roundOf(job.id, 1)) == (0, 0), "no rewards without a model"


def test_finalize__no_model_but_rewards_that_nobody_voted__has_no_quorum(play):
    job = play(Phase.FINALIZE)
    with refused("Federation_NoQuorum", job.id, job.cycle, 0, 2):
        job.finalize(result=(NO_WORD, word("rewards")))


def test_finalize__rewards_of_zero__pay_nobody(play, house, alice):
    job = play(Phase.SUBMIT)
    job.leaves = {}
    job.play_round()
    assert tuple(house.vault.roundOf(job.id, 1)) == (0, REWARD)
    with refused("Vault_InvalidProof", job.id, 1, alice):
        house.vault.claim(job.id, alice, [(1, (REWARD, 0, 0), [])], {"from": alice})
    assert job.books.booked == job.full, "the round is taken from the escrow all the same"


def test_finalize__fees__are_of_the_seats_that_matched(play, house, vera, viola):
    job = play(Phase.VOTE, maxRounds=1)
    job.members.remove(viola)
    job.play_to_end()
    for seat in range(3):
        job.federation.claimFees(job.id, seat, {"from": job.sponsor})
    assert job.books.paid == 2 * FEE
    assert house.token.balanceOf(viola) == 10**24


def test_finalize__score_of_the_best_metric__counts_stale_rounds(play):
    job = play(Phase.OPEN, maxRounds=5)
    seen = []
    for metric in (5, 5, 6, 4):
        job.metrics = dict.fromkeys(job.members, metric)
        job.play_round()
        seen.append((job.state.bestMetric, job.state.stale))
    assert seen == [(5, 0), (5, 1), (6, 0), (6, 1)], "better is more, not as much"
