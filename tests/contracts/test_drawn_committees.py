"""Committees in part appointed, or drawn from the trainers; and jobs whose committee is another in every cycle."""

from __future__ import annotations

import pytest
from brownie import HybridCommittee, StakedCommittee, TrainerCommittee, accounts
from eth_utils.crypto import keccak
from node import call, now, refused, rpc, skip_to
from pools import EPOCH, UNIT, Links, Tree, pool_terms, stake

from hansa.protocol.types import Phase


def hybrid_of(house, by, members):
    return HybridCommittee.deploy(pool_terms(house), members, {"from": by})


def test_hybrid__seats_its_appointed__and_draws_on_over_overlaps(house, play, mallory, vera, victor):
    """vera is appointed and has most of the stake: she is drawn nearly always, and passed over."""
    hybrid = hybrid_of(house, mallory, [vera, victor])
    pool = list(accounts[12:18])
    stake(house, hybrid, {vera: 1000, **dict.fromkeys(pool, 5)})
    tree = Tree()
    for leaf, (who, units) in enumerate([(vera, 1000), *[(who, 5) for who in pool]]):
        tree.owners[leaf] = who.address
        tree.set(leaf, units, now() // EPOCH)
    skip_to((now() // EPOCH + 1) * EPOCH)
    job = play(committee=hybrid, seats=5, quorum=4)
    appointed = [vera.address, victor.address]
    assert list(hybrid.appointed()) == appointed
    for counter in range(1, 30):
        draw = keccak(text=f"{counter}")
        members = list(call(hybrid.select, job.id, counter, draw, now()))
        place = (house.federation.address, job.id, counter)
        assert members == tree.drawn(place, draw, 5, now() // EPOCH, appointed)
        assert set(appointed) <= set(members)


def test_hybrid__whose_pool_is_only_the_appointed__is_refused(house, play, mallory, vera, victor):
    hybrid = hybrid_of(house, mallory, [vera, victor])
    stake(house, hybrid, {vera: 5, victor: 5})
    skip_to((now() // EPOCH + 1) * EPOCH)
    job = play(committee=hybrid)
    with refused("Committee_PoolTooSmall", job.id, 3):
        hybrid.select(job.id, 1, b"\1" * 32, now())


def test_hybrid__of_no_more_seats_than_appointed__is_not_served(house, play, mallory):
    hybrid = hybrid_of(house, mallory, house.validators[:3])
    job = play(committee=hybrid)
    with refused("Committee_NotServed", job.id):
        hybrid.select(job.id, 1, b"\1" * 32, now())


@pytest.mark.parametrize("pick", [(), (0, 0), tuple([0] * 24)], ids=["none", "twice", "too-many"])
def test_hybrid__of_wrong_members__is_not_deployed(house, mallory, pick):
    with refused("Committee_WrongMembers", len(pick)):
        hybrid_of(house, mallory, [house.validators[place] for place in pick])


def test_hybrid__appointed_member__can_not_be_reported(house, play, mallory, vera, alice):
    hybrid = hybrid_of(house, mallory, [vera])
    pool = list(accounts[12:18])
    stake(house, hybrid, {vera: 100, **dict.fromkeys(pool, 100)})
    skip_to((now() // EPOCH + 1) * EPOCH)
    job = play(Phase.OPEN, committee=hybrid)
    job.members = [vera, *pool]
    links = Links(job)
    links.open()
    job.reach(Phase.SCORE)
    shown = links.fail()
    for seat, member in enumerate(shown.opening[1]):
        if member == vera.address:
            with refused("Committee_NotSampled", job.id, seat):
                links.report(hybrid, shown, seat, alice)
        else:
            links.report(hybrid, shown, seat, alice)
    assert hybrid.burnt() == 2 * 100 * UNIT // 100


# trainers


@pytest.fixture
def coupled(mallory):
    return TrainerCommittee.deploy({"from": mallory})


def test_coupled__of_as_many_seats_as_trainers__is_refused(play, coupled, house):
    job = play(Phase.OPEN, committee=coupled)  # 3 of 3
    with refused("Federation_BadCommittee", job.id, coupled):
        job.open()
    with refused("Committee_PoolTooSmall", job.id, 3):
        coupled.select(job.id, 1, b"\1" * 32, now(), {"from": house.federation.address})


def test_coupled__asked_by_nobody_in_particular__does_not_answer(play, coupled, alice):
    job = play(Phase.OPEN, committee=coupled, maxTrainers=4)
    question = {"from": alice.address, "to": coupled.address}
    data = coupled.select.encode_input(job.id, 1, b"\1" * 32, now())
    with pytest.raises(AssertionError, match="revert"):
        rpc("eth_call", {**question, "data": data}, "latest")


def test_coupled__trainers_score_each_others_updates__and_are_paid(play, coupled, house):
    job = play(Phase.OPEN, committee=coupled, maxTrainers=4, minUpdates=4)
    job.members = job.trainers
    seen = set()
    for _ in range(3):
        job.open()
        seen.add(tuple(job.state.committee))
        assert set(job.state.committee) <= {who.address for who in job.trainers}
        job.play_round()
    assert job.phase == Phase.COMPLETED


# every cycle another committee


def test_pool__another_committee_in_every_cycle__fees_are_booked(play, house, mallory):
    pool = StakedCommittee.deploy(pool_terms(house), {"from": mallory})
    members = list(accounts[12:24])
    stake(house, pool, dict.fromkeys(members, 5))
    skip_to((now() // EPOCH + 1) * EPOCH)
    job = play(Phase.OPEN, committee=pool, maxRounds=6, maxFailures=5)
    job.members = members
    earned: dict[str, int] = {}
    committees = set()
    while not job.phase.is_over:
        if job.phase == Phase.FINALIZE:
            committees.add(tuple(job.state.committee))
            for member in job.state.committee:
                earned[member] = earned.get(member, 0) + job.terms.feePerSeat
        job.step()
    assert job.phase == Phase.COMPLETED and len(committees) > 1
    had = {who.address: house.token.balanceOf(who) for who in members}
    for seat in range(3):
        house.federation.claimFees(job.id, seat, {"from": house.sponsor})
    for who in members:
        house.vault.claimFees(job.id, who, {"from": house.sponsor})
    got = {who.address: house.token.balanceOf(who) - had[who.address] for who in members}
    assert got == {who.address: earned.get(who.address, 0) for who in members}


def test_key__announced_around_open__stops_nobody(play, house, mallory):
    """[announceKey, open, announceKey] in one transaction: the cycle has the first key, and all others theirs."""
    pool = StakedCommittee.deploy(pool_terms(house), {"from": mallory})
    members = list(accounts[12:15])
    stake(house, pool, dict.fromkeys(members, 5))
    skip_to((now() // EPOCH + 1) * EPOCH)
    job = play(Phase.OPEN, committee=pool)
    job.members = members
    federation, culprit = house.federation, members[0]
    keys = [keccak(text="in force"), keccak(text="too late")]
    announced = [federation.announceKey.encode_input(key) for key in keys]
    calls = [announced[0], federation.open.encode_input(job.id), announced[1]]
    opened = federation.multicall(calls, {"from": culprit}).events["CycleOpened"]
    by_member = dict(zip(opened["committee"], opened["keys"], strict=True))
    assert bytes.fromhex(str(by_member[culprit.address])[2:]) == keys[0]
    assert all(int(str(key), 16) for key in by_member.values())
    job.play_to_end()
    assert job.phase == Phase.COMPLETED
