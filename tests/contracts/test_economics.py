"""What the rules allow today, though nobody wishes for it: whoever changes a rule changes its test here."""

from __future__ import annotations

from brownie import MockCommittee
from terms import NO_WORD

from hansa.protocol.types import Phase


def test_sponsors_own_committee__votes_nothing_16_times__gets_the_whole_escrow_back(play, house, sponsor):
    job = play(maxRounds=10, maxFailures=16, failureBurn=10_000)
    had = house.token.balanceOf(sponsor)
    job.model = NO_WORD
    job.play_to_end()
    assert (job.phase, job.state.failures, job.state.submitted) == (Phase.ABORTED, 16, 3), "all have worked 16 times"
    assert (job.books.left, job.books.booked, job.books.burnt) == (9300, 0, 0)
    house.vault.claimRest(job.id, {"from": sponsor})
    assert house.token.balanceOf(sponsor) == had + 9300


def test_terms_hash__says_nothing_of_the_escrow(play, alice):
    poor, rich = play(maxRounds=10, escrow=930), play(maxRounds=10, escrow=9300)
    for job in (poor, rich):
        job.enrol(alice, terms_hash=poor.terms_hash)
    assert (poor.books.left, rich.books.left) == (930, 9300), "one signature for one round and for ten"


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
