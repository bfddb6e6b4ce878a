"""Bonds and the sponsor's rest: back without proof, and never lost."""

from __future__ import annotations

from node import at, now, refused, skip_to
from terms import BOND

from hansa.protocol.types import Phase

YEARS_50 = 50 * 365 * 24 * 3600


def test_claim_bond__while_the_job_runs__reverts(play, house, alice):
    job = play(Phase.SUBMIT)
    with refused("Vault_JobRunning", job.id):
        house.vault.claimBond(job.id, alice, {"from": alice})


def test_claim_bond__unknown_job__reverts(house, alice):
    with refused("Vault_JobRunning", 9):
        house.vault.claimBond(9, alice, {"from": alice})


def test_claim_bond__before_slash_time__reverts(play, house, alice):
    job = play().play_to_end()
    until = job.books.slashUntil
    at(until - 1)
    with refused("Vault_TooEarly", job.id, until):
        house.vault.claimBond(job.id, alice, {"from": alice})


def test_claim_bond__at_slash_time__returns_it(play, house, alice):
    job = play().play_to_end()
    had = house.token.balanceOf(alice)
    at(job.books.slashUntil)
    event = house.vault.claimBond(job.id, alice, {"from": alice}).events["BondReturned"]
    assert (event["job"], event["trainer"], event["amount"]) == (job.id, alice, BOND)
    assert house.token.balanceOf(alice) == had + BOND
    assert (house.vault.bondOf(job.id, alice), job.books.bonded) == (0, 2 * BOND)


def test_claim_bond__by_anybody__pays_the_trainer(play, house, alice, mallory):
    job = play().play_to_end()
    skip_to(job.books.slashUntil)
    had = house.token.balanceOf(alice)
    house.vault.claimBond(job.id, alice, {"from": mallory})
    assert house.token.balanceOf(alice) == had + BOND


def test_claim_bond__twice__returns_nothing_more(play, house, alice):
    job = play().play_to_end()
    skip_to(job.books.slashUntil)
    house.vault.claimBond(job.id, alice, {"from": alice})
    assert not house.vault.claimBond(job.id, alice, {"from": alice}).events


def test_claim_bond__of_an_outsider__is_nothing(play, house, mallory):
    job = play().play_to_end()
    skip_to(job.books.slashUntil)
    assert not house.vault.claimBond(job.id, mallory, {"from": mallory}).events


def test_claim_bond__no_final_round__returns_at_once(play, house, alice):
    job = play(Phase.OPEN)
    job.stop()
    house.vault.claimBond(job.id, alice, {"from": alice})
    assert job.books.bonded == 2 * BOND


def test_claim_bond__cancelled__returns_at_once(play, house, alice):
    job = play()
    job.enrol(alice)
    job.lapse().fail()
    house.vault.claimBond(job.id, alice, {"from": alice})
    assert job.books.bonded == 0


def test_claim_bond__aborted_after_a_final_round__waits(play, house, alice):
    job = play(Phase.OPEN, maxFailures=1).play_round()
    job.lapse().fail()
    with refused("Vault_TooEarly", job.id, job.books.slashUntil):
        house.vault.claimBond(job.id, alice, {"from": alice})


def test_claim_bond__decades_later__returns_it(play, house, alice):
    job = play().play_to_end()
    skip_to(now() + YEARS_50)
    house.vault.claimBond(job.id, alice, {"from": alice})
    assert house.vault.bondOf(job.id, alice) == 0


def test_claim_bond__after_strikes__returns_the_rest(play, house, alice):
    job = play(Phase.SUBMIT, maxRounds=2)
    job.leaves = {alice: (0, 1)}
    job.play_to_end().claim(alice)
    skip_to(job.books.slashUntil)
    event = house.vault.claimBond(job.id, alice, {"from": alice}).events["BondReturned"]
    assert event["amount"] == BOND - 80


def test_claim_rest__while_the_job_runs__reverts(play, house, sponsor):
    job = play(Phase.SUBMIT)
    with refused("Vault_JobRunning", job.id):
        house.vault.claimRest(job.id, {"from": sponsor})


def test_claim_rest__unknown_job__reverts(house, sponsor):
    with refused("Vault_JobRunning", 9):
        house.vault.claimRest(9, {"from": sponsor})


def test_claim_rest__goes_to_the_sponsor(play, house, sponsor, mallory):
    job = play(Phase.OPEN, escrow=5000).play_round()
    job.stop()
    had = house.token.balanceOf(sponsor)
    event = house.vault.claimRest(job.id, {"from": mallory}).events["RestReturned"]
    assert (event["job"], event["sponsor"], event["amount"]) == (job.id, sponsor, 5000 - job.full)
    assert house.token.balanceOf(sponsor) == had + 5000 - job.full
    assert (job.books.left, job.books.refunded) == (0, 5000 - job.full)


def test_claim_rest__twice__returns_nothing_more(play, house, sponsor):
    job = play(Phase.OPEN)
    job.stop()
    house.vault.claimRest(job.id, {"from": sponsor})
    assert not house.vault.claimRest(job.id, {"from": sponsor}).events


def test_claim_rest__nothing_left__sends_nothing(play, house, sponsor):
    job = play().play_to_end()
    assert not house.vault.claimRest(job.id, {"from": sponsor}).events


def test_claim_rest__decades_later__returns_it(play, house, sponsor):
    job = play(Phase.OPEN)
    job.stop()
    skip_to(now() + YEARS_50)
    house.vault.claimRest(job.id, {"from": sponsor})
    assert job.books.refunded == job.escrow


def test_cancelled__everybody_gets_all_back(play, house, sponsor, alice):
    had = house.token.balanceOf(sponsor), house.token.balanceOf(alice)
    job = play()
    job.enrol(alice)
    job.stop()
    house.vault.claimRest(job.id, {"from": sponsor})
    house.vault.claimBond(job.id, alice, {"from": alice})
    assert (house.token.balanceOf(sponsor), house.token.balanceOf(alice)) == had
    assert house.token.balanceOf(house.vault) == 0


def test_vault__is_the_federations_alone(play, house, mallory):
    job = play(Phase.OPEN)
    vault, by = house.vault, {"from": mallory}
    for call in (
        lambda: vault.deposit(9, house.token, 0, mallory, 1, by),
        lambda: vault.bond(job.id, mallory, 1, by),
        lambda: vault.bookRound(job.id, 1, 1, 1, 1, by),
        lambda: vault.bookFees(job.id, mallory, 1, by),
        lambda: vault.burn(job.id, 1, by),
        lambda: vault.close(job.id, 1, 1, by),
    ):
        with refused("Vault_NotFederation", mallory):
            call()
