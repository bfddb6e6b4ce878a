"""What daemons wait for before they do what can't be taken back, and how they outlive reorganisations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import encode
from proxies import Proxy, failing, giving
from test_daemon import config_of, logged
from worlds import MEMBERS, World

from aggregator.validator import Validator
from hansa.protocol import envelope
from hansa.protocol.errors import HistoryMismatch, TransientError
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import JobId, Phase
from hansa.runtime import daemon as daemon_module
from hansa.runtime import keystore
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.federation import JobState
from hansa.runtime.daemon import Daemon
from hansa.runtime.desk import DaemonConfig
from hansa.runtime.store import open_store
from hansa.runtime.transactions.gas_price import FeeCaps, TooDear

SPEC = JobSpec(task="heart", steps=1, model_bytes=100_000, update_bytes=100_000, rule="mean")
STRANGER = b"\x5e" * 32


class Watcher(Daemon):
    """Does nothing."""

    def act(self, state: JobState) -> bool:
        return False


@contextmanager
def watching(config: DaemonConfig) -> Iterator[Daemon]:
    daemon = Watcher(config)
    try:
        yield daemon
    finally:
        daemon.close()


def with_logs(node: Proxy, edit: Callable[[list[Any]], list[Any]]) -> None:
    """The node edits the logs that it is asked for."""

    def answer(request: dict[str, Any]) -> dict[str, Any] | None:
        if request["method"] != "eth_getLogs":
            return None
        return giving(edit(node.forward(request)["result"]))

    node.answer = answer


def with_keys(entries: list[Any], edit: Callable[[list[bytes]], list[bytes]]) -> list[Any]:
    """Every opening with other keys than the contract fixed."""
    event = artifact("Federation").event("CycleOpened")
    plain = [field for field in event.fields if not field.indexed]

    def edited(entry: dict[str, Any]) -> dict[str, Any]:
        if entry["topics"][0] != "0x" + event.topic.hex():
            return entry
        topics, data = [bytes.fromhex(topic[2:]) for topic in entry["topics"]], bytes.fromhex(entry["data"][2:])
        values = event.decode(topics, data)
        values["keys"] = edit(list(values["keys"]))
        return {**entry, "data": "0x" + encode([f.type for f in plain], [values[f.name] for f in plain]).hex()}

    return [edited(entry) for entry in entries]


def replaced(entries: list[Any]) -> list[Any]:
    """The first member's key is a stranger's."""
    return with_keys(entries, lambda keys: [STRANGER, *keys[1:]])


def omitted(entries: list[Any]) -> list[Any]:
    return with_keys(entries, lambda keys: [bytes(32) for _ in keys])


def opened(world: World) -> JobId:
    """A job in its first cycle; each member has announced its own number as its key."""
    job = world.post()
    world.enrol(job)
    for number, name in enumerate(MEMBERS, 1):
        world.do(name, world.federation.announce_key_call(bytes([number]) * 32))
    world.do("sponsor", world.federation.open_call(job))
    return job


@pytest.mark.parametrize("edit", [replaced, omitted])
@pytest.mark.parametrize("first", [True, False])
def test_keys__that_one_endpoint_changes_or_drops__are_not_sealed_to(
    world: World, node: Proxy, edit: Callable[[list[Any]], list[Any]], first: bool
) -> None:
    job = opened(world)
    names = {world.address(name): bytes([number]) * 32 for number, name in enumerate(MEMBERS, 1)}
    expected = tuple(names[member] for member in world.federation.state(job).committee)
    with_logs(node, edit)
    rpc = [node.url, world.anvil.url]
    with watching(config_of(world, job, rpc=rpc if first else rpc[::-1])) as daemon:
        follower = daemon.desk.follower
        follower.look()
        assert follower.cycle().keys == expected
    with watching(config_of(world, job, rpc=[node.url])) as daemon:
        daemon.desk.follower.look()
        with pytest.raises(HistoryMismatch, match="the seed of cycle 1 is not that of"):
            daemon.desk.follower.cycle()


@pytest.mark.parametrize("first", [True, False])
def test_state__that_one_endpoint_invents__is_not_agreed_on__until_it_tells_the_truth(
    world: World, node: Proxy, first: bool
) -> None:
    job = opened(world)
    before = world.chain.head().number - 1

    def earlier(request: dict[str, Any]) -> dict[str, Any] | None:
        """The job as it was before the cycle was opened."""
        if request["method"] != "eth_call":
            return None
        return node.forward({**request, "params": [request["params"][0], hex(before)]})

    rpc = [node.url, world.anvil.url]
    with watching(config_of(world, job, rpc=rpc if first else rpc[::-1])) as daemon:
        follower = daemon.desk.follower
        follower.look()
        assert follower.is_agreed()
        node.answer = earlier
        world.submit(job, "alice")
        follower.look()
        assert not follower.is_agreed() and not follower.is_settled()
        assert "endpoints don't agree" in logged(world)
        node.answer = lambda request: None
        world.submit(job, "bob")
        follower.look()
        assert follower.is_agreed() and follower.is_settled()


def test_an_endpoint_that_is_behind__is_asked_of_the_same_block_again(world: World, node: Proxy) -> None:
    job = opened(world)
    lag = 1

    def behind(request: dict[str, Any]) -> dict[str, Any] | None:
        """Everything that the node says is of the block before its head."""
        head = int(node.forward({**request, "method": "eth_blockNumber", "params": []})["result"], 16) - lag
        params = request["params"]
        known = [place for place in params if isinstance(place, str) and place[:2] == "0x" and len(place) < 20]
        if any(int(place, 16) > head for place in known):
            return giving(None) if request["method"] == "eth_getBlockByNumber" else {"error": {"code": -32001}}
        if "latest" in params:
            return node.forward({**request, "params": [hex(head) if one == "latest" else one for one in params]})
        return None

    world.rpc("evm_setAutomine", True)
    node.answer = behind
    with watching(config_of(world, job, rpc=[world.anvil.url, node.url])) as daemon:
        follower = daemon.desk.follower
        follower.look()
        assert not follower.is_agreed()
        world.rpc("evm_mine")
        follower.look()
        assert follower.is_agreed(), "the block that was asked about has come, though not the newest one"


@pytest.mark.parametrize("lie", [{"enrolled": 0}, {"counter": 1}], ids=["not enrolled", "submitted already"])
def test_enrolment__that_one_endpoint_invents__is_not_agreed_on(world: World, node: Proxy, lie: dict[str, int]) -> None:
    job = opened(world)
    asked = artifact("Federation").functions["trainerOf"].selector.hex()

    def lies(request: dict[str, Any]) -> dict[str, Any] | None:
        if request["method"] != "eth_call" or not request["params"][0]["data"].startswith("0x" + asked):
            return None
        told = {"enrolled": 1, "counter": 0, "bond": 100, **lie}
        return giving("0x" + "".join(word.to_bytes(32, "big").hex() for word in told.values()))

    with watching(config_of(world, job, rpc=[node.url, world.anvil.url])) as daemon:
        follower = daemon.desk.follower
        follower.trainer = daemon.desk.me
        node.answer = lies
        follower.look()
        assert follower.own != (True, 0, 100) and not follower.is_agreed()
        world.rpc("evm_mine")
        follower.look()
        assert follower.own == (True, 0, 100), "the other endpoint is preferred now"
        assert not follower.is_agreed()
        node.answer = lambda request: None
        world.rpc("evm_mine")
        follower.look()
        assert follower.is_agreed()


def test_start__an_endpoint_that_does_not_have_the_contracts__is_told_of(world: World, node: Proxy) -> None:
    job = world.post()
    node.answer = lambda request: giving("0x") if request["method"] in ("eth_call", "eth_getCode") else None
    with watching(config_of(world, job, rpc=[world.anvil.url, node.url])):
        first = json.loads((world.directory / "log").read_text().splitlines()[0])
    assert first["event"] == "endpoints don't agree"
    assert f"{world.anvil.url} (1) agrees, {node.url} (2) differs" in first["said"]


def test_underpriced__is_told_in_the_daemons_own_log(
    world: World, node: Proxy, capsys: pytest.CaptureFixture[str]
) -> None:
    job = world.post()
    refusals = iter(["transaction underpriced: minimum needed 3000000000"])

    def refuses_once(request: dict[str, Any]) -> dict[str, Any] | None:
        reason = next(refusals, None) if request["method"] == "eth_sendRawTransaction" else None
        return None if reason is None else failing(-32000, reason)

    node.answer = refuses_once
    with watching(config_of(world, job, rpc=[node.url])) as daemon:
        daemon.desk.follower.look()
        daemon.desk.send(world.federation.announce_key_call(bytes(32)), "announce")
    assert "underpriced" in logged(world) and not capsys.readouterr().err


def test_one_endpoint__the_log_says_at_the_start_what_is_trusted_to_it(world: World) -> None:
    job = world.post()
    with watching(config_of(world, job)):
        first = json.loads((world.directory / "log").read_text().splitlines()[0])
    assert first["event"] == "one endpoint is trusted"
    assert f"{world.anvil.url} is the only RPC endpoint: what it says of blocks" in first["said"]


def test_caps__of_a_daemon__bind_what_it_sends(world: World) -> None:
    job = world.post()
    with watching(replace(config_of(world, job), caps=FeeCaps(fee=1))) as daemon:
        daemon.desk.follower.look()
        with pytest.raises(TooDear, match="raise --max-fee-gwei"):
            daemon.desk.send(world.federation.announce_key_call(bytes(32)), "announce")


# --- reorganisations


def test_key_announcement__lost_in_a_reorganisation__is_made_again(world: World) -> None:
    job = world.post(spec=open_store(world.deployment.store).put(SPEC.encode()))
    world.rpc("anvil_mine", "0x8")
    config = config_of(world, job, "erin")
    key = envelope.public_key(keystore.encryption_secret(config.account))
    validator = Validator(config)
    try:

        def run_until_announced() -> None:
            for _ in range(20):
                validator.once()
                if world.federation.announced_key(validator.desk.me) == key:
                    break
            else:
                raise AssertionError("it is not announced")
            validator.once()

        run_until_announced()
        world.rpc("anvil_reorg", 5, [])
        assert world.federation.announced_key(validator.desk.me) is None
        run_until_announced()
    finally:
        validator.close()


def test_posting__lost_in_a_reorganisation__ends_no_daemon(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon_module, "FIRST_BACKOFF", 0.05)
    job = world.post()

    class Patient(Daemon):
        """Sees the job, sees it gone, and has done its part once it is back."""

        acts, failures = 0, 0

        def act(self, state: JobState) -> bool:
            self.acts += 1
            if self.acts == 1:
                world.rpc("anvil_reorg", 5, [])
                assert world.federation.job_count() == 0
            return self.acts == 2

        def note_failure(self, error: TransientError, failures: int) -> float:
            self.failures += 1
            if self.failures == 3:
                world.senders["sponsor"].tend()
            return super().note_failure(error, failures)

    daemon = Patient(config_of(world, job))
    daemon.run()
    assert daemon.acts == 2 and daemon.failures >= 3
    assert world.federation.state(job).phase == Phase.ENROL
