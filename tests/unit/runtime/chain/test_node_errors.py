"""What nodes say, told apart by what helps."""

from __future__ import annotations

import pytest
from nodes import block, block_of, chain_of

from hansa.protocol.errors import ChainUnavailable, FatalError
from hansa.runtime.chain.client import Chain, read_block
from hansa.runtime.chain.node_errors import NodeError
from hansa.runtime.chain.rpc import Rpc
from hansa.runtime.chain.witness import Stance
from hansa.runtime.http import checked_url
from hansa.runtime.store.kubo import KuboStore

RANGES = [
    (-32614, "limited to 1000 blocks", 1000),
    (-32005, "query returned more than 10000 results. Try with this block range [0x1, 0x2].", None),
    (-32000, "exceed maximum block range: 5000", 5000),
    (-32602, "You can make eth_getLogs requests with up to a 2K block range", 2000),
    (-32614, "eth_getLogs is limited to a 10,000 range", 10_000),
    (-32602, "block range is too wide", None),
    (-32602, "Block range limit exceeded. maximum allowed is 1024 blocks", 1024),
    (-32602, "query exceeds max results 20000, retry with the range 1-2", None),
]
RATES = [
    (-32005, "limit exceeded"),
    (-32005, "daily request count exceeded, request rate limited"),
    (429, "Your app has exceeded its compute units per second capacity"),
    (-32097, "request limit reached"),
    (-32016, "Over rate limit"),
    (-32000, "Too Many Requests"),
]


@pytest.mark.parametrize("code, message, blocks", RANGES)
def test_range_limits(code: int, message: str, blocks: int | None) -> None:
    error = NodeError("eth_getLogs", code, message)
    assert error.asks_too_much and not error.rate_limited and error.blocks == blocks


@pytest.mark.parametrize("code, message", RATES)
@pytest.mark.parametrize("method", ["eth_getLogs", "eth_call"])
def test_rate_limits(code: int, message: str, method: str) -> None:
    assert NodeError(method, code, message).rate_limited


@pytest.mark.parametrize(
    "message, requests",
    [("batch size too large, max 10", 10), ("Batch of more than 3 requests are not allowed", 3), ("no batches", None)],
)
def test_batches(message: str, requests: int | None) -> None:
    error = NodeError("eth_call", -32600, message)
    assert error.too_many_at_once and error.requests == requests and not error.rate_limited


@pytest.mark.parametrize("message", ["header not found", "unknown block", "block not found", "BlockOutOfRangeError"])
def test_behind(message: str) -> None:
    assert NodeError("eth_call", -32000, message).is_behind
    assert not NodeError("eth_call", -32000, "missing trie node").is_behind


ADDRESSES = [
    "http://127.0.0.1:99999",
    "http://[::1",
    "http://127.0.0.1:8545 ",
    "http://a b",
    "http://exa\nmple",
    "http://",
]


@pytest.mark.parametrize("url", ADDRESSES)
def test_addresses_that_cannot_be_one(url: str) -> None:
    with pytest.raises(FatalError, match="is not an RPC address"):
        Rpc([url], 1)
    with pytest.raises(FatalError, match="is not a WebSocket address"):
        Chain(["http://127.0.0.1:8545"], 1, ws=url.replace("http", "ws", 1))


@pytest.mark.parametrize(
    "url", ["http://[::1]:8545", "https://host.example/v3/key?x=1", "https://user:pw@host.example"]
)
def test_addresses(url: str) -> None:
    assert Rpc([url], 1).endpoints[0].shown == url.split("/v3")[0].replace("user:pw@", "").replace("[::1]", "::1")


def test_address__its_password_is_not_repeated() -> None:
    with pytest.raises(FatalError) as caught:
        checked_url("https://user:secret@host.example:99999/x", ("https",), "an address")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "api", ["/ip4/127.0.0.1/tcp/99999", "http://[::1", "/ip4/127.0.0.1/tcp/5001 ", "http://127.0.0.1:5001", ""]
)
def test_kubo_addresses_that_cannot_be_one(api: str) -> None:
    with pytest.raises(FatalError, match="is not a Kubo API address"):
        KuboStore(api)


# --- witnesses


def saying(number: int, fork: int = 0, latest: int = 9) -> object:
    def answer(method: str, params: object) -> object:
        if method == "eth_chainId":
            return "0x1"
        tag = params[0]  # type: ignore[index]
        if tag == hex(number):
            return block(number, fork) if number <= latest else None
        return block_of(tag, latest)

    return answer


def dead(method: str, params: object) -> object:
    raise ChainUnavailable("node does not answer")


def witnessed(*answers: object) -> tuple[bool, int, int, int, int]:
    found = chain_of(*answers).witnessed(read_block(block(7), "0x7"))  # type: ignore[arg-type]
    kinds = (Stance.AGREES, Stance.SILENT, Stance.BEHIND, Stance.DIFFERS)
    agreeing, silent, behind, differing = (len(found.those(kind)) for kind in kinds)
    return found.agreed, agreeing, silent, behind, differing


def test_witnesses__all_that_answer_agree() -> None:
    assert witnessed(saying(7)) == (True, 1, 0, 0, 0)
    assert witnessed(saying(7), saying(7), dead) == (True, 2, 1, 0, 0)


def test_witnesses__one_differs_lags_or_nobody_answers() -> None:
    assert witnessed(saying(7), saying(7, fork=1)) == (False, 1, 0, 0, 1)
    assert witnessed(saying(7), saying(7, latest=6)) == (False, 1, 0, 1, 0)
    assert witnessed(dead, dead) == (False, 0, 2, 0, 0)


def test_witnesses__a_block_far_above_an_endpoints_head__is_a_difference__and_the_next_is_preferred() -> None:
    chain = chain_of(saying(200, latest=250), saying(200, latest=9))  # type: ignore[arg-type]
    assert chain.head().number == 250
    found = chain.witnessed(read_block(block(200), hex(200)))
    assert not found.agreed and len(found.those(Stance.DIFFERS)) == 1
    assert "node1" in str(found) and chain.head().number == 9


def test_trusted__one_alone_is_named() -> None:
    alone = chain_of(saying(7)).rpc.trusted()  # type: ignore[arg-type]
    assert alone is not None and alone.startswith("http://node0.example is the only RPC endpoint")
    assert chain_of(saying(7), saying(7)).rpc.trusted() is None  # type: ignore[arg-type]
