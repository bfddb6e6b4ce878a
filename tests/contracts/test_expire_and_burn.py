"""What nobody earned or claimed is burnt; what is burnt is sent by a call of its own."""

from __future__ import annotations

from node import at, refused, skip_to
from terms import DEAD, FEE, REWARD

from hansa.protocol.types import Phase


def test_expire__books_the_unclaimed_as_burnt(play, house, alice, mallory):
    job = play(Phase.OPEN, maxRounds=1).play_round()
    job.claim(alice)
    house.federation.claimFees(job.id, 0, {"from": mallory})
    at(job.books.claimUntil)
    event = house.vault.expire(job.id, {"from": mallory}).events["Burnt"]
    assert (event["job"], event["amount"]) == (job.id, REWARD - 300 + 2 * FEE)
    books = job.books
    assert (books.booked, books.paid) == (300 + FEE, 300 + FEE), "after it, only what was paid is booked"
    assert books.burnt == job.full - 300 - FEE


def test_expire__twice__burns_nothing_more(play, house, sponsor):
    job = play(maxRounds=1).play_to_end()
    skip_to(job.books.claimUntil)
    house.vault.expire(job.id, {"from": sponsor})
    assert not house.vault.expire(job.id, {"from": sponsor}).events
    assert job.books.burnt == job.full


def test_expire__before_claim_time__reverts(play, house, sponsor):
    job = play(maxRounds=1).play_to_end()
    until = job.books.claimUntil
    at(until - 1)
    with refused("Vault_TooEarly", job.id, until):
        house.vault.expire(job.id, {"from": sponsor})


def test_expire__while_the_job_runs__reverts(play, house, sponsor):
    job = play(Phase.OPEN).play_round()
    with refused("Vault_JobRunning", job.id):
        house.vault.expire(job.id, {"from": sponsor})


def test_expire__unknown_job__reverts(house, sponsor):
    with refused("Vault_JobRunning", 9):
        house.vault.expire(9, {"from": sponsor})


def test_expire__touches_neither_bonds_nor_rest(play, house, sponsor, alice):
    job = play(Phase.OPEN, escrow=5000).play_round()
    job.stop()
    skip_to(job.books.claimUntil)
    house.vault.expire(job.id, {"from": sponsor})
    house.vault.claimRest(job.id, {"from": sponsor})
    house.vault.claimBond(job.id, alice, {"from": alice})
    assert job.books.refunded == 5000 - job.full and job.books.bonded == 200


def test_expire__job_without_rounds__burns_nothing(play, house, sponsor):
    job = play()
    job.stop()
    skip_to(job.books.claimUntil)
    assert not house.vault.expire(job.id, {"from": sponsor}).events


def test_send_burnt__sends_what_is_booked(play, house, mallory):
    job = play(Phase.SCORE).lapse()
    job.fail()
    event = house.vault.sendBurnt(job.id, {"from": mallory}).events["BurnSent"]
    assert (event["job"], event["amount"]) == (job.id, 465)
    assert house.token.balanceOf(DEAD) == 465
    assert (job.books.burnt, job.books.burnSent) == (465, 465)


def test_send_burnt__again__sends_only_what_is_new(play, house, mallory):
    job = play(Phase.SCORE).lapse()
    job.fail()
    house.vault.sendBurnt(job.id, {"from": mallory})
    assert not house.vault.sendBurnt(job.id, {"from": mallory}).events
    job.reach(Phase.SCORE).lapse().fail()
    house.vault.sendBurnt(job.id, {"from": mallory})
    assert house.token.balanceOf(DEAD) == 930


def test_send_burnt__unknown_job__sends_nothing(house, mallory):
    assert not house.vault.sendBurnt(9, {"from": mallory}).events


def test_burnt__of_every_kind__goes_to_nobody(play, house, alice, bob, sponsor):
    """A failed cycle's burn, a penalty, and what was never claimed; accuser, sponsor and committee gain nothing."""
    job = play(Phase.SCORE, maxRounds=2, escrow=2 * 930 + 465)
    job.lapse().fail()
    job.leaves = {alice: (100, 1), bob: (800, 0)}
    job.play_to_end()
    job.claim(alice, by=bob)
    skip_to(job.books.claimUntil)
    house.vault.expire(job.id, {"from": sponsor})
    house.vault.sendBurnt(job.id, {"from": sponsor})
    unclaimed = 2 * 930 - 200
    assert house.token.balanceOf(DEAD) == 465 + 80 + unclaimed
    for who in house.trainers[:3]:
        house.vault.claimBond(job.id, who, {"from": sponsor})
    house.vault.claimRest(job.id, {"from": sponsor})
    assert house.token.balanceOf(house.vault) == 0, "all is gone to whom it belongs"
