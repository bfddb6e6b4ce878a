"""One lying endpoint and no other: what it invents holds together, and the contract still takes none of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from eth_abi.abi import encode
from proxies import Proxy, giving, proxy
from test_daemon import config_of
from test_witnesses import opened, watching
from worlds import MEMBERS, World

from client.committee_keys import CommitteeKeys
from hansa.protocol.envelope import public_key
from hansa.protocol.hashes import NO_HASH, draw, make_cycle, updates_start
from hansa.protocol.links import link
from hansa.protocol.links import opened as opening
from hansa.protocol.types import Digest, JobId
from hansa.runtime.chain.abi import artifact
from hansa.runtime.history.records import CycleRecord
from hansa.runtime.transactions.outcome import Refused

STRANGER = public_key(b"\x5e" * 32)
EVENT, STATE = artifact("Federation").event("CycleOpened"), artifact("Federation").functions["stateAt"]


class Forger:
    """A node of its own making: the committee's keys are a stranger's, and seed, cycle and state follow from that."""

    def __init__(self, node: Proxy, world: World, job: JobId) -> None:
        self._node = node
        self._world = world
        self._job = job
        self.estimates = False  # whether it says that a call would succeed
        state = world.federation.state(job)
        (log,) = (entry for entry in self._logs() if entry["topics"][0] == "0x" + EVENT.topic.hex())
        values = EVENT.decode([bytes.fromhex(topic[2:]) for topic in log["topics"]], bytes.fromhex(log["data"][2:]))
        values["keys"] = [STRANGER] * len(values["keys"])
        drawn = draw(world.chain.chain_id, world.federation.address, job, NO_HASH, 0, values["randomness"])
        self.seed = values["seed"] = link(
            world.federation.terms_hash(job), opening(drawn, values["committee"], values["keys"])
        )
        self.cycle = make_cycle(self.seed, 1, everybody=True)
        plain = [field for field in EVENT.fields if not field.indexed]
        data = encode([field.type for field in plain], [values[field.name] for field in plain])
        topics = [*log["topics"][:2], "0x" + self.cycle.to_bytes(32, "big").hex()]
        self._forged = {**log, "topics": topics, "data": "0x" + data.hex()}
        self._true_cycle = state.cycle
        node.answer = self.answer

    def _logs(self) -> list[dict[str, Any]]:
        asked = {"address": self._world.federation.address, "fromBlock": "0x0", "toBlock": "latest"}
        found: list[dict[str, Any]] = self._world.rpc("eth_getLogs", asked)
        return found

    def answer(self, request: dict[str, Any]) -> dict[str, Any] | None:
        match request["method"]:
            case "eth_getLogs":
                return giving([self._told(entry) for entry in self._node.forward(request)["result"]])
            case "eth_call" if request["params"][0]["data"].startswith("0x" + STATE.selector.hex()):
                return giving(self._state(self._node.forward(request)["result"]))
            case "eth_estimateGas" if self.estimates:
                return giving(hex(500_000))
        return None

    def _told(self, entry: dict[str, Any]) -> dict[str, Any]:
        return self._forged if entry["topics"][0] == self._forged["topics"][0] else entry

    def _state(self, answer: str) -> str:
        [state] = STATE.decode(bytes.fromhex(answer[2:]))
        names = [part["name"] for part in _components()]
        told = dict(zip(names, state, strict=True))
        if told["cycle"]:
            told |= {"cycle": self.cycle, "sheets": self.seed, "history": self.seed}
            told["updates"] = updates_start(self.seed)
        return "0x" + encode([STATE.outputs[0].type], [tuple(told.values())]).hex()


def _components() -> list[dict[str, Any]]:
    from importlib.resources import files

    abi = json.loads((files("hansa.runtime.chain") / "artifacts" / "Federation.json").read_text())["abi"]
    (state,) = (entry for entry in abi if entry.get("name") == "stateAt")
    found: list[dict[str, Any]] = state["outputs"][0]["components"]
    return found


@pytest.fixture
def forged(world: World) -> Iterator[tuple[World, JobId, Proxy, Forger]]:
    job = opened(world)
    with proxy(world.anvil.url) as node:
        yield world, job, node, Forger(node, world, job)


def believed(daemon: Any) -> CycleRecord:
    daemon.desk.follower.look()
    found: CycleRecord = daemon.desk.follower.cycle()
    return found


@pytest.mark.parametrize("estimates", [False, True], ids=["the node simulates", "the node says that all succeeds"])
def test_update_for_invented_keys__is_not_taken_by_the_contract(
    forged: tuple[World, JobId, Proxy, Forger], estimates: bool
) -> None:
    world, job, node, forger = forged
    forger.estimates = estimates
    with watching(config_of(world, job, rpc=[node.url])) as daemon:
        cycle = believed(daemon)
        assert cycle.keys == (STRANGER,) * len(MEMBERS) and cycle.seed == forger.seed, "it holds together"
        call = daemon.desk.follower.federation.submit_call(job, cycle.cycle, cycle.seed, Digest(b"\x07" * 32))
        sent = daemon.desk.send(call, "submit", cycle.seed)
        assert isinstance(sent, Refused) and sent.simulated is not estimates
        assert sent.error.name in ("Federation_WrongCycle", "Federation_WrongSeed")
    assert world.federation.state(job).submitted == 0
    assert (world.directory / "log").read_text().count("one endpoint is trusted") == 1


def test_ground_cycle_id__does_not_help__the_seed_is_named_too(forged: tuple[World, JobId, Proxy, Forger]) -> None:
    """40 bits of a cycle's id can be ground: the call names the true one here."""
    world, job, node, forger = forged
    with watching(config_of(world, job, rpc=[node.url])) as daemon:
        true_cycle = world.federation.state(job).cycle
        call = daemon.desk.follower.federation.submit_call(job, true_cycle, forger.seed, Digest(b"\x07" * 32))
        sent = daemon.desk.send(call, "submit", forger.seed)
        assert isinstance(sent, Refused) and sent.error.name == "Federation_WrongSeed"


def test_pinned_keys__nothing_is_sealed_to_a_stranger(forged: tuple[World, JobId, Proxy, Forger]) -> None:
    world, job, node, _ = forged
    pinned = {world.address(name): public_key(bytes([number]) * 32) for number, name in enumerate(MEMBERS, 1)}
    with watching(config_of(world, job, rpc=[node.url])) as daemon:
        daemon.desk.follower.context = SimpleNamespace(
            terms=world.federation.terms(job), spec=SimpleNamespace(privacy="committee")
        )
        cycle = believed(daemon)
        assert CommitteeKeys(daemon.desk).accept(cycle), "without pins it can't be told"
        assert not CommitteeKeys(daemon.desk, pinned).accept(cycle)


def test_honest_endpoint_beside_it__is_believed(forged: tuple[World, JobId, Proxy, Forger]) -> None:
    world, job, node, forger = forged
    for rpc in ([node.url, world.anvil.url], [world.anvil.url, node.url]):
        with watching(config_of(world, job, rpc=rpc)) as daemon:
            daemon.desk.follower.look()
            assert not daemon.desk.follower.is_agreed(), "nothing is sealed while they differ"
