"""State under a block's hash, and transactions as they were sent, from each kind of node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from eth_utils.hexadecimal import decode_hex
from liars import Liar
from local_chain import furnished, started
from test_other_nodes import ganache, geth
from worlds import World

from hansa.audit.proof.export import Wanted, export_state
from hansa.audit.proof.state import NO_CODE, State
from hansa.audit.proof.trie import BadProof
from hansa.audit.report import Wrong
from hansa.devnet.anvil import Anvil
from hansa.protocol.types import Address, JobId
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.bytecode import check_genuine, filled, runtime_code
from hansa.runtime.chain.layout import storage_layout
from hansa.runtime.chain.rpc import NodeError
from hansa.runtime.chain.structs import address
from hansa.runtime.transactions.asked import read_calls
from hansa.runtime.transactions.fetched import fetch_transactions
from hansa.runtime.transactions.signed import read_transaction

FEDERATION, VAULT = storage_layout("Federation"), storage_layout("Vault")
NODES = {"anvil": started, "ganache": ganache, "geth": geth}
STRANGER = Address("0x000000000000000000000000000000000000dEaD")


@dataclass(frozen=True)
class Played:
    """A job of one finalised round, that goes on."""

    world: World
    job: JobId

    @property
    def places(self) -> dict[str, list[tuple[Any, ...]]]:
        """Places in storage of each contract, those that hold nothing too."""
        job, members = self.job, self.world.federation.state(self.job).committee
        trainers = [self.world.address(name) for name in ("alice", "bob", "carol")]
        return {
            "Federation": [
                ("jobCount",),
                ("_jobs", job),
                ("_terms", job),
                *(("_jobs", job, "seats", seat) for seat in range(len(members))),
                *(("_jobs", job, "trainers", account) for account in (*trainers, STRANGER)),
                ("_jobs", job + 1),
            ],
            "Vault": [
                ("_accounts", job),
                ("_pools", job, 1),
                ("_pools", job, 2),
                *(("_fees", job, member) for member in members),
                *(("_tabs", job, account, 0) for account in (*trainers, STRANGER)),
            ],
        }

    def at(self, contract: str) -> Address:
        return self.world.federation.address if contract == "Federation" else self.world.federation.vault

    @property
    def wanted(self) -> Wanted:
        """Every slot of these places, and accounts alone."""
        found: dict[Address, list[int]] = {self.world.deployment.token: [], STRANGER: []}
        for contract, places in self.places.items():
            slots = {leaf.slot for place in places for leaf in storage_layout(contract).leaves(*place)}
            found[self.at(contract)] = sorted(slots)
        return found


@pytest.fixture(scope="module", params=list(NODES))
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    path = tmp_path_factory.mktemp(request.param)
    start: Callable[[Path], AbstractContextManager[Anvil]] = NODES[request.param]
    with start(path) as node, furnished(node, path) as world:
        job = world.post()
        world.enrol(job)
        world.round(job)
        world.do("sponsor", world.federation.open_call(job))
        world.submit(job, "alice")
        yield Played(world, job)


@pytest.fixture(scope="module")
def on_anvil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    path = tmp_path_factory.mktemp("anvil alone")
    with started(path) as node, furnished(node, path) as world:
        job = world.post()
        world.enrol(job)
        yield Played(world, job)


def stored(played: Played, account: Address, slot: int, block: int) -> int:
    word = played.world.rpc("eth_getStorageAt", account, f"0x{slot:064x}", hex(block))
    return int.from_bytes(decode_hex(word), "big")  # Ganache: "0x" for nothing


def test_state__is_what_the_node_holds(played: Played) -> None:
    found = export_state(played.world.chain, lambda at: played.wanted)
    assert found.proof is not None, found.why
    state = State.of(found.proof)
    assert state.block == found.at
    for account, slots in played.wanted.items():
        for slot in slots:
            assert state.word(account, slot) == stored(played, account, slot, found.at.number)
    assert state.code_hash(STRANGER) == NO_CODE != state.code_hash(played.world.deployment.token)
    state.check_used()


def test_layout__packs_and_unpacks_the_words_of_a_real_job(played: Played) -> None:
    world, job, head = played.world, played.job, played.world.chain.head()
    state, terms, books = world.federation.state(job), world.federation.terms(job), world.federation.books(job)
    for contract, places in played.places.items():
        layout = storage_layout(contract)
        for place in places:
            slots = {leaf.slot for leaf in layout.leaves(*place)}
            words = {slot: stored(played, played.at(contract), slot, head.number) for slot in slots}
            packed = layout.pack(layout.unpack(words, *place), *place)
            assert {slot: (word, 2**256 - 1) for slot, word in words.items()} == packed, place

    def read(contract: str, *place: Any) -> Any:
        layout = storage_layout(contract)
        slots = {leaf.slot for leaf in layout.leaves(*place)}
        words = {slot: stored(played, played.at(contract), slot, head.number) for slot in slots}
        return layout.unpack(words, *place)

    held = read("Federation", "_jobs", job)
    assert (held["round"], held["enrolled"], held["sponsor"]) == (2, 3, state.sponsor)
    assert held["attempt"]["cycle"] == state.cycle and held["attempt"]["submitted"] == 1
    assert (held["bestMetric"], held["sheets"], held["underway"]) == (state.best_metric, state.sheets, True)
    assert read("Federation", "_jobs", job, "seats", 1)["member"] == state.committee[1]
    assert read("Federation", "_jobs", job, "trainers", world.address("alice"))["counter"] == 2
    assert read("Federation", "_terms", job)["targetMetric"] == terms.target_metric
    assert read("Vault", "_accounts", job)["left"] == books.left
    assert read("Vault", "_pools", job, 1) == {"root": 0, "unpaid": 1000}
    assert read("Vault", "_tabs", job, world.address("bob"), 0) == {"claimed": 0, "bond": 100}
    assert read("Vault", "_fees", job, state.committee[0]) == 0


def test_state__another_value__is_named(played: Played) -> None:
    job = played.job
    found = export_state(played.world.chain, lambda at: played.wanted)
    assert found.proof is not None
    state, vault = State.of(found.proof), played.world.federation.vault
    assert state.require(vault, VAULT, {"root": 0, "unpaid": 1000}, "_pools", job, 1) == 1
    assert state.require(vault, VAULT, {"root": 0, "unpaid": 0}, "_pools", job, 2) == 1
    with pytest.raises(Wrong, match=rf"Vault's _pools\[{job}\]\[1\].unpaid: expected 999, found 1000"):
        state.require(vault, VAULT, {"root": 0, "unpaid": 999}, "_pools", job, 1)


def test_code__has_the_hash_that_is_worked_out(played: Played) -> None:
    world = played.world
    federation, vault = (bytes.fromhex(a[2:]) for a in (world.federation.address, world.federation.vault))
    library = check_genuine(world.chain, world.federation.address, world.federation.vault)
    own = {"library_deploy_address": bytes.fromhex(library[2:])}
    codes = {
        world.federation.address: runtime_code("Federation", {"vault": vault, "Terms": own["library_deploy_address"]}),
        world.federation.vault: runtime_code("Vault", {"_federation": federation}),
        library: runtime_code("Terms", own),
    }
    for account, code in codes.items():
        assert world.chain.code(account) == code
    inside = filled("Federation", codes[world.federation.address])
    assert inside == {"vault": vault, "Terms": own["library_deploy_address"]}


def test_proof__without_one_of_its_nodes__proves_nothing(played: Played) -> None:
    found = export_state(played.world.chain, lambda at: played.wanted)
    assert found.proof is not None
    nodes = found.proof.nodes
    for place in range(len(nodes)):
        state = State.of(replace(found.proof, nodes=nodes[:place] + nodes[place + 1 :]))
        with pytest.raises(BadProof, match="is missing"):
            for account, slots in played.wanted.items():
                state.account(account)
                for slot in slots:
                    state.word(account, slot)


# --- transactions


def test_transactions__say_who_signed_what(played: Played) -> None:
    world = played.world
    event = artifact("Federation").event("UpdateSubmitted")
    span = {"address": world.federation.address, "topics": ["0x" + event.topic.hex()], "fromBlock": "0x0"}
    submits = world.rpc("eth_getLogs", span)
    assert len(submits) == 4
    found = fetch_transactions(world.chain, [decode_hex(entry["transactionHash"]) for entry in submits])
    for entry in submits:
        sent = read_transaction(found[decode_hex(entry["transactionHash"])])
        said = event.decode([decode_hex(topic) for topic in entry["topics"]], decode_hex(entry["data"]))
        assert sent.signer == address(said["trainer"]) and sent.to == world.federation.address
        assert sent.chain_id == world.chain.chain_id
        [call] = read_calls(artifact("Federation"), sent.data)
        assert call.name == "submit"
        seeds = {cycle.cycle: cycle.seed for cycle in world.history(played.job).cycles}
        expected = {name: said[name] for name in ("job", "cycle", "digest")}
        assert call.arguments == {**expected, "seed": seeds[said["cycle"]]}
    assert fetch_transactions(world.chain, [b"\1" * 32]) == {}


# --- nodes that can't, or lie


def answering(method: str, answer: Callable[[Any, int], Any]) -> Callable[[str, Any, Any], Any]:
    """Edits what a node says to one method; the second argument counts."""
    times = iter(range(10**6))
    return lambda asked, params, told: answer(told, next(times)) if asked == method else told


def with_liar(played: Played, edit: Callable[[str, Any, Any], Any], honest: bool = False) -> Any:
    chain = played.world.chain
    before, chain.rpc.endpoints = chain.rpc.endpoints, [Liar(played.world.anvil.url, edit)]
    if honest:
        chain.rpc.endpoints += before
    chain.rpc._first = 0
    try:
        return export_state(chain, lambda at: played.wanted)
    finally:
        chain.rpc.endpoints = before
        chain.rpc._first = 0


def swapped(told: Any, times: int) -> Any:
    last = told["accountProof"][-1]
    return {**told, "accountProof": [*told["accountProof"][:-1], last[:-2] + ("00" if last[-2:] != "00" else "01")]}


def test_node__that_dropped_the_state__is_asked_for_a_newer_one(on_anvil: Played) -> None:
    missing = NodeError("eth_getProof", -32000, "missing trie node 1234 (path )")
    found = with_liar(on_anvil, answering("eth_getProof", lambda told, times: missing if times < 1 else told))
    assert found.proof is not None
    State.of(found.proof)


@pytest.mark.parametrize(
    ("method", "answer", "why"),
    [
        ("eth_getProof", lambda told, times: NodeError("eth_getProof", -32601, "no"), "has no eth_getProof"),
        ("eth_getProof", swapped, "prove nothing"),
        ("eth_getProof", lambda told, times: {**told, "storageProof": []} if told["storageProof"] else told, "nothing"),
        ("eth_getProof", lambda told, times: None, "prove nothing"),
        ("eth_getBlockByNumber", lambda told, times: {**told, "stateRoot": "0x" + "11" * 32}, "not hashed"),
        ("eth_getBlockByNumber", lambda told, times: {**told, "stateRoot": None}, "not hashed"),
    ],
)
def test_node__that_proves_nothing__is_a_named_gap(on_anvil: Played, method: str, answer: Any, why: str) -> None:
    found = with_liar(on_anvil, answering(method, answer))
    assert found.proof is None and why in found.why


def test_node__that_lies__beside_an_honest_one__costs_nothing(on_anvil: Played) -> None:
    found = with_liar(on_anvil, answering("eth_getProof", swapped), honest=True)
    assert found.proof is not None
