"""What the rules allow today, though nobody wishes for it: whoever changes a rule changes its test here."""

from __future__ import annotations

from brownie import MockCommittee
from node import refused
from terms import NO_WORD

from hansa.protocol.types import Phase


def back_of_9300(house, sponsor, job):
    """What a sponsor has back of 9,300 whose own committee votes *nothing* until the job is over."""
    had = house.token.balanceOf(sponsor)
    job.model = NO_WORD
    job.play_to_end()
    house.vault.claimRest(job.id, {"from": sponsor})
    assert job.books.booked == 0 and job.phase == Phase.ABORTED
    return house.token.balanceOf(sponsor) - had


def test_sponsors_own_committee__votes_nothing__pays_for_every_cycle(play, house, sponsor):
    job = play(maxRounds=10, maxFailures=16, failureBurn=5_000)
    assert back_of_9300(house, sponsor, job) == 9300 - 16 * 465
    assert (job.state.failures, job.state.submitted) == (16, 3), "all have worked 16 times"


def test_sponsors_own_committee__votes_nothing_and_burns_whole_rounds__has_nothing_left(play, house, sponsor):
    job = play(maxRounds=10, maxFailures=16, failureBurn=10_000)
    assert back_of_9300(house, sponsor, job) == 0
    assert job.state.failures == 10, "less is left than a round"


def test_masked_job__votes_nothing_16_times__the_sponsor_gets_the_whole_escrow_back(play, house, sponsor):
    """No member has seen an update, and one trainer can cause it: nobody is to blame."""
    job = play(maxRounds=10, maxFailures=16, failureBurn=10_000, attestTime=100)
    assert back_of_9300(house, sponsor, job) == 9300
    assert (job.state.failures, job.books.burnt) == (16, 0)


def test_terms_hash__of_a_rich_job__does_not_enrol_in_a_poor_one(play, alice):
    poor, rich = play(maxRounds=10, escrow=930), play(maxRounds=10, escrow=9300)
    with refused("Federation_WrongTerms", poor.id, poor.terms_hash, rich.terms_hash):
        poor.enrol(alice, terms_hash=rich.terms_hash)
    rich.enrol(alice)
    assert (poor.state.enrolled, rich.state.enrolled) == (0, 1)


def test_terms_hash__of_another_sponsors_job__does_not_enrol_in_ones_own(play, alice, mallory):
    job, copy = play(), play(sponsor=mallory)
    with refused("Federation_WrongTerms", copy.id, copy.terms_hash, job.terms_hash):
        copy.enrol(alice, terms_hash=job.terms_hash)


def test_patience__two_of_four_votes_of_the_least_metric__end_a_job_of_six_seats(play, house, actors, mallory):
    six = sorted([*house.validators, mallory], key=lambda account: int(account.address, 16))
    committee = MockCommittee.deploy(six, {"from": actors["deployer"]})
    job = play(Phase.SUBMIT, committee=committee, seats=6, quorum=4, patience=1)
    job.members = six
    job.play_round().reach(Phase.SCORE)
    job.members = six[:4]
    job.metrics = {six[0]: -(2**63), six[1]: -(2**63), six[2]: 9, six[3]: 9}
    job.play_round()
    assert (job.phase, job.state.round, job.state.bestMetric) == (Phase.COMPLETED, 3, 5), "of three rounds, two"
