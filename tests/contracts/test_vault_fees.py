"""A validator's fees."""

from __future__ import annotations

from node import at, now, refused, skip_to, word
from terms import FEE

from hansa.protocol.types import Phase


def test_claim_fees__after_the_end__books_and_pays_the_seat(play, house, victor, mallory):
    job = play().play_to_end()
    done = house.federation.claimFees(job.id, 1, {"from": mallory})
    booked, paid = done.events["FeesBooked"], done.events["FeesClaimed"]
    assert (booked["job"], booked["member"], booked["amount"]) == (job.id, victor, 3 * FEE)
    assert (paid["job"], paid["member"], paid["amount"]) == (job.id, victor, 3 * FEE)
    assert house.token.balanceOf(victor) == 10**24 + 3 * FEE
    assert tuple(job.state.matched) == (3, 0, 3)


def test_claim_fees__twice__pays_once(play, house, vera):
    job = play().play_to_end()
    house.federation.claimFees(job.id, 0, {"from": vera})
    assert not house.federation.claimFees(job.id, 0, {"from": vera}).events
    assert job.books.paid == 3 * FEE


def test_claim_fees__while_the_job_runs__reverts(play, house, vera):
    job = play(Phase.OPEN).play_round()
    with refused("Federation_JobRunning", job.id):
        house.federation.claimFees(job.id, 0, {"from": vera})


def test_claim_fees__unknown_job__reverts(house, vera):
    with refused("Federation_JobRunning", 9):
        house.federation.claimFees(9, 0, {"from": vera})


def test_claim_fees__seat_that_is_not__pays_nobody(play, house, vera):
    job = play().play_to_end()
    for seat in (3, 23, 24, 255):
        assert not house.federation.claimFees(job.id, seat, {"from": vera}).events


def test_claim_fees__no_committee_ever__pays_nobody(play, house, vera):
    job = play()
    job.stop()
    assert not house.federation.claimFees(job.id, 0, {"from": vera}).events


def test_claim_fees__seat_that_never_matched__pays_nothing(play, house, viola):
    job = play(Phase.VOTE, maxRounds=1)
    job.members.remove(viola)
    job.play_to_end()
    assert not house.federation.claimFees(job.id, 2, {"from": viola}).events


def test_claim_fees__a_wrong_vote__loses_that_rounds_fee_alone(play, house, vera, victor, viola):
    job = play(Phase.VOTE, maxRounds=2)
    job.vote(vera, model=word("wrong"))
    job.vote(victor)
    job.vote(viola)
    job.play_to_end()
    for seat in range(3):
        house.federation.claimFees(job.id, seat, {"from": vera})
    balances = [house.token.balanceOf(who) - 10**24 for who in (vera, victor, viola)]
    assert balances == [FEE, 2 * FEE, 2 * FEE]


def test_claim_fees__a_failed_cycle__earns_nothing(play, house, vera):
    job = play(Phase.FINALIZE, maxRounds=1, escrow=1395)
    job.lapse().fail()
    job.play_to_end()
    house.federation.claimFees(job.id, 0, {"from": vera})
    assert house.token.balanceOf(vera) == 10**24 + FEE


def test_claim_fees__replaced_member__claims_while_the_job_runs(play, mock, house, vera):
    job = play(Phase.SUBMIT, committee=mock).play_round()
    mock.setMembers(house.validators[1:4])
    job.open()
    assert house.vault.feesOf(job.id, vera) == FEE
    house.vault.claimFees(job.id, vera, {"from": vera})
    assert house.token.balanceOf(vera) == 10**24 + FEE
    assert (house.vault.feesOf(job.id, vera), job.books.paid) == (0, FEE)


def test_claim_fees__of_the_vault_without_any__pays_nothing(play, house, vera):
    job = play(Phase.OPEN).play_round()
    assert not house.vault.claimFees(job.id, vera, {"from": vera}).events


def test_claim_fees__member_of_several_seats_in_turn__gets_all(play, mock, house, victor):
    """Victor sits on seat 1, then 0, then 1 again."""
    job = play(Phase.SUBMIT, committee=mock).play_round()
    mock.setMembers(house.validators[1:4])
    job.reach(Phase.SUBMIT).play_round()
    mock.setMembers(house.validators[:3])
    job.reach(Phase.SUBMIT).play_round()
    assert job.phase == Phase.COMPLETED
    house.federation.claimFees(job.id, 1, {"from": victor})
    assert house.token.balanceOf(victor) == 10**24 + 3 * FEE


def test_claim_fees__all_of_them__are_what_was_matched(play, mock, house):
    job = play(Phase.SUBMIT, committee=mock).play_round()
    mock.setMembers([*house.validators[:2], house.validators[4]])
    job.play_to_end()
    for seat in range(3):
        house.federation.claimFees(job.id, seat, {"from": job.sponsor})
    house.vault.claimFees(job.id, house.validators[2], {"from": job.sponsor})
    gained = [house.token.balanceOf(who) - 10**24 for who in house.validators]
    assert gained == [3 * FEE, 3 * FEE, FEE, 0, 2 * FEE]


def test_claim_fees__last_second__pays(play, house, vera):
    job = play().play_to_end()
    at(job.books.claimUntil - 1)
    house.federation.claimFees(job.id, 0, {"from": vera})
    assert job.books.paid == 3 * FEE


def test_claim_fees__after_claim_time__reverts(play, house, vera):
    job = play().play_to_end()
    until = job.books.claimUntil
    skip_to(until)
    for claim in (
        lambda: house.federation.claimFees(job.id, 0, {"from": vera}),
        lambda: house.vault.claimFees(job.id, vera, {"from": vera}),
    ):
        with refused("Vault_TooLate", job.id, until):
            claim()
    assert now() > until
