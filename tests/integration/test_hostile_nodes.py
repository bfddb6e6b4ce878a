"""An endpoint that is slow, floods, lies about what ends things, limits or lags: before an honest one, and alone."""

from __future__ import annotations

import contextlib
import random
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from proxies import Handler, Proxy, bomb, failing, giving, over
from worlds import World

from hansa.protocol.errors import ChainUnavailable, FatalError, WrongChain
from hansa.protocol.types import JobId
from hansa.runtime.chain import client, endpoint
from hansa.runtime.chain import federation as federation_module
from hansa.runtime.chain.abi import ContractError
from hansa.runtime.chain.bytecode import require_contract
from hansa.runtime.chain.calls import approve_call, transfer_call
from hansa.runtime.chain.federation import Federation
from hansa.runtime.chain.witness import Stance
from hansa.runtime.history.reader import HistoryReader
from hansa.runtime.transactions.sender import Mined

SOON = 30.0  # seconds, generous: what would hang takes minutes


# --- slow and large


def trickled_body(handler: Handler, body: Any) -> bool:
    with contextlib.suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        trickle(handler, 1000)
    return True


def trickled_headers(handler: Handler, body: Any) -> bool:
    with contextlib.suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        trickle(handler, 1000)
    return True


def trickle(handler: Handler, count: int) -> None:
    for _ in range(count):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.1)


def silence(handler: Handler, body: Any) -> bool:
    time.sleep(20)
    return True


def packed(handler: Handler, body: Any) -> bool:
    handler.say(200, bomb(), Content_Encoding="gzip")
    return True


def flood(handler: Handler, body: Any) -> bool:
    with contextlib.suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            handler.wfile.write(bytes(1 << 16))
    return True


@pytest.mark.parametrize("how", [trickled_body, trickled_headers, silence, packed, flood])
def test_slow_or_flooding__ends__and_the_honest_second_answers(
    node_once: tuple[Proxy, World, JobId], how: Callable[[Handler, Any], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    node, world, _ = node_once
    monkeypatch.setattr(endpoint, "ANSWER_SECONDS", 1.0)
    bomb()
    node.whole = how
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert over(world, node.url, world.anvil.url).head().number > 0
    with pytest.raises(ChainUnavailable, match="no whole answer came in 1 s|sends too much"):
        over(world, node.url).head()
    assert time.monotonic() - start < SOON
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 << 10, "KiB"


# --- what would end a daemon


FATAL: dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]] = {
    "no answer of a contract": lambda request: giving("0x") if request["method"] == "eth_call" else None,
    "no code": lambda request: giving("0x") if request["method"] == "eth_getCode" else None,
    "another chain": lambda request: giving("0x7") if request["method"] == "eth_chainId" else None,
    "a revert": lambda request: (
        failing(3, "execution reverted") if request["method"] in ("eth_call", "eth_estimateGas") else None
    ),
    "no funds": lambda request: (
        failing(-32000, "insufficient funds for gas * price + value")
        if request["method"] in ("eth_estimateGas", "eth_sendRawTransaction")
        else None
    ),
    "no job": lambda request: giving("0x" + "00" * 32 * 64) if request["method"] == "eth_call" else None,
}


@pytest.mark.parametrize("what", FATAL)
def test_fatal_answer_of_one__the_other_is_asked(world: World, node: Proxy, what: str) -> None:
    node.answer = FATAL[what]
    job = world.post()
    chain = over(world, node.url, world.anvil.url)
    federation = Federation(chain, world.deployment)
    federation.check()
    assert federation.terms(job) == world.federation.terms(job)
    assert federation.state(job).sponsor == world.address("sponsor")
    assert HistoryReader(federation, job).read() == world.history(job)
    chain.rpc._first = 0
    sender = world.another("alice", chain)
    sent = sender.send(transfer_call(world.deployment.token, world.address("bob"), 1), key=("x",))
    assert isinstance(sent, Mined)


@pytest.mark.parametrize("what", ["no answer of a contract", "no code", "another chain", "a revert"])
def test_fatal_answer__of_one_alone__counts_the_third_time(world: World, node: Proxy, what: str) -> None:
    told, times = list[str](), 2

    def sometimes(request: dict[str, Any]) -> dict[str, Any] | None:
        answer = FATAL[what](request) if len(told) < times else None
        told.extend([request["method"]] if answer else [])
        return answer

    node.answer = sometimes

    def look() -> None:
        chain = over(world, node.url)
        require_contract(chain, world.deployment.federation, "federation")
        Federation(chain, world.deployment).job_count()

    look()
    told.clear()
    times = 3
    with pytest.raises(FatalError) as caught:
        look()
    assert isinstance(caught.value, WrongChain | ContractError)


def test_every_endpoint_is_another_chain__ends_at_once(world: World, node: Proxy) -> None:
    node.answer = FATAL["another chain"]
    with pytest.raises(WrongChain, match="is chain 7, not 31337"):
        over(world, node.url, node.url).head()
    assert len(node.asked) == 2


# --- lag


def lagging(node: Proxy, chance: random.Random) -> Callable[[dict[str, Any]], dict[str, Any] | None]:
    """Each request is served from the head, or from the block before it."""

    def answer(request: dict[str, Any]) -> dict[str, Any] | None:
        if chance.random() < 0.5:
            return None
        head = int(node.forward({"jsonrpc": "2.0", "id": 0, "method": "eth_blockNumber", "params": []})["result"], 16)
        method, before = request["method"], hex(head - 1)
        if method == "eth_blockNumber":
            return giving(before)
        if method == "eth_getTransactionReceipt":
            found = node.forward(request)
            return giving(None) if found["result"] and int(found["result"]["blockNumber"], 16) == head else found
        if method == "eth_getLogs":
            last = min(int(request["params"][0]["toBlock"], 16), head - 1)
            return node.forward({**request, "params": [{**request["params"][0], "toBlock": hex(last)}]})
        params = [before if part in ("latest", "pending") else part for part in request["params"]]
        if hex(head) in params:
            return giving(None) if method == "eth_getBlockByNumber" else failing(-32000, "header not found")
        return node.forward({**request, "params": params})

    return answer


@pytest.mark.parametrize("seed", range(2))
def test_a_pool_of_nodes_that_lag__is_waited_for__and_its_lag_is_no_refusal(
    world: World, node: Proxy, seed: int
) -> None:
    node.answer = lagging(node, random.Random(seed))
    chain = over(world, node.url)
    federation = Federation(chain, world.deployment)
    sender = world.another("sponsor", chain)
    allowed = approve_call(world.deployment.token, world.deployment.vault, 15_000)
    for turn in range(2):
        approved = sender.send(allowed, key=("a", turn), wait=20)
        assert isinstance(approved, Mined)
        posted = sender.send(federation.post_call(world.terms, 15_000), key=("p", turn), wait=20)
        assert isinstance(posted, Mined), posted
        job = federation.posted_in(posted.receipt)
        for _ in range(3):
            assert federation.state(job).phase
            assert HistoryReader(federation, job).read().posted


def test_a_node_that_stays_behind__is_given_up__in_time(
    world: World, node: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "BEHIND_SECONDS", 1.0)
    stuck: list[Any] = []

    def answer(request: dict[str, Any]) -> dict[str, Any] | None:
        return stuck[0] if stuck and request["params"][:1] == ["latest"] else None

    node.answer = answer
    chain = over(world, node.url)
    stuck.append(
        node.forward({"jsonrpc": "2.0", "id": 0, "method": "eth_getBlockByNumber", "params": ["latest", False]})
    )
    chain.floor.saw(chain.head().number + 2)
    with pytest.raises(ChainUnavailable, match="it lags"):
        chain.head()
    chain.head()
    honest = over(world, node.url, world.anvil.url)
    world.rpc("anvil_mine", "0x3")
    honest.floor.saw(world.chain.head().number)
    assert honest.head().number >= world.chain.head().number - 1, "another endpoint is asked"


# --- witnesses


def test_witnesses__of_a_block_and_a_job(world: World, node: Proxy) -> None:
    before = world.chain.head()
    job = world.post()
    chain = over(world, node.url, world.anvil.url)
    federation, head = Federation(chain, world.deployment), chain.head()
    state = federation.state(job, head)
    assert federation.witnessed(job, head, state).agreed

    def of_before(request: dict[str, Any]) -> dict[str, Any] | None:
        earlier = {**request, "params": [request["params"][0], hex(before.number)]}
        return node.forward(earlier) if request["method"] == "eth_call" else None

    node.answer = of_before
    found = federation.witnessed(job, head, state)
    [differing], [_] = found.those(Stance.DIFFERS), found.those(Stance.AGREES)
    assert not found.agreed and node.url in differing
    node.whole = silence
    start = time.monotonic()
    found = federation.witnessed(job, head, state)
    assert found.agreed and len(found.those(Stance.SILENT)) == 1 and time.monotonic() - start < SOON


# --- reorganisations


def test_a_reorganisation_takes_the_job__is_waited_for__and_then_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = world.post()
    federation = Federation(world.chain, world.deployment)
    federation.terms(job)
    assert federation.state(job).sponsor
    world.rpc("anvil_reorg", 5, [])
    with pytest.raises(ChainUnavailable, match=f"job {job} is not on the chain any more: a reorganisation took it"):
        federation.state(job)
    monkeypatch.setattr(federation_module, "GONE_SECONDS", 0.0)
    with pytest.raises(FatalError, match=f"there is no job {job}"):
        federation.state(job)
    monkeypatch.undo()
    sponsor = world.another("sponsor")
    allowed = approve_call(world.deployment.token, world.deployment.vault, 15_000)
    posted = world.federation.post_call(replace(world.terms, max_rounds=2), 15_000)
    assert all(isinstance(sponsor.send(call, key=(n,), wait=20), Mined) for n, call in enumerate((allowed, posted)))
    with pytest.raises(FatalError, match=f"job {job} is another one since a reorganisation"):
        federation.state(job)


def test_a_reorganisation_takes_the_job__it_comes_back(world: World) -> None:
    job = world.post()
    federation = Federation(world.chain, world.deployment)
    federation.terms(job)
    federation.state(job)
    world.rpc("anvil_reorg", 5, [])
    with pytest.raises(ChainUnavailable, match="took it"):
        federation.state(job)
    world.senders["sponsor"].tend()
    while world.federation.job_count() < job:
        world.rpc("evm_mine")
    assert federation.state(job).sponsor == world.address("sponsor")
