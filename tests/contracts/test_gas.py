"""What each call costs, against the budgets of the design and the committed snapshot.

`make gas` checks; `make gas ARGS=--write` writes the snapshot anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from brownie import AppointedCommittee, MockCommittee, accounts
from drive import Job
from node import rpc, rpc_all, skip_to, word
from signing import sign

from hansa.protocol import typed_data
from hansa.protocol.types import Phase

SNAPSHOT = Path(__file__).parents[2] / "hansa" / "runtime" / "chain" / "gas.json"
WRITING = os.environ.get("HANSA_WRITE_GAS") == "1"
DRIFT = 0.005  # cycle ids and salts have more or fewer zero bytes

FIRST_USE = 17_000  # of a seat's slot
BUDGETS = {
    "enrol": 190_000,
    "enrolFor": 198_000,
    "submitFor": 47_000,
    "open, first": 290_000,
    "open, same committee": 118_000,
    "open, 2 seats changed": 118_000 + 2 * 32_000,
    "open, all seats changed": 275_000,
    "open, first of 24 seats": 830_000,
    "open, same 24 seats": 275_000,
    "open, all of 24 seats changed": 985_000,
    "submit": 40_000,
    "submit, closing": 40_000,
    "attest": 46_000,
    "release": 46_000,
    "commitScores": 47_000,
    "commitScores, first of a seat": 47_000 + FIRST_USE,
    "revealScores, 5 updates": 52_500 + 24 * 65,
    "revealScores, 20 updates": 52_500 + 24 * 260,
    "vote": 51_000,
    "vote, first of a seat": 51_000 + FIRST_USE,
    "finalize": 120_000,
    "finalize, first round": 120_000,
    "finalize, ending the job": 123_000,
    "finalize, ending a job of 24 seats": 255_000,
    "failRound, SCORE": 87_000,
    "failRound, ending the job": 93_000,
    "a later round, 5 trainers, 5 validators": 1_170_000,
    "claim, 15 rounds": 240_000,
    "announceKey": 46_000,
    "announceKey, again": 29_000,
}


@pytest.fixture(scope="module")
def measured() -> Iterator[dict[str, int]]:
    """Filled by the tests of this file; compared, or written, by its last."""
    yield {}


@pytest.fixture
def job(house, mallory) -> Iterator[Job]:
    job = Job(house, seats=5, quorum=4, maxTrainers=5, minUpdates=3, maxRounds=15)
    job.trainers = [*house.trainers, mallory]
    yield job
    job.check_books()


def by_hand(job: Job) -> dict[str, list[int]]:
    """One round, every call of it measured."""
    costs = {"open": [job.open().gas_used]}
    costs["submit"] = [job.submit(who, word(f"{who} {job.cycle}")).gas_used for who in job.trainers]
    for who in job.members:
        job.sheets[who] = bytes(range(1, 14)) * len(job.trainers)
    costs["commitScores"] = [job.commit(who).gas_used for who in job.members]
    costs["revealScores"] = [job.reveal(who).gas_used for who in job.members]
    costs["vote"] = [job.vote(who, metric=-seat).gas_used for seat, who in enumerate(job.members)]  # worst to sort
    costs["finalize"] = [job.finalize().gas_used]
    return costs


def test_gas__of_a_job__is_within_the_budgets(job, house, measured, sponsor, alice):
    measured["post"] = job.post().gas_used
    measured["enrol"] = max(job.enrol(who).gas_used for who in job.trainers)
    first, second, later = by_hand(job), by_hand(job), by_hand(job)
    measured["open, first"] = first["open"][0]
    measured["commitScores, first of a seat"] = max(first["commitScores"])
    measured["vote, first of a seat"] = max(first["vote"])
    measured["finalize, first round"] = first["finalize"][0]
    rounds = (second, later)
    measured["open, same committee"] = max(costs["open"][0] for costs in rounds)
    measured["submit"] = max(max(costs["submit"][:-1]) for costs in (first, *rounds))
    measured["submit, closing"] = max(costs["submit"][-1] for costs in (first, *rounds))
    measured["commitScores"] = max(max(costs["commitScores"]) for costs in rounds)
    measured["revealScores, 5 updates"] = max(max(costs["revealScores"]) for costs in (first, *rounds))
    measured["vote"] = max(max(costs["vote"]) for costs in rounds)
    measured["finalize"] = max(costs["finalize"][0] for costs in rounds)
    measured["a later round, 5 trainers, 5 validators"] = max(sum(map(sum, costs.values())) for costs in rounds)
    job.play_to_end()
    measured["claim, 15 rounds"] = job.claim(alice).gas_used
    measured["claimFees"] = house.federation.claimFees(job.id, 0, {"from": sponsor}).gas_used
    skip_to(job.books.claimUntil)
    measured["claimBond"] = house.vault.claimBond(job.id, alice, {"from": alice}).gas_used
    measured["expire"] = house.vault.expire(job.id, {"from": sponsor}).gas_used
    measured["sendBurnt"] = house.vault.sendBurnt(job.id, {"from": sponsor}).gas_used
    within(measured)


def test_gas__of_signed_calls__is_within_the_budgets(job, house, measured, sponsor, alice):
    federation, signed = house.federation, {}
    job.post()
    costs = []
    for who in job.trainers:
        values = {"job": job.id, "termsHash": job.terms_hash, "bond": job.terms.minBond, "data": b"", "deadline": 2**40}
        arguments = (*values.values(), who, sign(who, federation.address, typed_data.ENROL, values))
        costs.append(federation.enrolFor(*arguments, {"from": sponsor}).gas_used)
    job.enrolled = list(job.trainers)
    measured["enrolFor"] = max(costs)
    for _ in range(2):
        job.open()
        for who in job.trainers:
            values = {"job": job.id, "cycle": job.cycle, "seed": job.seed, "digest": word(f"{who}")}
            arguments = (*values.values(), who, sign(who, federation.address, typed_data.SUBMIT, values))
            signed[who] = federation.submitFor(*arguments, {"from": sponsor}).gas_used
        job.play_round()
    measured["submitFor"] = max(signed.values())
    within(measured)


def test_gas__of_failing_and_leaving__is_known(play, house, measured, carol, sponsor, alice):
    job = play(Phase.SUBMIT, maxFailures=9)
    job.trainers.remove(carol)
    job.play_round().reach(Phase.SUBMIT)
    measured["rejoin"] = job.rejoin(carol).gas_used
    measured["failRound, SUBMIT"] = job.lapse().fail().gas_used
    measured["failRound, SCORE"] = job.reach(Phase.SCORE).lapse().fail().gas_used
    measured["failRound, OPEN"] = job.reach(Phase.OPEN).lapse().fail().gas_used
    measured["stop"] = job.stop().gas_used
    measured["claimRest"] = house.vault.claimRest(job.id, {"from": sponsor}).gas_used
    measured["publishKeys"] = house.federation.publishKeys(job.id, word("keys"), {"from": alice}).gas_used
    measured["announceKey"] = house.federation.announceKey(word("key"), {"from": alice}).gas_used
    measured["announceKey, again"] = house.federation.announceKey(word("another"), {"from": alice}).gas_used
    ending = play(Phase.OPEN, maxFailures=1, escrow=9000).play_round().reach(Phase.SCORE).lapse()
    measured["failRound, ending the job"] = ending.fail().gas_used
    within(measured)


def test_gas__of_sharing__is_within_the_budgets(play, house, measured):
    """By the second round every slot has been used."""
    job = play(Phase.SUBMIT, seats=5, quorum=4, threshold=4, attestTime=100, releaseTime=100)
    job.play_round().reach(Phase.ATTEST)
    measured["attest"] = max(job.attest(who).gas_used for who in house.validators)
    measured["release"] = max(job.release(who).gas_used for who in house.validators)
    within(measured)


def test_gas__of_changed_seats__is_within_the_budget(house, actors, measured, mallory):
    others = sorted((house.sponsor, *house.trainers[:1], mallory), key=lambda account: int(account.address, 16))
    mock = MockCommittee.deploy(house.validators, {"from": actors["deployer"]})
    job = Job(house, committee=mock, seats=5, quorum=4)
    job.post()
    job.reach(Phase.OPEN).play_round().play_round()
    ascending = sorted(others[:2] + house.validators[2:], key=lambda account: int(account.address, 16))
    changed = sum(a != b for a, b in zip(ascending, house.validators, strict=True))
    mock.setMembers(ascending)
    measured[f"open, {changed} seats changed"] = job.open().gas_used
    within(measured)


@pytest.mark.parametrize("seats", [5, 24])
def test_gas__of_a_whole_committee__is_within_the_budgets(house, actors, measured, seats):
    members = sorted(accounts[6 : 6 + seats], key=lambda account: int(account.address, 16))
    mock = MockCommittee.deploy(members, {"from": actors["deployer"]})
    for who in members:
        house.federation.announceKey(word(f"key {who}"), {"from": who})
    job = Job(house, committee=mock, seats=seats, quorum=seats // 2 + 1, maxRounds=3)
    job.members, job.metrics = members, {who: -seat for seat, who in enumerate(members)}  # worst to sort
    job.post()
    opened = [job.reach(Phase.OPEN).open().gas_used]
    opened.append(job.play_round().open().gas_used)
    job.play_round()
    mock.setMembers([f"0x{place:040x}" for place in range(1, seats + 1)])
    done = job.open()
    opened.append(done.gas_used)
    assert len(done.events["FeesBooked"]) == seats
    job.lapse().fail()
    mock.setMembers(members)
    job.reach(Phase.FINALIZE)
    name = " of 24 seats" if seats == 24 else ""
    if seats == 24:
        kinds = ("first of 24 seats", "same 24 seats", "all of 24 seats changed")
        measured |= {f"open, {kind}": cost for kind, cost in zip(kinds, opened, strict=True)}
    else:
        measured["open, all seats changed"] = opened[2]
    measured[f"finalize, ending {'a' if name else 'the'} job{name}"] = job.finalize().gas_used
    assert job.phase == Phase.COMPLETED
    within(measured)


def test_gas__of_what_comes_before_a_job(house, mallory, measured):
    """Of RewardToken; another token has costs of its own."""
    measured["approve"] = house.token.approve(house.federation, 10**18, {"from": mallory}).gas_used
    made = AppointedCommittee.deploy(house.validators[:5], {"from": mallory})
    measured["AppointedCommittee, 5 members"] = made.tx.gas_used


def test_gas__of_20_updates__grows_by_the_sheet_alone(house, actors, measured):
    crowd = [who for who in accounts[:30] if who not in house.validators and who != actors["deployer"]][:20]
    for who in crowd:
        house.token.transfer(who, 1000, {"from": actors["deployer"]})
        house.token.approve(house.vault, 10**24, {"from": who})
    job = Job(house, seats=5, quorum=4, maxTrainers=20, minUpdates=3)
    job.trainers = crowd
    job.post()
    job.reach(Phase.OPEN).play_round()
    costs = by_hand(job)
    measured["submit, of 20"] = max(costs["submit"][:-1])
    measured["revealScores, 20 updates"] = max(costs["revealScores"])
    measured["finalize, 20 trainers"] = costs["finalize"][0]
    assert costs["finalize"][0] <= BUDGETS["finalize"] and max(costs["submit"][:-1]) <= BUDGETS["submit"]
    assert max(costs["vote"]) <= BUDGETS["vote"] and max(costs["commitScores"]) <= BUDGETS["commitScores"]
    within(measured)


@pytest.fixture
def crowd(house) -> Iterator[list[str]]:
    """400 accounts that can pay a bond."""
    accounts = [f"0x{10**40 + place:040x}" for place in range(400)]
    token, vault = house.token.address, house.vault.address
    rpc_all(*(("anvil_setBalance", who, hex(10**18)) for who in accounts))
    rpc_all(*(("anvil_dealERC20", who, token, hex(1000)) for who in accounts))
    rpc_all(*(("anvil_setERC20Allowance", who, vault, token, hex(1000)) for who in accounts))
    rpc("anvil_autoImpersonateAccount", True)
    yield accounts
    rpc("anvil_autoImpersonateAccount", False)


def send_each(senders: list[str], method, *arguments) -> None:
    call = {"to": method._address, "data": method.encode_input(*arguments), "gas": hex(400_000)}
    sent = rpc_all(*(("eth_sendTransaction", {**call, "from": who}) for who in senders))
    receipts: list[Any] = [None]
    while None in receipts:  # mined in some order, a moment after they are taken
        receipts = rpc_all(*(("eth_getTransactionReceipt", hash) for hash in sent))
    assert {receipt["status"] for receipt in receipts} == {"0x1"}


def floor_of(data: bytes) -> int:
    """What a transaction costs at least where EIP-7623 is in force (Prague), whatever it does."""
    zeros = data.count(0)
    return 21_000 + 10 * zeros + 40 * (len(data) - zeros)


def test_gas__of_long_sheets__is_the_floor_of_eip_7623(house, crowd, capsys):
    job = Job(house, seats=1, quorum=1, maxTrainers=400)
    (member,) = job.members = house.validators[:1]
    job.leaves = {}
    job.post()
    send_each(crowd, house.federation.enrol, job.id, job.terms_hash, job.terms.minBond, b"")
    seen = {}
    for updates in (400, 200, 5):
        job.open()
        send_each(crowd[:updates], house.federation.submit, job.id, job.cycle, job.seed, word("update"))
        while job.phase == Phase.SUBMIT:
            skip_to(job.state.deadline)
        job.sheets[member] = bytes(range(1, 14)) * updates
        job.commit(member)
        revealed = job.reveal(member)
        seen[updates] = revealed.gas_used, floor_of(bytes.fromhex(revealed.input[2:]))
        job.play_round()
    with capsys.disabled():
        print("\n  revealScores: gas used, and the least that EIP-7623 (Prague) asks for its calldata")
        for updates, (used, floor) in sorted(seen.items()):
            print(f"  {updates:>5} updates {used:>10,} {floor:>10,}")
    assert seen[5][0] > seen[5][1]
    assert all(used == floor for used, floor in (seen[200], seen[400])), "one update more costs 520 gas, not 318"


def within(measured: dict[str, int]) -> None:
    over = {name: cost for name, cost in measured.items() if cost > BUDGETS.get(name, cost)}
    assert not over, f"over the budgets of the design: {over}"


def test_gas__is_the_committed_snapshot(measured):
    if WRITING:
        kept = json.loads(SNAPSHOT.read_text()) if SNAPSHOT.exists() else {}
        SNAPSHOT.write_text(json.dumps({**kept, "gas": measured}, indent=1) + "\n")
    kept = json.loads(SNAPSHOT.read_text())["gas"]
    assert list(kept) == list(measured), "the same calls: write the snapshot anew with `make gas ARGS=--write`"
    moved = {name: (kept[name], cost) for name, cost in measured.items() if abs(cost - kept[name]) > DRIFT * kept[name]}
    assert not moved, f"(committed, measured); if that is meant, `make gas ARGS=--write`: {moved}"
