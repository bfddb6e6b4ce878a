"""What `report` is shown: true links up to now, nothing else; and what it does to a stake."""

from __future__ import annotations

import pytest
from brownie import StakedCommittee, accounts
from node import now, refused, rpc, skip_to, word
from pools import DELAY, EPOCH, UNIT, pool_terms, stake
from reports import LOSS, UNITS, do, finish, seated, silent
from terms import DEAD

from hansa.protocol.types import Phase


def test_report__after_later_cycles__needs_their_links(begin, pool, alice):
    job, links = begin()
    shown = silent(job, links)
    links.lapse()
    links.open()
    finish(job, links)
    links.open()
    with refused("Committee_WrongHistory"):
        links.report(pool, shown, 0, alice, later=links.payloads[shown.place : -1])
    links.report(pool, shown, 0, alice)
    assert pool.burnt() == LOSS


def test_report__that_history_has_overtaken__is_sent_again(begin, pool, alice):
    job, links = begin()
    shown = silent(job, links)
    later = links.payloads[shown.place :]
    links.open()
    with refused("Committee_WrongHistory"):
        links.report(pool, shown, 0, alice, later=later)
    links.report(pool, shown, 0, alice)


def test_report__with_anything_changed__is_refused(begin, pool, alice):
    job, links = begin()
    shown = silent(job, links)
    draw, committee, keys = shown.opening
    forged = bytearray(shown.payload)
    forged[127] ^= 1  # of the board
    for changes in (
        {"before": word("before")},
        {"opened": (word("draw"), committee, keys)},
        {"opened": (draw, [*committee[:-1], alice.address], keys)},
        {"opened": (draw, committee, [*keys[:-1], word("key")])},
        {"opened": (draw, committee[:-1], keys)},
        {"ended": (bytes(forged), [])},
        {"ended": (shown.payload[:-32], [])},
        {"ended": (shown.payload + bytes(32), [])},
        {"later": [word("later")]},
    ):
        with refused("Committee_WrongHistory"):
            links.report(pool, shown, 0, alice, **changes)
    with refused("Committee_NotSampled", job.id, 4):
        links.report(pool, shown, 4, alice)
    assert pool.burnt() == 0


def test_report__of_wrong_words__is_refused(begin, pool, alice):
    job, links = begin()
    job.reach(Phase.VOTE)
    do(job, "vote", seated(job))
    shown = links.finalize()
    for words in ([], [*shown.words[:3], 0], [*shown.words, 0], shown.words[:3]):
        with refused("Committee_WrongWords"):
            links.report(pool, shown, 3, alice, ended=(shown.payload, words))


def test_report__of_a_lapsed_open_as_a_cycles_end__is_refused(begin, pool, alice):
    """An opening's payload can't be read as an end, nor an end as an opening: their lengths differ."""
    job, links = begin()
    shown = silent(job, links)
    with refused("Committee_WrongHistory"):
        links.report(pool, shown, 0, alice, ended=(bytes(64), []))


def test_report__of_another_job__is_refused(begin, pool, play, alice, house):
    job, links = begin()
    shown = silent(job, links)
    other = play(Phase.SUBMIT)
    with refused("Committee_WrongHistory"):
        links.report(pool, shown, 0, alice, job=other.id)


def test_report__to_a_pool_that_the_job_does_not_use__is_refused(begin, pool, house, alice, mallory):
    job, links = begin()
    shown = silent(job, links)
    other = StakedCommittee.deploy(pool_terms(house), {"from": mallory})
    with refused("Committee_NotServed", job.id):
        links.report(other, shown, 0, alice)


def test_stake__withdrawn_in_the_middle__stays_seated_and_slashable(begin, pool, house, alice):
    job, links = begin()
    gone = seated(job)[0]
    pool.unstake(UNITS * UNIT, {"from": gone})
    shown = silent(job, links)
    links.report(pool, shown, 0, alice)
    assert tuple(pool.stakeOf(gone))[:2] == (0, UNITS * UNIT - LOSS)
    had = house.token.balanceOf(gone)
    skip_to(now() + DELAY)
    pool.withdraw(gone, {"from": alice})
    assert house.token.balanceOf(gone) - had == UNITS * UNIT - LOSS
    pool.sendBurnt({"from": alice})
    assert (house.token.balanceOf(DEAD), pool.burnt()) == (LOSS, 0)
    assert house.token.balanceOf(pool) == sum(tuple(pool.stakeOf(who))[0] for who in accounts[12:20])


def test_report__of_who_has_left__burns_what_is_there(begin, pool, house, alice):
    job, links = begin()
    gone = seated(job)[0]
    pool.unstake(UNITS * UNIT, {"from": gone})
    shown = silent(job, links)
    skip_to(now() + DELAY)
    pool.withdraw(gone, {"from": gone})
    assert links.report(pool, shown, 0, alice).events["Slashed"]["amount"] == 0


def test_slashed__weighs_less__once_somebody_weighs_it(begin, pool, alice):
    job, links = begin()
    shown = silent(job, links)
    member = shown.opening[1][0]
    links.report(pool, shown, 0, alice)
    assert tuple(pool.stakeOf(member))[4] == UNITS
    pool.weigh(member, {"from": alice})
    assert tuple(pool.stakeOf(member))[4] == UNITS - 1
    skip_to((now() // EPOCH + 1) * EPOCH)
    assert pool.weightAt(now()) == 8 * UNITS - 1


def test_slashed_below_the_minimum__can_still_leave(house, begin, pool, alice):
    job, links = begin()
    member = next(who for who in job.members if who.address == job.state.committee[0])
    pool.unstake(UNITS * UNIT - 20, {"from": member})
    shown = silent(job, links)
    links.report(pool, shown, 0, alice)
    assert tuple(pool.stakeOf(member))[:2] == (20 - LOSS, UNITS * UNIT - 20)
    pool.unstake(20 - LOSS, {"from": member})
    skip_to(now() + DELAY)
    pool.withdraw(member, {"from": member})
    assert tuple(pool.stakeOf(member))[:2] == (0, 0)


@pytest.mark.parametrize(("seats", "later", "budget"), [(5, 0, 126_000), (5, 10, 126_000), (24, 0, 155_000)])
def test_report__costs_no_more_than_it_may(house, begin, pool, play, alice, seats, later, budget):
    if seats == 24:
        extra = [accounts.add(word(f"staker {number}").hex()) for number in range(20)]
        for who in extra:
            rpc("anvil_setBalance", who.address, hex(10**20))
            rpc("anvil_impersonateAccount", who.address)
        stake(house, pool, dict.fromkeys(extra, UNITS))
        skip_to((now() // EPOCH + 1) * EPOCH)
    job, links = begin(seats=seats, quorum=seats // 2 + 1, maxFailures=16, openTime=100, submitTime=100)
    job.members = []
    job.reach(Phase.SCORE)
    first = links.fail()
    links.report(pool, first, 1, alice)  # slots of the burnt tokens are used before
    for _ in range(later):
        links.lapse()
    done = links.report(pool, first, 0, alice)
    assert done.gas_used <= budget + 1_800 * later, done.gas_used
