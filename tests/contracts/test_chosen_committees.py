"""Attacks on who is drawn: with a rule that `open` once had they win, with its present one they get what chance gives.

Eight of twelve stakers are honest; four accounts are the attacker's, a third of the stake, and two of three seats what
it wants: chance gives that in a quarter of all draws.
"""

from __future__ import annotations

from itertools import permutations

import pytest
from brownie import EarlierOpen, Picky, StakedCommittee, accounts
from node import at, call, now, refused, skip_to, word
from openings import simulated
from pools import EPOCH, pool_terms, stake

from hansa.protocol import hashes
from hansa.protocol.types import Phase

SHEETS, PARENT = 0, 1
CHANCE = 13 / 55  # of two or three of the own four among three of twelve: (6 · 8 + 4) / 220
WANTED = 2


@pytest.fixture
def pool(house, mallory):
    pool = StakedCommittee.deploy(pool_terms(house), {"from": mallory})
    stake(house, pool, dict.fromkeys(accounts[12:24], 5))
    skip_to((now() // EPOCH + 1) * EPOCH)
    return pool


@pytest.fixture
def own():
    return [who.address for who in accounts[12:16]]


def has_won(members, own):
    return len(set(members) & set(own)) >= WANTED


def test_order_of_reveals__chose_the_committee__and_does_not(play, pool, own, mallory):
    job = play(Phase.OPEN, committee=pool)
    job.members = list(accounts[12:24])
    earlier = EarlierOpen.deploy(pool, SHEETS, {"from": mallory})
    sheets = []
    for order in permutations(range(3)):
        acc = word("seed")
        for seat in order:
            acc = hashes.sheets_acc(acc, seat, b"sheet", word(f"salt {seat}"))
        sheets.append(acc)
    wins = 0
    for cycle in range(12):
        found = []
        for acc in sheets:
            earlier.open(job.id, hashes.sheets_acc(acc, 0, b"", word(f"{cycle}")), {"from": mallory})
            found.append([earlier.members(seat) for seat in range(3)])
        wins += any(has_won(members, own) for members in found)
    assert wins > 12 * CHANCE * 2, f"with six orders to choose from it had {wins} of 12"

    job.open()
    job.reach(Phase.REVEAL)
    for who in reversed([who for who in job.members if who.address in job.state.committee]):
        job.reveal(who)
    job.play_round()
    skip_to(now() + 1)
    draws = {simulated(job, 2**200 + number)[1] for number in range(20)}
    assert len(draws) == 20, "whatever was revealed in which order, the block that opens decides"


def test_end_and_open_in_one_transaction__chose_the_committee__and_does_not(play, pool, own, mallory, house):
    job = play(Phase.OPEN, committee=pool)
    job.members = list(accounts[12:24])
    earlier = EarlierOpen.deploy(pool, PARENT, {"from": mallory})
    tries = 0
    while True:  # a block each
        tries += 1
        try:
            earlier.endAndOpen(job.id, word("sheets"), own, 3, {"from": mallory})
            break
        except Exception as error:
            assert "Unliked" in str(error) and tries < 1000
    assert has_won([earlier.members(seat) for seat in range(3)], own), f"all three seats after {tries} tries"

    picky = Picky.deploy({"from": mallory})
    job.open()
    job.reach(Phase.FINALIZE)
    end = house.federation.finalize.encode_input(job.id, job.state.cycle, job.result())
    at(now() + 7)
    with refused("Federation_TooEarly"):
        picky.tryBoth(house.federation, end, job.id, own, 3, {"from": mallory})
    assert job.phase == Phase.FINALIZE, "the end was undone with it"


def test_enrol_and_open_in_one_transaction__is_refused(play, pool, own, mallory, house):
    job = play(committee=pool)
    for who in job.trainers[:-1]:
        job.enrol(who)
    last = job.trainers[-1]
    enrol = house.federation.enrol.encode_input(job.id, job.terms_hash, job.terms.minBond, b"")
    with refused("Federation_TooEarly"):
        house.federation.multicall([enrol, house.federation.open.encode_input(job.id)], {"from": last})
    assert job.phase == Phase.ENROL


def test_open_undone_until_it_is_liked__is_a_lottery_that_anybody_ends(play, pool, own, mallory, house):
    """Later than the end, `open` can still be undone by a contract: but whoever else sends it opens."""
    job = play(Phase.OPEN, committee=pool)
    picky = Picky.deploy({"from": mallory})
    job.open()  # the first that anybody sends
    assert len(job.state.committee) == 3
    with refused("Federation_WrongPhase"):
        picky.tryBoth(house.federation, b"", job.id, own, 0, {"from": mallory})


def test_ground_parent_hash__chose_the_committee__and_does_not(play, pool, own, mallory):
    """Whoever builds the parent tries one after another; with prevrandao the parent's hash decides nothing."""
    job = play(Phase.OPEN, committee=pool)
    earlier = EarlierOpen.deploy(pool, PARENT, {"from": mallory})
    wins = 0
    for cycle in range(8):
        for _ in range(12):  # parents that the builder tries
            members = _drawn_by(earlier, job, word(f"{cycle}"), mallory)
            if has_won(members, own):
                wins += 1
                break
    assert wins > 8 * CHANCE * 2, f"with twelve parents to choose from it had {wins} of 8"

    skip_to(now() + 1)
    first = simulated(job, 2**200)
    skip_to(now() + 1)  # another parent
    assert simulated(job, 2**200) == first


def _drawn_by(earlier, job, sheets, by):
    earlier.open(job.id, sheets, {"from": by})
    return [call(earlier.members, seat) for seat in range(3)]


def test_draws__over_300_cycles__give_what_chance_gives(play, pool, own, house):
    job = play(Phase.OPEN, committee=pool)
    wins = sum(
        has_won(call(pool.select, job.id, counter, word(f"draw {counter}"), now()), own) for counter in range(1, 301)
    )
    assert abs(wins - 300 * CHANCE) <= 4.5 * (300 * CHANCE * (1 - CHANCE)) ** 0.5
