"""An endpoint that is slow, floods, lies about what ends things, limits or lags: before an honest one, and alone."""

from __future__ import annotations

import contextlib
import random
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from proxies import Handler, Proxy, bomb, failing, giving, proxy
from worlds import World

from hansa.devnet.anvil import free_port
from hansa.protocol.errors import ChainUnavailable, FatalError, WrongChain
from hansa.protocol.types import JobId
from hansa.runtime.chain import client, endpoint, rpc
from hansa.runtime.chain import federation as federation_module
from hansa.runtime.chain import logs as logs_module
from hansa.runtime.chain.abi import ContractError
from hansa.runtime.chain.calls import approve_call, transfer_call
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.federation import Federation
from hansa.runtime.history.reader import JobHistory
from hansa.runtime.transactions.sender import Mined

SOON = 30.0  # seconds, generous: what would hang takes minutes


@pytest.fixture
def node(world: World) -> Iterator[Proxy]:
    with proxy(world.anvil.url) as running:
        yield running


@pytest.fixture
def node_once(world_once: tuple[World, JobId]) -> Iterator[tuple[Proxy, World, JobId]]:
    with proxy(world_once[0].anvil.url) as running:
        yield running, *world_once


def over(world: World, *urls: str) -> Chain:
    return Chain(urls, world.chain.chain_id, first_block=world.chain.first_block)


def read(world: World, job: JobId, *urls: str) -> JobHistory:
    return JobHistory.read(Federation(over(world, *urls), world.deployment), job)


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
    assert JobHistory.read(federation, job) == world.history(job)
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
        chain.require_contract(world.deployment.federation, "federation")
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


# --- statuses and limits


def spanning(request: dict[str, Any]) -> int:
    query = request["params"][0]
    return int(query["toBlock"], 16) - int(query["fromBlock"], 16) + 1


@pytest.mark.parametrize("status", [200, 400, 413, 500])
def test_a_range_limit__whatever_the_status__is_kept_to(
    node_once: tuple[Proxy, World, JobId], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, world, job = node_once
    monkeypatch.setattr(logs_module, "LOGS_REST", 60.0)

    def limited(handler: Handler, body: Any) -> bool:
        logs = [one for one in (body if isinstance(body, list) else [body]) if one["method"] == "eth_getLogs"]
        if not logs or spanning(logs[0]) <= 7:
            return False
        error = {**failing(-32614, "limited to 7 blocks"), "id": logs[0]["id"]}
        handler.say(status, error if not isinstance(body, list) else [error, *map(node.forward, body[1:])])
        return True

    node.whole = limited
    assert read(world, job, node.url) == world.history(job)
    spans = [spanning(request) for request in node.asked if request["method"] == "eth_getLogs"]
    assert max(spans[1:]) == 7, "the stated number of blocks, at once"


def test_a_range_limit_that_is_lifted__the_span_grows_again(
    node_once: tuple[Proxy, World, JobId], monkeypatch: pytest.MonkeyPatch
) -> None:
    node, world, _ = node_once
    monkeypatch.setattr(logs_module, "LOGS_REST", 0.0)
    left = iter(range(4))

    def limited(request: dict[str, Any]) -> dict[str, Any] | None:
        return failing(-32005, "query returned more than 10 results") if next(left, None) is not None else None

    node.answer = lambda request: limited(request) if request["method"] == "eth_getLogs" else None
    chain = over(world, node.url)
    chain.logs(world.deployment.federation, [], 0, chain.head())
    spans = [spanning(request) for request in node.asked if request["method"] == "eth_getLogs"]
    assert spans[4] < spans[0] / 10 and spans[5] == 2 * spans[4] and len(spans) < 15


RATES = [(200, -32005, "limit exceeded"), (429, 429, "Too Many Requests"), (200, -32097, "request limit reached")]


@pytest.mark.parametrize("status, code, message", RATES)
def test_a_rate_limit__is_waited_out__and_no_range_shrinks(
    node_once: tuple[Proxy, World, JobId],
    status: int,
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node, world, job = node_once
    monkeypatch.setattr(rpc, "RATE_FIRST", 0.1)
    end = time.monotonic() + 1.5

    def limited(handler: Handler, body: Any) -> bool:
        logs = [one for one in body if one["method"] == "eth_getLogs"] if isinstance(body, list) else []
        if not logs or time.monotonic() > end:
            return False
        handler.say(status, [{**failing(code, message), "id": logs[0]["id"]}, *map(node.forward, body[1:])])
        return True

    node.whole = limited
    assert read(world, job, node.url) == world.history(job)
    assert len({spanning(request) for request in node.asked if request["method"] == "eth_getLogs"}) == 1
    assert len(node.asked) < 60


def test_every_third_request_is_refused_for_its_rate__commands_go_on(
    node_once: tuple[Proxy, World, JobId], monkeypatch: pytest.MonkeyPatch
) -> None:
    node, world, job = node_once
    monkeypatch.setattr(rpc, "RATE_FIRST", 0.02)
    node.answer = lambda request: failing(-32005, "rate limited") if len(node.asked) % 3 == 0 else None
    for _ in range(4):
        assert read(world, job, node.url) == world.history(job)


def test_retry_after__is_kept_to__up_to_a_cap(
    node_once: tuple[Proxy, World, JobId], monkeypatch: pytest.MonkeyPatch
) -> None:
    node, world, _ = node_once
    monkeypatch.setattr(rpc, "RATE_LONGEST", 2.0)
    waits, hints = list[float](), iter(["1", "3600", "Wed, 21 Oct 2015 07:28:00 GMT"])

    def limited(handler: Handler, body: Any) -> bool:
        hint = next(hints, None)
        if hint is not None:
            handler.say(429, b"<html>slow down</html>", Retry_After=hint)
        return hint is not None

    node.whole = limited
    next(hints)
    chain = over(world, node.url)
    chain.rpc.pause = waits.append
    assert chain.head().number > 0
    assert waits[0] <= 2.0 and all(wait <= 2.0 for wait in waits)


STATUSES = [(401, "credentials"), (403, "credentials"), (404, "path"), (429, "rate"), (502, "out of order")]


@pytest.mark.parametrize("status, cause", STATUSES)
def test_a_status_is_named__and_nobody_is_told_to_start_the_chain(
    node_once: tuple[Proxy, World, JobId], status: int, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, world, _ = node_once
    monkeypatch.setattr(rpc, "RATE_SECONDS", 0.0)

    def refused(handler: Handler, body: Any) -> bool:
        handler.say(status, b"no")
        return True

    node.whole = refused
    with pytest.raises(ChainUnavailable, match=f"HTTP {status}: .*{cause}") as caught:
        over(world, node.url).head()
    assert "start the chain" not in str(caught.value)


def test_a_redirect__is_not_followed__and_named_without_what_may_be_secret(
    node_once: tuple[Proxy, World, JobId],
) -> None:
    node, world, _ = node_once

    def elsewhere(handler: Handler, body: Any) -> bool:
        handler.say(308, b"", Location="https://user:pw@other.example/v3/key")
        return True

    node.whole = elsewhere
    with pytest.raises(ChainUnavailable, match="redirects to https://other.example$"):
        over(world, node.url).head()


def test_nothing_listens_here__start_the_chain() -> None:
    with pytest.raises(ChainUnavailable, match="nothing listens there; start the chain"):
        Chain([f"http://127.0.0.1:{free_port()}"], 1).head()
    two = [f"http://127.0.0.1:{free_port()}", f"http://localhost:{free_port()}"]
    with pytest.raises(ChainUnavailable, match="nothing listens.*nothing listens.*; start the chain"):
        Chain(two, 1).head()


@pytest.mark.parametrize(
    "refusal", [(413, None), (200, failing(-32600, "batch too large")), (200, failing(-32600, "at most 3 in a batch"))]
)
def test_batches_shrink_to_what_a_node_takes__and_grow_again(
    node_once: tuple[Proxy, World, JobId],
    refusal: tuple[int, dict[str, Any] | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node, world, job = node_once
    sizes: list[int] = []

    def limited(handler: Handler, body: Any) -> bool:
        sizes.append(len(body) if isinstance(body, list) else 1)
        if sizes[-1] <= most:
            return False
        status, error = refusal
        handler.say(status, b"too large" if error is None else {**error, "id": None})
        return True

    node.whole, most = limited, 3
    chain = over(world, node.url)
    jobs = [job] * 40
    states = Federation(chain, world.deployment).states(jobs, chain.head())
    assert states == world.federation.states(jobs, chain.head())
    refused = [size for size in sizes if size > most]
    assert 1 <= len(refused) < 5 and sizes[-1] <= most
    sizes.clear()
    most = 100
    monkeypatch.setattr(endpoint, "BATCH_REST", 0.0)
    Federation(chain, world.deployment).states(jobs, chain.head())
    assert max(sizes) > 3


def test_a_batch_whose_answer_is_too_large__is_asked_in_parts(
    node_once: tuple[Proxy, World, JobId], monkeypatch: pytest.MonkeyPatch
) -> None:
    node, world, job = node_once
    monkeypatch.setattr(endpoint, "ANSWER_BYTES", 20_000)
    chain = over(world, node.url)
    assert len(Federation(chain, world.deployment).states([job] * 40, chain.head())) == 40


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
            assert JobHistory.read(federation, job).posted


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
    chain.saw(chain.head().number + 2)
    with pytest.raises(ChainUnavailable, match="it lags"):
        chain.head()
    chain.head()
    honest = over(world, node.url, world.anvil.url)
    world.rpc("anvil_mine", "0x3")
    honest.saw(world.chain.head().number)
    assert honest.head().number >= world.chain.head().number - 1, "another endpoint is asked"


# --- witnesses


def test_witnesses__of_a_block_and_a_job(world: World, node: Proxy) -> None:
    job = world.post()
    chain = over(world, node.url, world.anvil.url)
    federation, head = Federation(chain, world.deployment), chain.head()
    state = federation.state(job, head)
    assert federation.witnessed(job, head, state).agreed

    def of_before(request: dict[str, Any]) -> dict[str, Any] | None:
        earlier = {**request, "params": [request["params"][0], hex(head.number - 1)]}
        return node.forward(earlier) if request["method"] == "eth_call" else None

    node.answer = of_before
    found = federation.witnessed(job, head, state)
    assert not found.agreed and len(found.differing) == len(found.agreeing) == 1 and node.url in found.differing[0]
    node.whole = silence
    start = time.monotonic()
    found = federation.witnessed(job, head, state)
    assert found.agreed and len(found.silent) == 1 and time.monotonic() - start < SOON


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
