"""Calls that one account signs and another sends: they count once, for what was signed, and for nobody else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from brownie import Federation
from brownie.network.account import Account
from drive import Job
from eth_account.messages import encode_typed_data
from node import at, now, refused, word
from signing import keys_of, sign
from terms import BOND

from hansa.protocol import typed_data
from hansa.protocol.types import Phase

Values = dict[str, Any]


@dataclass(frozen=True)
class Signed:
    """One signed type. stage: a job in which alice can do it. call: its method. kind: its type. event: what it leaves.

    arguments: their names, in the order of the call; `account` and `signature` come last. changed: another value of
    each field that is signed. mine: the arguments of alice's own act.
    """

    call: str
    kind: str
    event: str
    arguments: tuple[str, ...]
    stage: Callable[[Any], Job]
    mine: Callable[[Job], Values]
    changed: Mapping[str, Any]
    contract: Callable[[Job], Any] = lambda job: job.federation
    refusal: str = "Federation_WrongSignature"


def absent_alice(play) -> Job:
    """Alice has missed a cycle, and is not waited for in the next one."""
    job = play(Phase.SUBMIT)
    alice = job.trainers.pop(0)
    job.play_round().play_round().reach(Phase.SUBMIT)
    job.trainers.insert(0, alice)
    return job


SIGNED = [
    Signed(
        call="enrolFor",
        kind=typed_data.ENROL,
        event="TrainerEnrolled",
        arguments=("job", "termsHash", "bond", "data", "deadline"),
        stage=lambda play: play(Phase.ENROL),
        mine=lambda job: {
            "job": job.id, "termsHash": job.terms_hash, "bond": BOND, "data": b"proof", "deadline": now() + 50
        },
        changed={"job": 77, "termsHash": word("other"), "bond": BOND + 1, "data": b"other", "deadline": 2**40},
    ),
    Signed(
        call="submitFor",
        kind=typed_data.SUBMIT,
        event="UpdateSubmitted",
        arguments=("job", "cycle", "seed", "digest"),
        stage=lambda play: play(Phase.SUBMIT),
        mine=lambda job: {"job": job.id, "cycle": job.cycle, "seed": job.seed, "digest": word("update")},
        changed={"job": 77, "cycle": 5, "seed": word("other"), "digest": word("other")},
    ),
    Signed(
        call="rejoinFor",
        kind=typed_data.REJOIN,
        event="Rejoined",
        arguments=("job", "cycle"),
        stage=absent_alice,
        mine=lambda job: {"job": job.id, "cycle": job.cycle},
        changed={"job": 77, "cycle": 5},
    ),
]  # fmt: skip
each_type = pytest.mark.parametrize("signed", SIGNED, ids=lambda signed: signed.call)


def send(signed: Signed, job: Job, values: Values, account: Account, signature: bytes, by: Account) -> Any:
    method = getattr(signed.contract(job), signed.call)
    return method(*(values[name] for name in signed.arguments), account, signature, {"from": by})


@each_type
def test_signed__is_what_wallets_sign(signed, play, alice):
    """By another implementation of EIP-712."""
    job = signed.stage(play)
    values, contract = signed.mine(job), signed.contract(job)
    fields = [field.split(" ") for field in signed.kind.partition("(")[2].rstrip(")").split(",")]
    domain = {"name": "Hansa", "version": "1", "chainId": 31337, "verifyingContract": contract.address}
    name = signed.kind.partition("(")[0]
    types = {name: [{"type": type_, "name": name} for type_, name in fields]}
    theirs = keys_of(alice.address).sign_message(encode_typed_data(domain, types, values)).signature
    assert sign(alice, contract.address, signed.kind, values) == bytes(theirs)


@each_type
def test_signed__sent_by_a_stranger__is_the_signers_act(signed, play, alice, mallory):
    job = signed.stage(play)
    values = signed.mine(job)
    done = send(signed, job, values, alice, sign(alice, signed.contract(job).address, signed.kind, values), mallory)
    events = done.events[signed.event]
    assert (done.sender, len(events)) == (mallory, 1)
    assert alice in events[0].values() and mallory not in events[0].values(), "the event names who signed"


@each_type
def test_signed__for_anything_else__reverts(signed, play, house, actors, alice, bob, mallory):
    """Another chain, contract, signer, form of signature, and another value of every field."""
    job = signed.stage(play)
    values, here = signed.mine(job), signed.contract(job).address
    right = sign(alice, here, signed.kind, values)
    r, s, v = right[:32], int.from_bytes(right[32:64], "big"), right[64]
    other_form = r + (typed_data.ORDER - s).to_bytes(32, "big") + bytes([55 - v])
    wrong = {
        "another chain": sign(alice, here, signed.kind, values, chain_id=1),
        "another contract": sign(alice, house.vault.address, signed.kind, values),
        "another signer": sign(bob, here, signed.kind, values),
        "another type": sign(alice, here, signed.kind.replace("(", "s(", 1), values),
        "no signature": b"",
        "a byte too many": right + b"\0",
        "zeros": bytes(65),
        "its other form": other_form,
    }
    wrong |= {
        f"another {name}": sign(alice, here, signed.kind, values | {name: value})
        for name, value in signed.changed.items()
    }
    for what, signature in wrong.items():
        with refused(signed.refusal, job.id, alice):
            send(signed, job, values, alice, signature, mallory)
            pytest.fail(f"{what} was taken")
    with refused(signed.refusal, job.id, bob):
        send(signed, job, values, bob, right, mallory)
    assert set(signed.changed) == set(signed.arguments), "every argument is signed"


@each_type
def test_signed__in_a_bundle_without_the_signature__undoes_all(signed, play, alice, mallory):
    job = signed.stage(play)
    values, contract = signed.mine(job), signed.contract(job)
    method = getattr(contract, signed.call)
    own = sign(mallory, contract.address, signed.kind, values)
    arguments = [values[name] for name in signed.arguments]
    with refused(signed.refusal, job.id, alice):
        contract.multicall([method.encode_input(*arguments, alice, own)], {"from": mallory})


@each_type
def test_signed__for_another_federation__reverts(signed, play, actors, alice, mallory):
    """The separator is worked out from the contract that is called."""
    job = signed.stage(play)
    values = signed.mine(job)
    twin = Federation.deploy({"from": actors["deployer"]})
    assert sign(alice, twin.address, signed.kind, values) != sign(alice, job.federation.address, signed.kind, values)
    if signed.contract(job) == job.federation:
        method = getattr(twin, signed.call)
        with refused("Federation_WrongSignature", job.id, alice):
            arguments = [values[name] for name in signed.arguments]
            method(*arguments, alice, sign(alice, job.federation.address, signed.kind, values), {"from": mallory})


@each_type
def test_signed__by_a_contract__is_refused(signed, play, house, alice, mallory):
    """Contract accounts send for themselves; no `isValidSignature` is asked."""
    job = signed.stage(play)
    values = signed.mine(job)
    signature = sign(alice, signed.contract(job).address, signed.kind, values)
    with refused(signed.refusal, job.id, house.admission):
        send(signed, job, values, house.admission, signature, mallory)


def enrol_values(job: Job, deadline: int, bond: int = BOND) -> Values:
    return {"job": job.id, "termsHash": job.terms_hash, "bond": bond, "data": b"", "deadline": deadline}


def enrol_for(job: Job, who: Account, by: Account, values: Values) -> Any:
    signature = sign(who, job.federation.address, typed_data.ENROL, values)
    return job.federation.enrolFor(*values.values(), who, signature, {"from": by})


def submit_for(job: Job, who: Account) -> tuple[Any, ...]:
    """The arguments of `submitFor`."""
    values = {"job": job.id, "cycle": job.cycle, "seed": job.seed, "digest": word(f"update {who}")}
    return *values.values(), who, sign(who, job.federation.address, typed_data.SUBMIT, values)


def test_enrol_for__at_the_deadline__is_taken__a_second_later_not(play, alice, bob, mallory):
    job = play()
    deadline = now() + 20
    at(deadline)
    enrol_for(job, alice, mallory, enrol_values(job, deadline))
    at(deadline + 1)
    with refused("Federation_SignatureExpired", job.id, deadline):
        enrol_for(job, bob, mallory, enrol_values(job, deadline))


def test_enrol_for__takes_the_signers_bond__and_is_taken_once(play, house, alice, mallory):
    job = play()
    values = enrol_values(job, now() + 50, 150)
    had = house.token.balanceOf(alice), house.token.balanceOf(mallory)
    enrol_for(job, alice, mallory, values)
    assert (house.token.balanceOf(alice), house.token.balanceOf(mallory)) == (had[0] - 150, had[1])
    assert job.trainer(alice) == (True, 0, 150) and house.federation.trainerAt(job.id, 0) == alice
    with refused("Federation_AlreadyEnrolled", job.id, alice):
        enrol_for(job, alice, mallory, values)


def test_submit_for__is_taken_once__and_never_in_another_cycle(play, alice, mallory):
    job = play(Phase.SUBMIT)
    arguments, cycle = submit_for(job, alice), job.cycle
    job.federation.submitFor(*arguments, {"from": mallory})
    assert job.trainer(alice)[1] == 1 and job.trainer(mallory) == (False, 0, 0)
    with refused("Federation_AlreadySubmitted", job.id, cycle, alice):
        job.federation.submitFor(*arguments, {"from": mallory})
    job.trainers.remove(alice)
    job.play_round().reach(Phase.SUBMIT)
    with refused("Federation_WrongCycle", job.id, job.cycle, cycle):
        job.federation.submitFor(*arguments, {"from": mallory})


def test_submit_for__two_in_a_bundle__count_for_their_signers(play, alice, bob, mallory):
    job = play(Phase.SUBMIT)
    calls = [job.federation.submitFor.encode_input(*submit_for(job, who)) for who in (alice, bob)]
    done = job.federation.multicall(calls, {"from": mallory})
    assert [event["trainer"] for event in done.events["UpdateSubmitted"]] == [alice, bob]
    with refused("Federation_AlreadySubmitted", job.id, job.cycle, alice):
        job.federation.multicall(calls, {"from": mallory})
    assert job.state.submitted == 2


def test_submit_for__closes_the_phase_when_all_due_have_submitted(play, mallory):
    job = play(Phase.SUBMIT)
    for who in job.trainers:
        job.federation.submitFor(*submit_for(job, who), {"from": mallory})
    assert job.phase > Phase.SUBMIT


def test_rejoin_for__makes_everybody_due(play, alice, mallory):
    job = absent_alice(play)
    values = {"job": job.id, "cycle": job.cycle}
    signature = sign(alice, job.federation.address, typed_data.REJOIN, values)
    job.federation.rejoinFor(job.id, job.cycle, alice, signature, {"from": mallory})
    assert job.state.rejoining
