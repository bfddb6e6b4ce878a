"""Who was at fault in a cycle is shown by its job's history, and loses 1 % of its stake; nobody else does."""

from __future__ import annotations

import pytest
from node import refused, skip_to, word
from reports import check_fault, do, finish, seated
from terms import NO_WORD

from hansa.protocol.types import Phase

MEMBER_TIMES = {"attestTime": 500, "releaseTime": 500}


def test_report__of_members_that_did_their_work__is_refused(begin, pool, alice):
    job, links = begin(**MEMBER_TIMES, threshold=3)
    check_fault(pool, links, finish(job, links), [], alice)


@pytest.mark.parametrize("phase", [Phase.ATTEST, Phase.RELEASE], ids=lambda phase: phase.name)
def test_absent__where_the_phase_lapsed__is_at_fault(begin, pool, alice, phase):
    job, links = begin(**MEMBER_TIMES, threshold=3)
    job.reach(phase)
    do(job, phase.name.lower(), seated(job)[1:3])
    check_fault(pool, links, links.fail(), [0, 3], alice)


@pytest.mark.parametrize("phase", [Phase.ATTEST, Phase.RELEASE], ids=lambda phase: phase.name)
def test_absent__where_the_phase_was_passed__is_not(begin, pool, alice, phase):
    job, links = begin(**MEMBER_TIMES, threshold=3)
    job.reach(phase)
    do(job, phase.name.lower(), seated(job)[:3])
    skip_to(job.state.deadline)
    check_fault(pool, links, finish(job, links), [], alice)


def test_not_committed__where_score_lapsed__is_at_fault(begin, pool, alice):
    job, links = begin()
    job.reach(Phase.SCORE)
    do(job, "commit", seated(job)[2:])
    check_fault(pool, links, links.fail(), [0, 1], alice)


def test_not_committed__where_score_was_passed__is_at_fault(begin, pool, alice):
    job, links = begin()
    job.reach(Phase.SCORE)
    do(job, "commit", seated(job)[:3])
    skip_to(job.state.deadline)
    check_fault(pool, links, finish(job, links), [3], alice)


def test_late__is_as_silent(begin, pool, alice):
    """Whoever committed after the others had closed the phase's time is refused, and absent."""
    job, links = begin()
    job.reach(Phase.SCORE)
    do(job, "commit", seated(job)[1:])
    late = seated(job)[0]
    skip_to(job.state.deadline)
    with refused("Federation_WrongPhase"):
        job.commit(late)
    check_fault(pool, links, finish(job, links), [0], alice)


def test_not_revealed__where_reveal_lapsed__is_at_fault(begin, pool, alice):
    job, links = begin()
    job.reach(Phase.REVEAL)
    do(job, "reveal", seated(job)[:2])
    check_fault(pool, links, links.fail(), [2, 3], alice)


def test_not_revealed__where_reveal_was_passed__is_at_fault(begin, pool, alice):
    job, links = begin()
    job.reach(Phase.REVEAL)
    do(job, "reveal", seated(job)[:3])
    skip_to(job.state.deadline)
    check_fault(pool, links, finish(job, links), [3], alice)


def test_not_voted__is_nobodys_fault(begin, pool, alice):
    job, links = begin()
    job.reach(Phase.VOTE)
    do(job, "vote", seated(job)[:2])
    check_fault(pool, links, links.fail(), [], alice)
    links.open()
    job.reach(Phase.VOTE)
    do(job, "vote", seated(job)[:3])
    skip_to(job.state.deadline)
    check_fault(pool, links, links.finalize(), [], alice)


def test_voted_otherwise__in_a_finalised_round__is_at_fault(begin, pool, alice):
    job, links = begin()
    job.reach(Phase.VOTE)
    do(job, "vote", seated(job)[:3])
    job.vote(seated(job)[3], model=word("mine"))
    check_fault(pool, links, links.finalize(), [3], alice)


def test_voted_a_model__where_nothing_was_agreed__is_at_fault(begin, pool, alice):
    job, links = begin()
    job.reach(Phase.VOTE)
    job.model, model = NO_WORD, job.model
    do(job, "vote", seated(job)[1:])
    job.model = model
    job.vote(seated(job)[0])
    job.model = NO_WORD
    shown = links.finalize()
    assert job.state.failures == 1
    check_fault(pool, links, shown, [0], alice)


def test_voted_for_different_results__that_nobody_finalised__is_nobodys_fault(begin, pool, alice):
    """Docs say so: whoever blocks a round by votes of its own goes free."""
    job, links = begin()
    job.reach(Phase.VOTE)
    for who in seated(job):
        job.vote(who, model=word(f"{who}"))
    check_fault(pool, links, links.fail(), [], alice)


def test_too_few_updates__is_nobodys_fault(begin, pool, alice):
    job, links = begin()
    check_fault(pool, links, links.fail(), [], alice)


def test_not_due__is_not_at_fault(begin, pool, house, alice):
    """Who did not vote in the last cycle isn't waited for, where it keeps its seat."""
    job, links = begin(seats=4, maxRounds=30)
    shown = finish(job, links)
    for _ in range(20):
        links.open()
        absent = seated(job)[0]
        job.members.remove(absent)
        due = job.state.due & 1
        job.reach(Phase.FINALIZE)
        shown = links.finalize()
        job.members.append(absent)
        if not due:
            break
    else:
        raise AssertionError("nobody kept its seat")
    with refused("Committee_NotAtFault"):
        links.report(pool, shown, 0, alice)
