"""Voting for a result that is still sealed."""

from __future__ import annotations

from node import refused, skip_to, word

from hansa.protocol.types import Phase


def test_vote__emits_the_sealed_vote_and_the_metric(play, victor):
    job = play(Phase.VOTE)
    event = job.vote(victor, metric=-7).events["ResultVoted"]
    assert (event["job"], event["cycle"], event["seat"], event["metric"]) == (job.id, job.cycle, 1, -7)
    assert event["sealedVote"] < 2**192


def test_vote__for_other_sheets__reverts(play, vera):
    job = play(Phase.VOTE)
    with refused("Federation_WrongSheets", job.id, bytes(job.state.sheets), word("other sheets")):
        job.vote(vera, sheets=word("other sheets"))


def test_vote__not_revealed__reverts(play, viola):
    job = play(Phase.REVEAL)
    job.members.remove(viola)
    job.step()
    with refused("Federation_NotRevealed", job.id, job.cycle, 2):
        job.vote(viola)


def test_vote__those_who_revealed__are_all_that_is_waited_for(play, vera, victor, viola):
    job = play(Phase.REVEAL)
    job.members.remove(viola)
    job.step()
    job.vote(vera)
    job.vote(victor)
    assert job.phase == Phase.FINALIZE


def test_vote__extreme_metrics__are_kept(play, vera, victor, viola):
    job = play(Phase.VOTE)
    for who, metric in ((vera, -(2**63)), (victor, 2**63 - 1), (viola, 0)):
        job.vote(who, metric)
    assert job.finalize().events["RoundFinalized"]["metric"] == 0


def test_vote__of_the_failed_cycle__is_void(play, vera, victor, viola):
    """A vote that a seat's slot still holds must not count for the next cycle."""
    job = play(Phase.VOTE, quorum=3, maxFailures=5)
    job.vote(vera)
    job.vote(victor)
    job.lapse().fail()
    job.reach(Phase.VOTE)
    job.vote(viola)
    skip_to(job.state.deadline)
    assert job.phase == Phase.LAPSED
