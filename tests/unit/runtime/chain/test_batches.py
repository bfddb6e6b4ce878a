"""How many requests an endpoint is asked at once: what makes them fewer, and when they grow again."""

from __future__ import annotations

import json
from collections.abc import Callable
from email.message import Message
from typing import Any, cast

import pytest

from hansa.protocol.errors import ChainUnavailable
from hansa.runtime.chain import endpoint as endpoint_module
from hansa.runtime.chain.endpoint import Endpoint
from hansa.runtime.chain.node_errors import BadStatus, NodeError
from hansa.runtime.http import Reply, TooManyBytes
from hansa.runtime.poster import Poster

Said = tuple[int, Any]  # status, body


class Answers:
    """Stands for the wire: says what `refusal` gives for a batch, or one result for each request."""

    def __init__(self, refusal: Callable[[int], Said | None]) -> None:
        self.refusal = refusal
        self.sizes: list[int] = []
        self.headers = Message()

    def post(self, data: bytes, *, seconds: float) -> Reply:
        body = json.loads(data)
        self.sizes.append(len(body) if isinstance(body, list) else 1)
        refused = self.refusal(self.sizes[-1])
        if refused is not None:
            status, told = refused
            return Reply(status, self.headers, told if isinstance(told, bytes) else json.dumps(told).encode())
        good = [{"id": one["id"], "result": one["params"][0]} for one in (body if isinstance(body, list) else [body])]
        return Reply(200, self.headers, json.dumps(good if isinstance(body, list) else good[0]).encode())


def endpoint_of(refusal: Callable[[int], Said | None]) -> tuple[Endpoint, Answers]:
    found, answers = Endpoint("http://node.example"), Answers(refusal)
    found._poster = cast(Poster, answers)
    return found, answers


def asked(endpoint: Endpoint, count: int) -> list[Any]:
    return endpoint.ask([("eth_call", [number]) for number in range(count)])


def failing(code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}


ABOUT_BATCHES: list[Said] = [
    (413, b"too large"),
    (413, failing(-32000, "no")),
    (200, failing(-32600, "Invalid Request")),
    (200, failing(-32700, "Parse error")),
    (200, failing(-32005, "Batched requests are not supported by this server")),
    (200, failing(-32007, "Request is too big")),
    (200, failing(-32000, "json: cannot unmarshal array into Go value")),
    (200, [failing(-32600, "batch too large")]),
    (200, {"id": 0, "result": 0}),
]
PASSING: list[Said] = [
    (200, failing(-32603, "Internal error")),
    (500, failing(-32603, "internal error")),
    (200, failing(-32000, "header not found")),
    (200, [failing(-32603, "internal error")]),
    (200, {"error": "try again"}),
]


@pytest.mark.parametrize("refusal", ABOUT_BATCHES)
@pytest.mark.parametrize("count", [2, 3])
def test_batches__of_which_one_alone_was_taken__grow_again_after_a_rest(
    refusal: Said, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes = 1
    endpoint, answers = endpoint_of(lambda size: refusal if size > takes else None)
    assert asked(endpoint, count) == list(range(count))
    assert answers.sizes == [count] + [1] * count
    takes = 100
    assert asked(endpoint, 3) == [0, 1, 2]
    assert answers.sizes[-3:] == [1, 1, 1], "a limit is kept to"
    monkeypatch.setattr(endpoint_module, "BATCH_REST", 0.0)
    for _ in range(3):
        assert asked(endpoint, 20) == list(range(20))
    assert answers.sizes[-1] == 20


def test_batches__that_are_refused_again__are_asked_for_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint, answers = endpoint_of(lambda size: (200, failing(-32600, "no batches")) if size > 1 else None)
    asked(endpoint, 2)
    endpoint._shrunk -= endpoint_module.BATCH_REST + 1
    assert asked(endpoint, 6) == list(range(6))
    assert [size for size in answers.sizes if size > 1] == [2, 2], "once a rest"


@pytest.mark.parametrize("refusal", PASSING)
def test_batches__an_error_that_is_not_about_them__makes_none_fewer_for_good(refusal: Said) -> None:
    left = iter([refusal])
    endpoint, answers = endpoint_of(lambda size: next(left, None))
    assert asked(endpoint, 8) == list(range(8))
    assert answers.sizes == [8, 4, 4]
    asked(endpoint, 8)
    assert answers.sizes[3:] == [8]


def test_batches__a_node_that_fails_throughout__says_so_of_each_request() -> None:
    endpoint, _ = endpoint_of(lambda size: (200, failing(-32603, "internal error")))
    found = asked(endpoint, 3)
    assert len(found) == 3 and all(isinstance(one, NodeError) and one.code == -32603 for one in found)


def test_batches__whose_answer_is_too_large__are_fewer_from_then_on() -> None:
    def flooding(size: int) -> Said | None:
        if size > 4:
            raise TooManyBytes("too many")
        return None

    endpoint, answers = endpoint_of(flooding)
    asked(endpoint, 8)
    asked(endpoint, 8)
    assert answers.sizes == [8, 4, 4, 4, 4]


LIMITED: list[Any] = [
    b"<html>slow down</html>",
    b'"slow down"',
    {"error": "Too Many Requests"},
    {"error": {"code": 429, "message": "Too Many Requests"}},
    {"error": None, "message": "Too Many Requests"},
    [{"id": None, "error": {"code": 429, "message": "Too Many Requests"}}],
    [{"id": None, "error": "Too Many Requests"}],
    [],
]


@pytest.mark.parametrize("told", LIMITED)
@pytest.mark.parametrize("count", [1, 3])
def test_retry_after__is_read__whatever_the_body(told: Any, count: int) -> None:
    endpoint, answers = endpoint_of(lambda size: (429, told))
    answers.headers["Retry-After"] = "7"
    try:
        [found] = asked(endpoint, count)
    except ChainUnavailable as error:
        found = error
    assert isinstance(found, NodeError | BadStatus) and found.rate_limited and found.retry_after == 7.0


@pytest.mark.parametrize(
    "hint", ["", "soon", "nan", "-1", "Wed, 21 Oct 2015 07:28:00 +" + "9" * 30, "Frl, 27 Nov 2026 21:00" + "9" * 30]
)
def test_retry_after__that_says_no_time__is_none_or_now(hint: str) -> None:
    endpoint, answers = endpoint_of(lambda size: (429, {"error": "Too Many Requests"}))
    answers.headers["Retry-After"] = hint
    [found] = asked(endpoint, 1)
    assert found.rate_limited and not found.retry_after
