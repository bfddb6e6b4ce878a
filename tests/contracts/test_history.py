"""`history`: a chain over each cycle's opening and end, and each lapsed OPEN, that events open."""

from __future__ import annotations

import pytest
from events import Fold
from node import call, now, skip_to, word
from terms import NO_WORD

from hansa.protocol import hashes, links
from hansa.protocol.types import Phase

SHARING = {"attestTime": 100, "releaseTime": 100}
SILENT = [Phase.SUBMIT, Phase.ATTEST, Phase.RELEASE, Phase.SCORE, Phase.REVEAL, Phase.VOTE, Phase.FINALIZE]


def history_of(job):
    return bytes(call(job.federation.historyOf, job.id))


def is_told_by_events(job):
    fold, state = Fold(job), job.state
    assert (fold.history, fold.sheets, fold.updates) == (history_of(job), bytes(state.sheets), state.updates)
    assert history_of(job) == bytes(state.history)
    return fold


def test_history__begins_with_the_hash_of_the_terms__and_is_zero_of_no_job(play, house):
    job = play(Phase.OPEN)
    assert history_of(job) == bytes(job.state.history) == job.terms_hash != NO_WORD
    assert bytes(call(house.federation.historyOf, job.id + 1)) == NO_WORD
    assert bytes(call(house.federation.historyOf, 0)) == NO_WORD


def test_history__of_a_job_with_everything_in_it__is_told_by_its_events(play, mock, house, vera, carol):
    job = play(Phase.OPEN, committee=mock, maxRounds=3, maxFailures=9, escrow=9000, releaseTime=100)
    house.federation.announceKey(word("key"), {"from": vera})
    job.lapse().fail()
    is_told_by_events(job)
    job.reach(Phase.SCORE).lapse().fail()
    is_told_by_events(job)
    job.model = NO_WORD
    job.reach(Phase.FINALIZE).finalize()
    is_told_by_events(job)
    job.model = None
    job.metrics = {vera: -(2**63)}
    job.trainers.remove(carol)
    job.play_round()
    is_told_by_events(job)
    job.members.remove(vera)
    job.play_round()  # vera is due, and silent
    job.reach(Phase.VOTE)
    assert is_told_by_events(job).board.due == 0b110
    job.play_round()
    assert is_told_by_events(job).committee[0] == vera and job.phase == Phase.COMPLETED


@pytest.mark.parametrize("phase", SILENT, ids=lambda phase: phase.name.lower())
def test_history__of_silence_in_any_phase__is_told_by_its_events(play, phase):
    job = play(phase, **SHARING)
    if phase not in (Phase.SUBMIT, Phase.FINALIZE):
        job.members = job.members[:1]
        job.step()
    job.lapse()
    event = job.fail().events["CycleFailed"]
    assert (event["phase"], event["time"]) == (phase, now())
    is_told_by_events(job)


@pytest.mark.parametrize("times", [{}, SHARING], ids=["open", "masked"])
def test_history__of_an_agreed_nothing__holds_its_votes_and_its_burn(play, times):
    job = play(Phase.VOTE, **times)
    job.model = NO_WORD
    job.step()
    before, result = job.state, job.result_hash()
    event = job.finalize().events["CycleFailed"]
    words = links.votes_hash({s: links.vote_word(hashes.sealed_vote(result, s), 5) for s in range(3)}, 3)
    sharing = 0b111 if times else 0
    board = links.Board(0b111, sharing, sharing, 0b111, 0b111, 0b111)
    burn = 0 if times else 465
    ended = (before.cycle, before.updates, bytes(before.sheets), board, words, Phase.VOTE, burn, now())
    assert history_of(job) == links.link(bytes(before.history), links.failed(*ended))
    assert (event["time"], event["burnt"]) == (now(), burn)
    is_told_by_events(job)


def test_history__of_a_vote_that_lapsed__holds_no_votes(play, vera):
    """`reached` is VOTE in either case: the hash of the words tells an agreed *nothing* from silence."""
    job = play(Phase.VOTE)
    job.vote(vera)
    before = job.lapse().state
    job.fail()
    board = links.Board(0b111, 0, 0, 0b111, 0b111, 0b001)
    ended = (before.cycle, before.updates, bytes(before.sheets), board, NO_WORD, Phase.VOTE, 465, now())
    assert history_of(job) == links.link(bytes(before.history), links.failed(*ended))


def test_history__of_a_lapsed_open__holds_its_time_alone(play):
    job = play(Phase.OPEN).lapse()
    event = job.fail().events["CycleFailed"]
    assert event["time"] == now()
    assert history_of(job) == links.link(job.terms_hash, links.lapsed(now()))
    job.lapse().fail()
    is_told_by_events(job)


def voted(job, seat, who, sealed, metric):
    sheets = bytes(job.state.sheets)
    job.federation.vote(job.id, job.cycle, seat, sheets, sealed, metric, {"from": who})


def test_history__of_a_final_round__holds_every_vote_and_its_time(play, vera, victor, viola, vito):
    """One seat votes otherwise, one the word 0, one not at all."""
    job = play(Phase.VOTE, seats=5, quorum=3)
    job.vote(victor, metric=-9)
    voted(job, 0, vera, 0, 0)
    job.vote(viola, metric=2**63 - 1)
    job.vote(vito, metric=-(2**63))
    voted(job, 4, job.members[4], 2**192 - 1, -1)
    before, result = job.state, job.result_hash()
    event = job.finalize().events["RoundFinalized"]
    assert (event["time"], event["matched"], event["metric"]) == (now(), 0b01110, -9)
    sealed = {seat: hashes.sealed_vote(result, seat) for seat in range(5)}
    words = {
        1: links.vote_word(sealed[1], -9),
        2: links.vote_word(sealed[2], 2**63 - 1),
        3: links.vote_word(sealed[3], -(2**63)),
        4: 2**256 - 1,
    }
    board = links.Board(0b11111, 0, 0, 0b11111, 0b11111, 0b11111)
    ended = (board, links.votes_hash(words, 5), now())
    assert history_of(job) == links.link(bytes(before.history), links.finalised(result, *ended))
    is_told_by_events(job)


def test_history__of_a_vote_of_the_word_zero__is_not_that_of_none(play, vera, victor, viola):
    """The words are the same: the board alone tells who voted."""
    job = play(Phase.VOTE)
    job.vote(victor)
    job.vote(viola)
    voted(job, 0, vera, 0, 0)
    before, result = job.state, job.result_hash()
    job.finalize()
    words = links.votes_hash({s: links.vote_word(hashes.sealed_vote(result, s), 5) for s in (1, 2)}, 3)
    boards = [links.Board(0b111, 0, 0, 0b111, 0b111, acted) for acted in (0b111, 0b110)]
    made = [links.link(bytes(before.history), links.finalised(result, board, words, now())) for board in boards]
    assert history_of(job) == made[0] != made[1]


def test_history__of_a_vote_of_a_former_cycle__counts_as_none(play, vera, victor, viola):
    """A seat's slot still holds what it voted before."""
    job = play(Phase.VOTE)
    for who in (vera, victor, viola):
        job.vote(who, model=bytes([job.seat_of(who) + 1]) * 32)
    job.lapse().fail()
    job.reach(Phase.VOTE)
    job.members.remove(vera)
    job.step()
    job.finalize()
    is_told_by_events(job)


def test_history__between_links__stays(play, sponsor, carol):
    """Neither enrolments, steps, rejoin, stop, nor the job's end add to it."""
    job = play(Phase.OPEN)
    assert history_of(job) == job.terms_hash
    job.open()
    seed = job.seed
    job.trainers.remove(carol)
    while job.phase != Phase.FINALIZE:
        job.step()
        assert history_of(job) == seed
    job.finalize()
    final = history_of(job)
    job.reach(Phase.SUBMIT)
    assert history_of(job) == job.seed != final
    seed = job.seed
    job.rejoin(carol)
    job.stop()
    assert history_of(job) == seed
    job.lapse().fail()
    ended = history_of(job)
    assert job.phase == Phase.COMPLETED
    skip_to(now() + 10**6)
    assert history_of(job) == ended


def test_sheets__hold_attests_then_releases_then_reveals__as_they_came(play, house):
    job = play(Phase.ATTEST, **SHARING)
    acc = job.seed
    for seat in (2, 0, 1):
        bitmap = bytes([seat + 3])
        job.attest(house.validators[seat], bitmap)
        acc = hashes.attests_acc(acc, seat, bitmap)
        assert bytes(job.state.sheets) == acc
    for seat in (1, 2, 0):
        job.release(house.validators[seat], word(f"shares {seat}"))
        acc = hashes.releases_acc(acc, seat, word(f"shares {seat}"))
        assert bytes(job.state.sheets) == acc
    job.reach(Phase.REVEAL)
    assert bytes(job.state.sheets) == acc, "a commitment adds nothing"
    for seat in (0, 2, 1):
        who = house.validators[seat]
        job.reveal(who)
        acc = hashes.sheets_acc(acc, seat, job.sheet_of(who), job.salt_of(who))
        assert bytes(job.state.sheets) == acc
    job.play_round()
    assert bytes(job.state.sheets) == acc, "kept for the next draw"
