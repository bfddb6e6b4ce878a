"""What binds an audit of a real chain: code, proofs and signatures, where one of them is missing or odd; and nodes that
are asked for the block that everything rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import astuple, replace
from typing import Any

import pytest
from eth_abi.abi import decode
from eth_account import Account
from liars import Liar
from test_audit_chain import OK, Job
from test_audit_sweep import hiding, set_code
from worlds import NAMES, World

from hansa.audit.archive import write_archive
from hansa.audit.collect import collect
from hansa.audit.compare import compare_block
from hansa.audit.facts import Facts
from hansa.audit.report import Report
from hansa.audit.run import audit, audit_archive
from hansa.devnet.anvil import published_key
from hansa.protocol.errors import WrongChain
from hansa.protocol.types import Digest
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.calls import Call, approve_call
from hansa.runtime.chain.node_errors import NodeError
from hansa.runtime.transactions.signed import read_transaction

Edit = Callable[[str, Any, Any], Any]


@pytest.fixture
def job(world: World) -> Job:
    """Of one finalised round."""
    made = Job(world)
    world.enrol(made.id)
    made.round(OK)
    return made


def told_by(job: Job, edit: Edit) -> Facts:
    """The facts as a node tells them that edits its answers."""
    chain = job.world.chain
    honest, chain.rpc.endpoints = chain.rpc.endpoints, [Liar(job.world.anvil.url, edit)]
    try:
        return collect(job.world.federation, job.id)
    finally:
        chain.rpc.endpoints = honest


def unsigned(report: Report) -> dict[str, bool]:
    """What is said of acts without a signature, by account, and whether that is expected."""
    return {gap.what.split()[1]: gap.expected for gap in report.gaps if "by its signature" in gap.what}


# --- code


@pytest.mark.parametrize("name", ["Federation", "Vault", "Terms"])
def test_code__with_one_more_byte__is_found(job: Job, name: str) -> None:
    world = job.world
    facts = collect(world.federation, job.id)
    at = {"Federation": facts.federation, "Vault": facts.vault, "Terms": facts.library}[name]
    set_code(world, at, world.chain.code(at) + b"\0")
    with pytest.raises(WrongChain, match=f"is not our {name}"):
        collect(world.federation, job.id)


def test_code__that_a_node_hides__is_found_under_the_block_hash(job: Job) -> None:
    """It tells of our code, and the state has another one."""
    world = job.world
    genuine = world.chain.code(world.federation.address)
    set_code(world, world.federation.address, genuine + b"\0")
    lie = lambda method, params, told: (  # noqa: E731
        "0x" + genuine.hex() if method == "eth_getCode" and params[0] == world.federation.address else told
    )
    report = audit(told_by(job, lie), job.store)
    assert report.exit_code == 1 and "the hash of Federation's code" in str(report.wrong[0])


# --- proofs


def without_tries(method: str, params: Any, told: Any) -> Any:
    """A chain whose hashes are not those of its headers, as Cosmos EVM's."""
    if method == "eth_getBlockByNumber" and told is not None:
        return {**told, "stateRoot": "0x" + "11" * 32}
    return NodeError("eth_getProof", -32601, "no") if method == "eth_getProof" else told


def without_proofs(method: str, params: Any, told: Any) -> Any:
    return NodeError("eth_getProof", -32601, "no") if method == "eth_getProof" else told


@pytest.mark.parametrize("edit", [without_tries, without_proofs])
def test_chain__without_proofs__is_a_gap_that_binds_nothing(job: Job, edit: Edit, tmp_path: Any) -> None:
    facts = told_by(job, edit)
    assert facts.proof is None
    target = tmp_path / "job.hansa"
    write_archive(target, facts, [], job.store)
    for report in (audit(facts, job.store), audit_archive(target)[0]):
        assert report.exit_code == 3 and not report.wrong
        assert any("nothing here is bound to a block" in gap.why and not gap.expected for gap in report.gaps)
        assert report.checked["signed acts"] == 16, "posting, enrolments, updates, commitments, sheets and votes"


def test_node__that_dropped_the_state__is_asked_at_a_newer_block(job: Job) -> None:
    """go-ethereum keeps 128 of them."""
    dropped = iter([NodeError("eth_getProof", -32000, "missing trie node 1234 (path )")])
    edit = lambda method, params, told: next(dropped, told) if method == "eth_getProof" else told  # noqa: E731
    before = job.world.chain.head().number
    job.world.chain.rpc.pause = lambda seconds: None
    facts = told_by(job, edit)
    assert facts.proof is not None and facts.at.number >= before
    assert not audit(facts, job.store).wrong


# --- signatures


def test_signature__that_no_node_has__is_a_gap__expected_of_a_contract_alone(job: Job) -> None:
    world, frank = job.world, job.world.address("frank")
    report = audit(told_by(job, hiding(frank)), job.store)
    assert not report.wrong and unsigned(report) == {frank: False}
    set_code(world, frank, b"\0")
    report = audit(told_by(job, hiding(frank)), job.store)
    assert not report.wrong and unsigned(report) == {frank: True}


def test_signature__of_another_account__is_wrong(job: Job) -> None:
    """A genuine transaction, signed by another: no event is its."""
    facts = collect(job.world.federation, job.id)
    signed = list(facts.transactions)
    place = next(i for i, raw in enumerate(signed) if read_transaction(raw).signer == job.world.address("alice"))
    raw = bytearray(signed[place])
    raw[-40] ^= 1
    for changed in (signed[:place] + [bytes(raw)] + signed[place + 1 :], [*signed, signed[place]], signed[::-1]):
        assert audit(replace(facts, transactions=changed), job.store).exit_code == 1


def send(world: World, name: str, data: bytes) -> None:
    world.do(name, Call(world.federation.address, data, "a call"))


def test_calls__in_another_encoding__are_told__and_spoil_nothing(world: World) -> None:
    """Bytes after the arguments, in a call of its own and in a bundle: the contract reads over them."""
    job, functions = Job(world), artifact("Federation").functions
    world.enrol(job.id, "alice", "bob")
    world.do("carol", approve_call(world.deployment.token, world.deployment.vault, 100))
    enrol = functions["enrol"].encode(job.id, world.federation.terms_hash(job.id), 100, b"")
    send(world, "carol", enrol + bytes(32))
    world.do("sponsor", world.federation.open_call(job.id))
    state, carol = world.federation.state(job.id), world.address("carol")
    submit = functions["submit"].encode(job.id, state.cycle, state.sheets, b"\3" * 32) + b"\1"
    send(world, "carol", functions["multicall"].encode([submit]))
    world.submit(job.id, "alice", "bob")
    job.score(OK)
    job.decide()
    report = audit(collect(world.federation, job.id), job.store)
    assert not report.wrong and unsigned(report) == {carol: True}
    assert any("only encoding" in gap.why for gap in report.gaps)


def test_calls__in_bundles__are_taken_apart(world: World) -> None:
    """Two jobs at once, one of them another's; a vote with the finalize that follows it; two posts in one."""
    functions, terms = artifact("Federation").functions, world.terms
    first, second = Job(world), Job(world)
    world.do("alice", approve_call(world.deployment.token, world.deployment.vault, 200))
    both = [functions["enrol"].encode(j.id, world.federation.terms_hash(j.id), 100, b"") for j in (first, second)]
    send(world, "alice", functions["multicall"].encode(both))
    for job in (first, second):
        world.enrol(job.id, "bob", "carol")
        job.round(OK)
        report = job.audit()
        assert not report.wrong and not unsigned(report) and report.checked["signed acts"] == 16
    world.do("sponsor", approve_call(world.deployment.token, world.deployment.vault, 45_000))
    posts = [functions["post"].encode(astuple(terms), 15_000)] * 2
    nested = functions["multicall"].encode([functions["multicall"].encode(posts)])
    send(world, "sponsor", nested)
    for number in (3, 4):
        report = audit(collect(world.federation, number), first.store)  # type: ignore[arg-type]
        assert not report.wrong and not unsigned(report) and report.checked["signed acts"] == 1


# --- calls that others sent


def relay(world: World, by: str, *calls: tuple[str, Call]) -> None:
    """Somebody sends what these signed, in one bundle."""
    data = [world.signed(name, call).data for name, call in calls]
    send(world, by, artifact("Federation").functions["multicall"].encode(data))


def submit_of(world: World, job: Job, number: int) -> Call:
    state = world.federation.state(job.id)
    return world.federation.submit_call(job.id, state.cycle, state.sheets, Digest(bytes([number]) * 32))


@pytest.fixture
def relayed(world: World) -> Job:
    """Of one finalised round, in which dave sent what alice and bob signed; carol sent for herself."""
    job, names = Job(world), ("alice", "bob", "carol")
    for name in names:
        world.do(name, approve_call(world.deployment.token, world.deployment.vault, 100))
        enrol = world.federation.enrol_call(job.id, world.federation.terms_hash(job.id), 100, b"")
        world.do("carol" if name == "carol" else "dave", enrol if name == "carol" else world.signed(name, enrol))
    world.do("sponsor", world.federation.open_call(job.id))
    relay(world, "dave", ("alice", submit_of(world, job, 1)), ("bob", submit_of(world, job, 2)))
    world.do("carol", submit_of(world, job, 3))
    job.score(OK)
    job.decide()
    return job


def test_relayed__is_signed_by_who_signed_it(relayed: Job) -> None:
    report = relayed.audit()
    assert not report.wrong and not unsigned(report) and report.checked["signed acts"] == 16


def test_relayed__archive__holds_it_all(relayed: Job, tmp_path: Any) -> None:
    target = tmp_path / "job.hansa"
    write_archive(target, collect(relayed.world.federation, relayed.id), [], relayed.store)
    report = audit_archive(target)[0]
    assert not report.wrong and not unsigned(report) and report.checked["signed acts"] == 16


def sent_again(world: World, data: bytes, nonce: int) -> bytes:
    """A transaction of dave's that was never sent."""
    fields = {"chainId": 31337, "nonce": nonce, "gas": 10**6, "gasPrice": 10**9, "to": world.federation.address}
    key = Account.from_key(published_key(NAMES.index("dave")))
    return bytes(key.sign_transaction({**fields, "value": 0, "data": data}).raw_transaction)


def test_relayed__with_a_forged_signature__is_wrong(relayed: Job) -> None:
    """Whoever forges a bundle signs it himself: what stands in it must be the trainers' own."""
    world, functions = relayed.world, artifact("Federation").functions
    facts = collect(world.federation, relayed.id)
    signed = list(facts.transactions)
    [place] = [i for i, raw in enumerate(signed) if read_transaction(raw).data[:4] == functions["multicall"].selector]
    ours = [bytes(part) for part in decode(["bytes[]"], read_transaction(signed[place]).data[4:])[0]]
    values = functions["submitFor"].read(ours[0][4:])
    of_bob = functions["submitFor"].read(ours[1][4:])
    forged = {
        "another's signature": [functions["submitFor"].encode(*values[:-1], of_bob[-1]), ours[1]],
        "another's name": [functions["submitFor"].encode(*values[:4], of_bob[4], values[5]), ours[1]],
        "another digest": [functions["submitFor"].encode(*values[:3], b"\7" * 32, *values[4:]), ours[1]],
        "no signature": [functions["submitFor"].encode(*values[:-1], b""), ours[1]],
        "twice in one bundle": [ours[0], *ours],
        "twice, the second within another": [*ours, functions["multicall"].encode([ours[0]])],
        "the other way round": ours[::-1],
        "a plain call for another": [functions["submit"].encode(*values[:4]), ours[1]],
        "one left out": ours[:1],
    }
    for what, calls in forged.items():
        raw = sent_again(world, functions["multicall"].encode(calls), 77)
        report = audit(replace(facts, transactions=[*signed[:place], raw, *signed[place + 1 :]]), relayed.store)
        assert report.exit_code != 0, what
        assert report.wrong or what == "one left out", what
    nested = functions["multicall"].encode([functions["multicall"].encode(ours[:1]), ours[1]])
    changed = [*signed[:place], sent_again(world, nested, 77), *signed[place + 1 :]]
    assert not audit(replace(facts, transactions=changed), relayed.store).wrong, "another way to say the same"
    twice = [*signed[: place + 1], sent_again(world, ours[0], 78), *signed[place + 1 :]]
    assert audit(replace(facts, transactions=twice), relayed.store).wrong


def test_relayed__in_another_encoding__is_still_the_signers(world: World) -> None:
    """Whoever sends it writes it as it likes; what was signed is in it all the same."""
    job, functions = Job(world), artifact("Federation").functions
    world.enrol(job.id, "alice", "bob", "carol")
    world.do("sponsor", world.federation.open_call(job.id))
    alice, bob = (world.signed(name, submit_of(world, job, n)).data for n, name in ((1, "alice"), (2, "bob")))
    send(world, "dave", alice + b"\1")
    count = functions["jobCount"].encode() + b"\1"
    send(world, "dave", functions["multicall"].encode([count, bob + bytes(31)]) + bytes(32))
    world.do("carol", submit_of(world, job, 3))
    job.score(OK)
    job.decide()
    report = job.audit()
    assert not report.wrong and not unsigned(report) and report.checked["signed acts"] == 16


# --- the block


@pytest.fixture
def facts(world_once: tuple[World, Any]) -> Iterator[Facts]:
    yield collect(world_once[0].federation, world_once[1])


def test_compare__asks_every_node_for_the_hash(world_once: tuple[World, Any], facts: Facts) -> None:
    url = world_once[0].anvil.url
    report = Report()
    compare_block(facts, [url, url], report)
    assert report.exit_code == 0 and report.checked["endpoints that have this very block"] == 2
    other = replace(facts, at=replace(facts.at, hash=b"\1" * 32))
    compare_block(other, [url], report)
    assert report.exit_code == 1 and "another block" in str(report.wrong[0])


def test_compare__another_chain__or_none(world_once: tuple[World, Any], facts: Facts) -> None:
    report = Report()
    compare_block(replace(facts, chain_id=1), [world_once[0].anvil.url], report)
    assert report.exit_code == 1 and "expected 1, found 31337" in str(report.wrong[0])
    report = Report()
    compare_block(facts, ["http://user:secret@127.0.0.1:9/v3/KEY"], report)
    assert report.exit_code == 3 and "secret" not in str(report.data()) and "KEY" not in str(report.data())
