"""What no accumulator binds, and one endpoint of several could invent: terms, bonds, and the time."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

import pytest
from eth_abi.abi import encode
from proxies import Proxy, giving
from test_daemon import config_of
from test_witnesses import opened, watching
from worlds import World

from hansa.protocol.errors import ChainUnavailable, HistoryMismatch
from hansa.protocol.types import Address, Digest, JobId, Phase
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.structs import JobTerms, from_tuple

OTHER = Digest(b"\x0e" * 32)
FUNCTIONS, EVENTS = artifact("Federation").functions, artifact("Federation").events
LATER = 10_000  # seconds


def asks(request: dict[str, Any], name: str) -> bool:
    data = request["params"][0].get("data", "") if request["method"] == "eth_call" else ""
    return bool(data.startswith("0x" + FUNCTIONS[name].selector.hex()))


def octets(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def with_event(node: Proxy, request: dict[str, Any], name: str, edit: Any) -> dict[str, Any]:
    """The node's logs, with every event of a name edited: its values, by name."""
    event = artifact("Federation").event(name)
    plain = [field for field in event.fields if not field.indexed]

    def told(entry: dict[str, Any]) -> dict[str, Any]:
        if entry["topics"][0] != "0x" + event.topic.hex():
            return entry
        values = edit(event.decode([octets(topic) for topic in entry["topics"]], octets(entry["data"])))
        data = encode([field.type for field in plain], [values[field.name] for field in plain])
        return {**entry, "data": "0x" + data.hex()}

    return giving([told(entry) for entry in node.forward(request)["result"]])


def with_other_model(node: Proxy) -> None:
    """The terms name another model 0, wherever they are told, under the hash that fits."""

    def edited(values: dict[str, Any]) -> dict[str, Any]:
        terms = replace(from_tuple(JobTerms, values["terms"]), model=OTHER)
        hashed = terms.hash(values["escrow"], Address(values["sponsor"]))
        return {**values, "terms": astuple(terms), "termsHash": hashed}

    def answer(request: dict[str, Any]) -> dict[str, Any] | None:
        if request["method"] == "eth_getLogs":
            return with_event(node, request, "JobPosted", edited)
        if not asks(request, "termsOf"):
            return None
        [told] = FUNCTIONS["termsOf"].decode(octets(node.forward(request)["result"]))
        terms = replace(from_tuple(JobTerms, told), model=OTHER)
        return giving("0x" + encode([FUNCTIONS["termsOf"].outputs[0].type], [astuple(terms)]).hex())

    node.answer = answer


def with_more_bond(node: Proxy) -> None:
    """Everybody has bonded twice as much."""

    def answer(request: dict[str, Any]) -> dict[str, Any] | None:
        if request["method"] == "eth_getLogs":
            return with_event(node, request, "TrainerEnrolled", lambda values: {**values, "bond": 2 * values["bond"]})
        if not asks(request, "trainerOf"):
            return None
        enrolled, counter, bond = FUNCTIONS["trainerOf"].decode(octets(node.forward(request)["result"]))
        return giving("0x" + encode(["bool", "uint32", "uint96"], [enrolled, counter, 2 * bond]).hex())

    node.answer = answer


def with_later_blocks(node: Proxy) -> None:
    """Every block came long after it did, and the job is then where it was."""

    def answer(request: dict[str, Any]) -> dict[str, Any] | None:
        if request["method"] == "eth_getBlockByNumber":
            block = node.forward(request)["result"]
            return giving(block and {**block, "timestamp": hex(int(block["timestamp"], 16) + LATER)})
        if not asks(request, "stateAt"):
            return None
        call, tag = request["params"]
        job, time = octets(call["data"])[4:36], int(call["data"][-64:], 16) - LATER
        data = FUNCTIONS["stateAt"].selector + job + time.to_bytes(32, "big")
        return node.forward({**request, "params": [{**call, "data": "0x" + data.hex()}, tag]})

    node.answer = answer


@pytest.fixture
def job(world: World) -> JobId:
    return opened(world)


def test_terms__that_one_endpoint_invents__start_no_daemon(world: World, node: Proxy, job: JobId) -> None:
    with_other_model(node)
    for rpc in ([node.url, world.anvil.url], [world.anvil.url, node.url]):
        with pytest.raises(ChainUnavailable, match="endpoints don't agree on the terms of job 1"):
            config = config_of(world, job, rpc=rpc)
            with watching(config):
                pass
    with watching(config_of(world, job, rpc=[node.url])) as daemon:
        follower = daemon.desk.follower
        follower.look()
        assert follower.federation.terms_hash(job) != world.federation.terms_hash(job)
        with pytest.raises(HistoryMismatch, match="the seed of cycle 1"):  # every seed names the terms
            follower.history()


def test_bonds__that_one_endpoint_invents__are_not_agreed_on(world: World, node: Proxy, job: JobId) -> None:
    with_more_bond(node)
    with watching(config_of(world, job, rpc=[node.url, world.anvil.url])) as daemon:
        follower = daemon.desk.follower
        follower.look()
        assert {item.bond for item in follower.history().enrolled} == {200}
        assert not follower.is_agreed() and not follower.is_settled()
        assert {item.bond for item in follower.history().enrolled} == {100}, "the other endpoint is preferred now"
        world.rpc("evm_mine")
        follower.look()
        assert not follower.is_agreed(), "they differ still"
        node.answer = lambda request: None
        world.rpc("evm_mine")
        follower.look()
        assert follower.is_agreed()
        assert any("tells other bonds" in line for line in (world.directory / "log").read_text().splitlines())


def test_time__that_one_endpoint_invents__has_not_come(world: World, node: Proxy, job: JobId) -> None:
    with watching(config_of(world, job, rpc=[node.url, world.anvil.url])) as daemon:
        follower = daemon.desk.follower
        end = follower.look().deadline
        assert follower.is_settled()
        with_later_blocks(node)
        world.rpc("evm_mine")
        assert follower.look().phase == Phase.SUBMIT and follower.head.timestamp >= end
        assert follower.is_settled(), "where the job is was agreed on before"
        assert not follower.is_past_time(end)
        assert follower.look().phase == Phase.SUBMIT and follower.head.timestamp < end, "the other one is preferred now"
        assert follower.is_past_time(follower.head.timestamp) is False, "they differ still"
        node.answer = lambda request: None
        assert follower.is_past_time(follower.head.timestamp)
