"""What a planned job costs: every call of it, at the gas that was measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from nodes import block, chain_of

from hansa.cli.job.cost import Fees, cost_view, fees_of
from hansa.protocol.privacy import MODES
from hansa.runtime.chain.calls import Calls
from hansa.runtime.transactions.gas_price import GWEI
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
    masked = {cost.call: cost.size - 110 for cost in costs(replace(FIVE, privacy="masked"))}
    assert masked["attest"] == len(calls.attest_call(1, 2, 3, b"\1").data)  # type: ignore[arg-type]
    assert masked["release"] == len(calls.release_call(1, 2, 3, word).data)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("privacy", "added"), [("committee", []), ("threshold", ["release"]), ("masked", ["attest", "release"])]
)
def test_privacy__adds_the_calls_of_its_phases__each_round(privacy: str, added: list[str]) -> None:
    gas, plain = gas_table(), by_call(FIVE)
    found = by_call(replace(FIVE, privacy=privacy))
    assert {call for _, call in found.keys() - plain.keys()} == set(added) == set(MODES[privacy].times)
    more = sum(15 * gas[call] for call in added)
    assert paid_by(list(found.values()), "validator") == paid_by(list(plain.values()), "validator") + more
    assert round_gas(replace(FIVE, privacy=privacy)) - round_gas(FIVE) == 5 * more // 15


@pytest.mark.parametrize("kind", ["staked", "hybrid", "coupled"])
def test_a_committee_that_is_drawn__counts_as_changed_in_every_round__and_what_is_left_out_is_said(kind: str) -> None:
    gas, plan = gas_table(), replace(FIVE, consensus=kind)
    found = by_call(plan)
    assert found["anybody", "open"].gas == gas["open, first"] + 14 * gas["open, all seats changed"]
    assert ("sponsor", "new committee") not in found
    many = by_call(replace(plan, seats=24, rounds=2))
    assert many["anybody", "open"].gas == gas["open, first of 24 seats"] + gas["open, all of 24 seats changed"]
    views = [cost_view(its, costs(its), Fees(10, None, 30_000_000), 1) for its in (plan, FIVE)]
    assert "each draw" in views[0].left_out and not views[1].left_out
    assert (views[0].consensus, views[1].privacy) == (kind, "committee")


def at_base_fee(gwei: int) -> Any:
    def answer(method: str, params: Any) -> Any:
        match method:
            case "eth_getBlockByNumber":
                return {**block(9), "baseFeePerGas": hex(gwei * GWEI)}
            case "eth_maxPriorityFeePerGas":
                return hex(GWEI)
            case "eth_call" | "eth_getCode":
                return "0x"
        return "0x1"

    return answer


def test_price__is_told_however_high__and_not_asked_for_where_it_is_given() -> None:
    chain, found = chain_of(at_base_fee(5_000)), costs(FIVE)
    assert fees_of(chain, found, 5.0).price == 5 * GWEI
    assert fees_of(chain, found, None).price == 5_001 * GWEI
