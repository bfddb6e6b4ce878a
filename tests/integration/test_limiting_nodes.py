"""What nodes limit, and what they refuse by an HTTP status: how it is told apart, kept to and named."""

from __future__ import annotations

import time
from typing import Any

import pytest
from proxies import Handler, Proxy, failing, over, read
from worlds import World

from hansa.devnet.anvil import free_port
from hansa.protocol.errors import ChainUnavailable
from hansa.protocol.types import JobId
from hansa.runtime.chain import endpoint, rpc
from hansa.runtime.chain import logs as logs_module
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.federation import Federation

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


@pytest.mark.parametrize("told", [b"<html>slow down</html>", {"error": "Too Many Requests"}, failing(429, "slow down")])
def test_retry_after__is_kept_to__up_to_a_cap(
    node_once: tuple[Proxy, World, JobId], told: bytes | dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    node, world, _ = node_once
    monkeypatch.setattr(rpc, "RATE_LONGEST", 2.0)
    waits, hints = list[float](), iter(["3600", "Wed, 21 Oct 2015 07:28:00 GMT"])

    def limited(handler: Handler, body: Any) -> bool:
        hint = next(hints, None)
        if hint is not None:
            handler.say(429, told, Retry_After=hint)
        return hint is not None

    chain = over(world, node.url)
    chain.rpc.pause = waits.append
    node.whole = limited
    assert chain.head().number > 0
    assert waits[0] == 2.0 and all(wait <= 2.0 for wait in waits)


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
