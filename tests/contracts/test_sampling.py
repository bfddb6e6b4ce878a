"""Who is drawn how often, over 10,000 cycles on chain, against exact probabilities; what drawing costs."""

from __future__ import annotations

import json
from math import comb, exp, log, sqrt
from typing import Any

import pytest
from brownie import FilledPool, TrainerCommittee
from eth_abi.abi import decode
from node import now, rpc, skip_to
from pools import EPOCH, pool_terms

from hansa.protocol.types import Phase

CYCLES, AT_ONCE = 10_000, 500
LARGEST_Z = 4.5
CALL_GAS = hex(3_000_000_000)


def inclusion(weights: dict[int, int], seats: int) -> dict[int, float]:
    """How likely an account of a weight has a seat. weights: number of accounts by weight.

    Successive sampling takes the first `seats` of exponential clocks that tick by weight: the chance is the integral,
    over the time of the account's own tick, that fewer than `seats` others have ticked before.
    """
    steps = 40_000
    found = {}
    for own in weights:
        others = {weight: number - (weight == own) for weight, number in weights.items()}
        total = 0.0
        for step in range(steps):
            tick = -log((step + 0.5) / steps) / own  # own clock's quantiles: each step is as likely
            total += fewer(others, tick, seats)
        found[own] = total / steps
    return found


def fewer(others: dict[int, int], time: float, seats: int) -> float:
    """How likely fewer than `seats` clocks have ticked by a time."""
    ticked = [1.0]
    for weight, number in others.items():
        chance = 1 - exp(-weight * time)
        own = [comb(number, k) * chance**k * (1 - chance) ** (number - k) for k in range(min(number, seats - 1) + 1)]
        ticked = [
            sum(ticked[i] * own[k - i] for i in range(k + 1) if i < len(ticked) and k - i < len(own))
            for k in range(min(seats, len(ticked) + len(own) - 1))
        ]
    return min(1.0, sum(ticked[:seats]))


def ask(contract: Any, method: str, *arguments: Any) -> Any:
    """A view that may take more gas than a block has."""
    question = {"to": contract.address, "data": getattr(contract, method).encode_input(*arguments), "gas": CALL_GAS}
    return bytes.fromhex(rpc("eth_call", question, "latest")[2:])


@pytest.fixture
def filled(house, mallory, play):
    """A pool of these units, and a job that it serves."""

    def make(units: list[int], **terms: Any) -> tuple[Any, Any]:
        pool = FilledPool.deploy(pool_terms(house), {"from": mallory})
        for first in range(0, len(units), 30):
            pool.fill(units[first : first + 30], {"from": mallory})
        skip_to((now() // EPOCH + 1) * EPOCH)
        return pool, play(committee=pool, **terms)

    return make


def check_counts(counts: list[int], units: list[int], seats: int) -> None:
    assert sum(counts) == seats * CYCLES
    chances = inclusion({weight: units.count(weight) for weight in units}, seats)
    far: dict[int, float] = {}
    for leaf, (count, weight) in enumerate(zip(counts, units, strict=True)):
        chance = chances[weight]
        spread = sqrt(CYCLES * chance * (1 - chance))
        if CYCLES * (1 - chance) < 1e-3:
            assert count == CYCLES, "as good as certain"
        elif abs(z := (count - CYCLES * chance) / spread) > LARGEST_Z:
            far[leaf] = z
    assert not far
    for weight in set(units):
        expected = CYCLES * chances[weight] * units.count(weight)
        drawn = sum(count for count, own in zip(counts, units, strict=True) if own == weight)
        assert expected < 40_000 or abs(drawn / expected - 1) < 0.02


@pytest.mark.parametrize(
    ("units", "seats"),
    [
        ([2] * 25 + [20] * 50 + [2000] + [2] * 24, 16),
        ([5] * 60, 24),
    ],
    ids=["a-whale-of-100-stakers", "60-equals"],
)
def test_pool__draws_everybody_as_often_as_its_weight_says(filled, units, seats):
    pool, job = filled(units, seats=seats, quorum=seats // 2 + 1)
    counts = [0] * len(units)
    for first in range(1, CYCLES, AT_ONCE):
        (some,) = decode(["uint256[]"], ask(pool, "tally", job.id, first, AT_ONCE, now()))
        counts = [had + more for had, more in zip(counts, some, strict=True)]
    check_counts(counts, units, seats)


def test_trainers__are_drawn_equally_often(house, play, mallory):
    """1,000 draws of the real thing, 3 of 4: each is left out a quarter of the time."""
    committee = TrainerCommittee.deploy({"from": mallory})
    job = play(Phase.OPEN, committee=committee, maxTrainers=4)
    counts = dict.fromkeys((who.address for who in job.trainers), 0)
    for counter in range(1, 1001):
        data = committee.select.encode_input(job.id, counter, counter.to_bytes(32, "big"), 0)
        question = {"from": house.federation.address, "to": committee.address, "data": data}
        members = committee.select.decode_output(rpc("eth_call", question, "latest"))
        assert list(members) == sorted(members, key=lambda address: int(address, 16)) and len(set(members)) == 3
        for member in members:
            counts[member] += 1
    assert all(abs(count - 750) <= LARGEST_Z * sqrt(1000 * 0.75 * 0.25) for count in counts.values()), counts


def gas_of(pool: Any, job: Any, as_of: int) -> int:
    """The most that five draws of different seeds cost."""
    return max(int.from_bytes(ask(pool, "gasOf", job.id, counter, as_of), "big") for counter in range(1, 6))


def test_select__costs_the_same__from_100_to_1000_stakers(filled):
    costs = {}
    for stakers in (32, 100, 1_000):
        pool, job = filled([5] * stakers, seats=16, quorum=9)
        costs[stakers] = gas_of(pool, job, now())
    assert costs[1_000] <= 1.3 * costs[100], json.dumps(costs)
    assert max(costs.values()) <= 400_000, json.dumps(costs)


def test_select__costs_less_than_it_is_given__after_changes_in_every_epoch(filled, mallory):
    """24 seats of 1,000 stakers, 100 changes in each of the last 25 epochs, asked for as of long ago."""
    pool, job = filled([5] * 1_000, seats=24, quorum=13)
    for epoch in range(25):
        for part in range(4):
            pool.churn(4 * epoch + part, 25, {"from": mallory})
        skip_to((now() // EPOCH + 1) * EPOCH)
    assert gas_of(pool, job, 0) < 3_000_000
    assert gas_of(pool, job, now()) < 700_000
