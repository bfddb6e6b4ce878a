"""Claiming rewards, with strikes: during the job and after it."""

from __future__ import annotations

import pytest
from node import at, now, refused, skip_to, word
from terms import BOND, PENALTY, REWARD

from hansa.protocol import merkle
from hansa.protocol.types import Phase


def one_round(play, leaves, **terms):
    """A finished job of one round with these leaves."""
    job = play(Phase.SUBMIT, maxRounds=1, **terms)
    job.leaves = leaves
    return job.play_round()


def test_claim__pays_the_leaf(play, house, alice):
    job = play(Phase.OPEN).play_round()
    had = house.token.balanceOf(alice)
    event = job.claim(alice).events["RewardClaimed"]
    assert (event["job"], event["trainer"], event["round"], event["amount"]) == (job.id, alice, 1, 300)
    assert house.token.balanceOf(alice) == had + 300
    assert house.vault.isClaimed(job.id, alice, 1)
    assert house.vault.roundOf(job.id, 1)[1] == REWARD - 300
    assert (job.books.paid, job.books.booked) == (300, job.full)


def test_claim__during_the_job__pays_what_is_final(play, alice):
    job = play(Phase.OPEN).play_round().reach(Phase.REVEAL)
    job.claim(alice)
    assert job.books.paid == 300
    job.play_to_end().claim(alice)
    assert job.books.paid == 900, "the first round is skipped, the others are paid"


def test_claim__by_anybody__pays_the_trainer(play, house, alice, mallory):
    job = play(Phase.OPEN).play_round()
    had = house.token.balanceOf(alice), house.token.balanceOf(mallory)
    job.claim(alice, by=mallory)
    assert (house.token.balanceOf(alice), house.token.balanceOf(mallory)) == (had[0] + 300, had[1])


def test_claim__several_rounds__in_any_order_in_one_transfer(play, alice):
    job = play().play_to_end()
    done = job.claim(alice, 3, 1, 2)
    assert len(done.events["RewardClaimed"]) == 3 and done.events.count("Transfer") == 1
    assert job.books.paid == 900


def test_claim__twice__is_skipped(play, alice):
    job = play().play_to_end()
    job.claim(alice, 1)
    done = job.claim(alice, 1)
    assert not done.events, "nothing is sent where nothing is due"
    job.claim(alice, 1, 2)
    assert job.books.paid == 600


def test_claim__the_same_round_twice_in_one_call__pays_once(play, alice):
    job = play().play_to_end()
    job.claim(alice, 2, 2, 2)
    assert job.books.paid == 300


def test_claim__skipped_round__needs_no_proof(play, house, alice):
    job = play().play_to_end()
    job.claim(alice, 1)
    house.vault.claim(job.id, alice, [(1, (7, 1, 7), [])], {"from": alice})
    assert (job.books.paid, job.books.forfeited) == (300, 0)


def test_claim__nothing__does_nothing(play, house, alice):
    job = play().play_to_end()
    assert not house.vault.claim(job.id, alice, [], {"from": alice}).events


@pytest.mark.parametrize("change", ["pay", "strike", "reputation", "proof", "round", "trainer", "short", "long"])
def test_claim__anything_changed__reverts(play, house, alice, bob, change):
    job = play().play_to_end()
    ((number, leaf, proof),) = job.claims(alice, [1])
    who = alice
    if change in ("pay", "strike", "reputation"):
        place = ("pay", "strike", "reputation").index(change)
        leaf = tuple(value + (i == place) for i, value in enumerate(leaf))
    elif change == "proof":
        proof = [word("sibling"), *proof[1:]]
    elif change == "round":
        job.leaves = {alice: (1, 0), bob: (2, 0)}
        number = 4
    elif change == "trainer":
        who = bob
    else:
        proof = proof[:-1] if change == "short" else [*proof, word("more")]
    with refused("Vault_InvalidProof", job.id, number, who):
        house.vault.claim(job.id, who, [(number, leaf, proof)], {"from": alice})
    assert job.books.paid == 0 and not house.vault.isClaimed(job.id, who, number)


def test_claim__one_bad_proof__reverts_all(play, house, alice):
    job = play().play_to_end()
    good = job.claims(alice, [1, 2])
    with refused("Vault_InvalidProof", job.id, 3, alice):
        house.vault.claim(job.id, alice, [*good, (3, (1, 0, 0), [])], {"from": alice})
    assert job.books.paid == 0


def test_claim__an_inner_node__is_no_leaf(play, house, alice):
    """The 64 bytes of two hashes must not pass for a leaf: leaves are hashed twice."""
    job = play().play_to_end()
    with refused("Vault_InvalidProof", job.id, 1, alice):
        house.vault.claim(job.id, alice, [(1, (0, 0, 0), [job.trees[1].root])], {"from": alice})


@pytest.mark.parametrize("number", [0, 2, 161, 65_535])
def test_claim__round_that_is_not_final__reverts(play, house, alice, number):
    job = play(Phase.OPEN).play_round()
    with refused("Vault_InvalidProof", job.id, number, alice):
        house.vault.claim(job.id, alice, [(number, (1, 0, 0), [])], {"from": alice})


def test_claim__unknown_job__reverts(house, alice):
    with refused("Vault_InvalidProof", 9, 1, alice):
        house.vault.claim(9, alice, [(1, (1, 0, 0), [])], {"from": alice})


def test_claim__root_of_another_job__reverts(play, house, alice):
    first = play().play_to_end()
    second = play(rewardPerRound=1800).play_to_end()
    with refused("Vault_InvalidProof", second.id, 1, alice):
        house.vault.claim(second.id, alice, first.claims(alice, [1]), {"from": alice})


def test_claim__tree_of_one_leaf__needs_no_siblings(play, alice):
    job = one_round(play, {alice: (REWARD, 0)})
    assert job.trees[1].proof(alice.address) == []
    job.claim(alice)
    assert job.books.paid == REWARD


def test_claim__more_than_the_pool__gets_what_is_left(play, house, alice, bob, carol):
    """A dishonest quorum spoils its own round: first come, first served, and never another round's money."""
    job = play(Phase.SUBMIT, maxRounds=2)
    job.leaves = {alice: (800, 0), bob: (800, 0), carol: (2**256 - 1, 0)}
    job.play_round()
    job.leaves = None
    job.play_round()
    got = {}
    for who in (bob, alice, carol):
        had = house.token.balanceOf(who)
        job.claim(who, 1)
        got[who] = house.token.balanceOf(who) - had
    assert list(got.values()) == [800, 100, 0]
    assert house.vault.roundOf(job.id, 1)[1] == 0 and house.vault.roundOf(job.id, 2)[1] == REWARD


def test_claim__pay_without_bound__takes_one_pool(play, house, alice):
    job = one_round(play, {alice: (2**256 - 1, 0)}, escrow=10_000)
    job.claim(alice)
    assert (job.books.paid, job.books.left) == (REWARD, 10_000 - job.full)


def test_claim__of_zero__marks_and_sends_nothing(play, house, alice, bob):
    job = one_round(play, {alice: (0, 0), bob: (900, 0)})
    done = job.claim(alice)
    assert done.events["RewardClaimed"]["amount"] == 0 and "Transfer" not in done.events
    assert house.vault.isClaimed(job.id, alice, 1)


def test_claim__leaf_of_somebody_not_enrolled__is_paid(play, house, mallory, alice):
    job = one_round(play, {mallory: (50, 1), alice: (850, 0)})
    job.claim(mallory)
    assert (job.books.paid, job.books.forfeited) == (50, 0), "no bond to take from"


def test_claim__strike__costs_one_penalty_and_pays(play, house, alice, bob):
    job = one_round(play, {alice: (100, 1), bob: (800, 0)})
    done = job.claim(alice, by=bob)
    event = done.events["Struck"]
    assert (event["job"], event["trainer"], event["round"], event["penalty"]) == (job.id, alice, 1, PENALTY)
    assert done.events["RewardClaimed"]["amount"] == 100
    assert house.vault.bondOf(job.id, alice) == BOND - PENALTY
    books = job.books
    assert (books.forfeited, books.burnt, books.bonded) == (PENALTY, PENALTY, 3 * BOND - PENALTY)


def test_claim__strike_of_no_pay__counts(play, house, alice, bob):
    job = one_round(play, {alice: (0, 1), bob: (900, 0)})
    assert "Transfer" not in job.claim(alice).events
    assert house.vault.bondOf(job.id, alice) == BOND - PENALTY


def test_claim__strikes__take_no_more_than_the_bond(play, house, alice):
    job = play(Phase.SUBMIT, maxRounds=3)
    job.leaves = {alice: (0, 1)}
    job.play_to_end()
    penalties = [event["penalty"] for event in job.claim(alice).events["Struck"]]
    assert penalties == [40, 40, 20] and house.vault.bondOf(job.id, alice) == 0
    assert job.books.forfeited == 100


def test_claim__a_strike_of_more_than_one__is_one(play, house, alice):
    job = one_round(play, {alice: (0, 2**255)})
    job.claim(alice)
    assert job.books.forfeited == PENALTY


def test_claim__strike_twice__counts_once(play, alice):
    job = one_round(play, {alice: (0, 1)})
    job.claim(alice)
    job.claim(alice)
    assert job.books.forfeited == PENALTY


def test_claim__strike_during_the_job__counts(play, alice):
    job = play(Phase.SUBMIT)
    job.leaves = {alice: (0, 1)}
    job.play_round().claim(alice)
    assert job.books.forfeited == PENALTY


def test_claim__strike_in_the_last_second__counts(play, alice):
    job = one_round(play, {alice: (0, 1)})
    at(job.books.slashUntil - 1)
    job.claim(alice)
    assert job.books.forfeited == PENALTY


def test_claim__strike_after_slash_time__pays_without_penalty(play, alice, bob):
    job = one_round(play, {alice: (100, 1), bob: (800, 0)})
    at(job.books.slashUntil)
    done = job.claim(alice)
    assert "Struck" not in done.events
    assert (job.books.paid, job.books.forfeited) == (100, 0)


def test_claim__strike_after_the_bond_is_back__takes_nothing(play, house, alice):
    job = one_round(play, {alice: (0, 1)})
    skip_to(job.books.slashUntil)
    house.vault.claimBond(job.id, alice, {"from": alice})
    job.claim(alice)
    assert job.books.forfeited == 0


def test_claim__penalty_of_zero__strikes_without_cost(play, house, alice):
    job = one_round(play, {alice: (0, 1)}, strikePenalty=0)
    done = job.claim(alice)
    assert done.events["Struck"]["penalty"] == 0 and "Burnt" not in done.events


def test_claim__last_second__pays(play, alice):
    job = play().play_to_end()
    at(job.books.claimUntil - 1)
    job.claim(alice)
    assert job.books.paid == 900


def test_claim__after_claim_time__reverts(play, alice):
    job = play().play_to_end()
    until = job.books.claimUntil
    at(until)
    with refused("Vault_TooLate", job.id, until):
        job.claim(alice)


def test_claim__longest_claim_time__ends_with_the_last_second_that_32_bits_hold(play, house, sponsor, alice):
    job = play(maxRounds=1, claimTime=2**32 - 1).play_to_end()
    until = job.books.claimUntil
    assert until == 2**32 - 1
    with refused("Vault_TooEarly", job.id, until):
        house.vault.expire(job.id, {"from": sponsor})
    at(until - 1)
    job.claim(alice)
    assert job.books.paid == 300


def test_claim__of_a_long_ago_round_while_the_job_runs__pays(play, alice):
    job = play(Phase.OPEN, claimTime=5000, openTime=2_000_000).play_round()
    skip_to(now() + 1_000_000)
    job.claim(alice, 1)
    assert job.books.paid == 300, "claim time begins at the end"


def test_claim__over_160_rounds__each_has_its_own_mark(play, house, alice):
    """Marks are kept 160 to a word, the bond beside the first."""
    job = play(maxRounds=162, maxTrainers=1, minUpdates=1, seats=1, quorum=1, maxFailures=1)
    job.play_to_end()
    assert job.state.round == 163
    for number in (160, 159, 161, 162):
        job.claim(alice, number)
        assert house.vault.isClaimed(job.id, alice, number)
    assert not house.vault.isClaimed(job.id, alice, 1) and not house.vault.isClaimed(job.id, alice, 158)
    assert house.vault.bondOf(job.id, alice) == BOND
    assert len(job.claim(alice).events["RewardClaimed"]) == 158
    assert job.books.paid == 162 * REWARD


def test_claim__order_of_siblings__does_not_matter_to_the_root(play, alice, bob, carol, dave):
    leaves = {who: (100 * i, i % 2) for i, who in enumerate((alice, bob, carol, dave), 1)}
    job = one_round(play, leaves)
    for who in leaves:
        assert job.claim(who).events["RewardClaimed"]["amount"] in (100, 200, 300, 400)
    assert job.books.paid == REWARD, "1000 were promised of 900"


def test_merkle__python_and_the_vault_agree(play, alice):
    tree = merkle.RewardsTree([merkle.Leaf(alice.address, 1, 0, 0)])
    assert tree.root == tree.leaf(alice.address).hash
