"""What a planned job costs: every call of it, at the gas that was measured."""

from __future__ import annotations

import pytest

from hansa.cli.job.cost import Fees, cost_view
from hansa.runtime.chain.calls import Calls
from hansa.sponsor.cost import CallCost, Plan, costs, gas_table, paid_by, reveal_gas, round_gas

FIVE = Plan(trainers=5, seats=5, rounds=15, updates=5)


def by_call(plan: Plan) -> dict[tuple[str, str], CallCost]:
    return {(cost.who, cost.call): cost for cost in costs(plan)}


def test_a_measured_job__costs_what_was_measured() -> None:
    gas, found = gas_table(), by_call(FIVE)
    assert found["sponsor", "post"].total == gas["post"]
    assert found["trainer", "submit"].total == 5 * 15 * gas["submit"]
    assert found["trainer", "claim"].gas == gas["claim, 15 rounds"]
    assert found["validator", "vote"].gas == gas["vote, first of a seat"] + 14 * gas["vote"]
    assert found["anybody", "open"].gas == gas["open, first"] + 14 * gas["open, same committee"]
    measured = gas["a later round, 5 trainers, 5 validators"]
    assert measured <= round_gas(FIVE) <= measured * 1.03, "a mean, and the first round costs more"


def test_the_parties__pay_all_of_it() -> None:
    found = costs(FIVE)
    counts = {"sponsor": 1, "trainer": 5, "validator": 5, "anybody": 1}
    whole = sum(paid_by(found, who) * count for who, count in counts.items())
    assert whole == sum(cost.total for cost in found)


def test_24_seats__and_one_round__are_as_measured() -> None:
    gas, found = gas_table(), by_call(Plan(trainers=10, seats=24, rounds=1, updates=8))
    assert found["anybody", "open"].gas == gas["open, first of 24 seats"]
    assert found["anybody", "finalize"].gas == gas["finalize, ending a job of 24 seats"]
    assert (found["trainer", "submit"].parties, found["trainer", "enrol"].parties) == (8, 10)


@pytest.mark.parametrize(("updates", "gas"), [(400, 235_000), (5, 52_000)])
def test_sheets__cost_what_their_bytes_do__where_that_is_more(updates: int, gas: int) -> None:
    assert reveal_gas(updates) == pytest.approx(gas, rel=0.02)


def test_view__adds_a_rollups_fee_for_every_call() -> None:
    found = costs(FIVE)
    plain = cost_view(FIVE, found, Fees(10, None, 30_000_000), 1)
    rollup = cost_view(FIVE, found, Fees(10, [7] * len(found), 30_000_000), 1)
    sent = sum(cost.parties * cost.times for cost in found)
    assert (plain.l1_fee, rollup.l1_fee) == (False, True)
    assert plain.fee == 10 * plain.gas and rollup.fee == plain.fee + 7 * sent
    assert sum(party.parties * party.fee for party in rollup.parties) == rollup.fee
    assert plain.round_blocks == round(plain.round_gas / 30_000_000, 4)


def test_sizes__are_those_of_the_calls() -> None:
    calls = Calls()
    calls.address = calls.vault = "0x" + "11" * 20  # type: ignore[assignment]
    sizes = {cost.call: cost.size - 110 for cost in costs(FIVE)}
    word = bytes(32)
    assert sizes["submit"] == len(calls.submit_call(1, 2, word, word).data)  # type: ignore[arg-type]
    assert sizes["revealScores"] == len(calls.reveal_call(1, 2, 3, bytes(65), word).data)  # type: ignore[arg-type]
    assert sizes["enrol"] == len(calls.enrol_call(1, word, 4, b"").data)  # type: ignore[arg-type]
