"""A committee contract that misbehaves opens no cycle, and freezes nobody's tokens."""

from __future__ import annotations

from bisect import bisect_left

import pytest
from brownie import MockAdmission, web3
from eth_utils.crypto import keccak
from node import refused, skip_to
from terms import BOND, FEE

from hansa.protocol.types import Phase

REVERT, NOTHING, GARBAGE, BURN, HUGE, DIRTY, LONG_REVERT, DIRTY_LAST, ANSWERING_REVERT, THIRSTY = range(1, 11)
NAMES = {
    REVERT: "reverts",
    NOTHING: "answers-nothing",
    GARBAGE: "garbage",
    BURN: "burns-gas",
    DIRTY: "dirty-address",
    LONG_REVERT: "long-revert",
    DIRTY_LAST: "dirty-last-address",
    ANSWERING_REVERT: "answers-by-a-revert",
}


@pytest.fixture(params=NAMES, ids=NAMES.get)
def mode(request):
    return request.param


def test_open__hostile_answer__reverts(play, mock, mode):
    job = play(Phase.OPEN, committee=mock)
    mock.setMode(mode)
    with refused("Federation_BadCommittee", job.id, mock):
        job.open()
    mock.setMode(0)
    job.open()
    assert job.phase == Phase.SUBMIT, "nothing was kept of the failed attempt"


@pytest.mark.parametrize(
    "pick",
    [
        (0, 1),
        (0, 1, 2, 3),
        (0, 0, 1),
        (0, 1, 1),
        (1, 0, 2),
        (2, 1, 0),
        (),
    ],
    ids=["too-few", "too-many", "twice-first", "twice-last", "unsorted", "descending", "none"],
)
def test_open__other_members_than_asked_for__reverts(play, mock, house, pick):
    job = play(Phase.OPEN, committee=mock)
    mock.setMembers([house.validators[i] for i in pick])
    with refused("Federation_BadCommittee", job.id, mock):
        job.open()


def test_open__nobody_as_a_member__reverts(play, mock, house):
    job = play(Phase.OPEN, committee=mock)
    mock.setMembers(["0x" + "00" * 20, *house.validators[:2]])
    with refused("Federation_BadCommittee", job.id, mock):
        job.open()


def test_open__25_members_for_24_seats__reverts(play, mock):
    from brownie import accounts

    members = sorted(accounts[:25], key=lambda account: int(account.address, 16))
    mock.setMembers(members)
    job = play(Phase.OPEN, committee=mock, seats=24, quorum=13)
    with refused("Federation_BadCommittee", job.id, mock):
        job.open()


def test_open__huge_answer_with_the_right_beginning__is_read_no_further(play, mock):
    job = play(Phase.OPEN, committee=mock)
    mock.setMode(HUGE)
    assert job.open().gas_used < 800_000
    assert job.phase == Phase.SUBMIT


def test_open__least_gas_that_is_accepted__all_reaches_the_committee(play, mock):
    job = play(Phase.OPEN, committee=mock)
    mock.setMode(THIRSTY)
    call = {"to": job.federation.address, "data": job.federation.open.encode_input(job.id)}
    too_little = "0x" + keccak(text="Federation_TooLittleGas(uint256)")[:4].hex()

    def is_accepted(gas):
        try:
            web3.eth.call({**call, "gas": gas})
        except ValueError as error:
            return not error.args[0]["data"].startswith(too_little)
        return True

    limits = range(3_000_000, 3_300_000)
    least = limits[bisect_left(limits, True, key=is_accepted)]
    with refused("Federation_TooLittleGas", 3_000_000):
        job.open(gas_limit=least - 1)
    job.open(gas_limit=least)
    assert job.phase == Phase.SUBMIT


def everybody_leaves(house, job, pay):
    """All get what is theirs, whatever committee and admission do; the vault is empty afterwards."""
    sponsor, trainers = house.sponsor, house.trainers[:3]
    had = {who: house.token.balanceOf(who) for who in (sponsor, *trainers, *house.validators[:3])}
    for who in trainers:
        job.claim(who)
    for seat in range(3):
        house.federation.claimFees(job.id, seat, {"from": sponsor})
    skip_to(job.books.slashUntil)
    left = job.books.left
    for who in trainers:
        house.vault.claimBond(job.id, who, {"from": who})
    house.vault.claimRest(job.id, {"from": sponsor})
    house.vault.sendBurnt(job.id, {"from": sponsor})
    got = {who: house.token.balanceOf(who) - before for who, before in had.items()}
    assert [got[who] for who in trainers] == [pay + BOND] * 3
    assert got[sponsor] == left
    assert house.token.balanceOf(house.vault) == 0


def test_hostile_from_the_start__all_is_refunded(play, mock, house, mode):
    job = play(Phase.OPEN, committee=mock)
    mock.setMode(mode)
    for _ in range(job.terms.maxFailures):
        with refused("Federation_BadCommittee"):
            job.open()
        job.lapse().fail()
    assert (job.phase, job.books.left) == (Phase.ABORTED, job.escrow)
    everybody_leaves(house, job, 0)


def test_hostile_after_a_round__what_was_earned_is_paid(play, mock, house, actors, mode):
    admission = MockAdmission.deploy({"from": actors["deployer"]})
    job = play(Phase.OPEN, committee=mock, admission=admission, recheckAdmission=True).play_round()
    mock.setMode(mode)
    admission.setMode(REVERT)
    for _ in range(job.terms.maxFailures):
        job.lapse().fail()
    assert (job.phase, job.books.left) == (Phase.ABORTED, 2 * job.full)
    everybody_leaves(house, job, 300)
    assert house.token.balanceOf(house.validators[0]) == 10**24 + FEE


def test_hostile_in_a_cycle__the_round_goes_on(play, mock, house):
    job = play(Phase.SUBMIT, committee=mock, maxRounds=1)
    mock.setMode(REVERT)
    job.play_to_end()
    assert job.phase == Phase.COMPLETED
    everybody_leaves(house, job, 300)


def test_hostile_between_two_cycles_of_a_round__the_kept_committee_is_not_asked(play, mock):
    job = play(Phase.SCORE, committee=mock, keepCommittee=True)
    mock.setMode(BURN)
    job.lapse().fail()
    job.open()
    assert job.phase == Phase.SUBMIT


def test_hostile_between_two_cycles_of_a_round__is_asked_where_none_is_kept(play, mock):
    job = play(Phase.SCORE, committee=mock)
    mock.setMode(BURN)
    job.lapse().fail()
    with refused("Federation_BadCommittee", job.id, mock):
        job.open()


def test_hostile__the_sponsor_can_stop_at_once(play, mock, house):
    job = play(Phase.OPEN, committee=mock)
    mock.setMode(BURN)
    job.stop()
    assert job.phase == Phase.ABORTED
    everybody_leaves(house, job, 0)


def test_members__that_never_act__cost_the_trainers_nothing(play, house):
    job = play(Phase.SUBMIT)
    job.members = []
    job.play_to_end()
    assert (job.phase, job.books.burnt) == (Phase.ABORTED, 3 * 465)
    everybody_leaves(house, job, 0)
