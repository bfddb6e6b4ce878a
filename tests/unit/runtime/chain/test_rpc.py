"""Fail-over, agreement on the chain, and answers that are checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from nodes import Scripted, block, chain_of

from hansa.protocol.errors import ChainUnavailable, FatalError, TransientError, WrongChain
from hansa.runtime.chain.abi import ContractError, contract_error
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.rpc import NodeError, Rpc, octets, quantity


def good(method: str, params: Sequence[Any]) -> Any:
    return {"eth_chainId": "0x1", "eth_blockNumber": "0x5", "eth_getBlockByNumber": block(5)}[method]


def dead(method: str, params: Sequence[Any]) -> Any:
    raise ChainUnavailable("node does not answer")


def other_chain(method: str, params: Sequence[Any]) -> Any:
    return "0x2" if method == "eth_chainId" else good(method, params)


def test_first_that_works_is_kept() -> None:
    chain = chain_of(dead, good)
    assert chain.head().number == 5
    first = chain.rpc.endpoints[0]
    assert isinstance(first, Scripted)
    tried = len(first.asked)
    assert chain.head().number == 5 and len(first.asked) == tried


def test_none_works__all_causes_are_told() -> None:
    with pytest.raises(ChainUnavailable, match="node0.example.*node1.example"):
        chain_of(dead, dead).head()


def test_wrong_chain__is_fatal_and_named() -> None:
    with pytest.raises(WrongChain, match="http://node0.example is chain 2, not 1"):
        chain_of(other_chain).head()


def test_wrong_chain__told_by_one_while_the_other_that_is_ours_fails__ends_nobody() -> None:
    node0, node1 = [good], [good]
    chain = chain_of(lambda *asked: node0[0](*asked), lambda *asked: node1[0](*asked))
    chain.head()
    node0[0], node1[0] = dead, other_chain
    with pytest.raises(ChainUnavailable, match="node1.example is chain 2 now, not 1") as caught:
        chain.head()
    assert isinstance(caught.value, TransientError)
    node0[0] = good
    assert chain.head().number == 5


def test_endpoints_must_agree() -> None:
    chain = chain_of(good, other_chain, chain_id=None)
    with pytest.raises(WrongChain, match="node1"):
        chain.rpc.check_all()


def test_check_all__one_dead_endpoint_is_no_reason_to_stop() -> None:
    chain_of(dead, good).rpc.check_all()
    with pytest.raises(ChainUnavailable, match="no RPC endpoint gave an answer"):
        chain_of(dead, dead).rpc.check_all()


def test_an_endpoint_that_failed_is_verified_again() -> None:
    answers = iter(["0x1", "dead", "0x2"])

    def flips(method: str, params: Sequence[Any]) -> Any:
        if method != "eth_chainId" and len(flips_seen) == 1:
            flips_seen.append(method)
            raise ChainUnavailable("down")
        return next(answers) if method == "eth_chainId" else good(method, params)

    flips_seen: list[str] = []
    chain = chain_of(flips)
    chain.head()
    flips_seen.append("x")
    with pytest.raises(ChainUnavailable):
        chain.head()
    with pytest.raises((WrongChain, ChainUnavailable)):
        chain.head()


def test_node_error__asks_the_next_one() -> None:
    def pruned(method: str, params: Sequence[Any]) -> Any:
        return good(method, params) if method == "eth_chainId" else NodeError(method, -32000, "missing trie node")

    assert chain_of(pruned, good).head().number == 5
    with pytest.raises(ChainUnavailable, match="missing trie node"):
        chain_of(pruned).head()


def test_revert__is_an_answer() -> None:
    def reverts(method: str, params: Sequence[Any]) -> Any:
        return good(method, params) if method == "eth_chainId" else contract_error(b"")

    with pytest.raises(ContractError):
        chain_of(reverts, dead).rpc.ask([("eth_call", [{}])])
    [answer] = chain_of(reverts, dead).rpc.raw([("eth_call", [{}])])
    assert isinstance(answer, ContractError)


def test_url__secrets_are_not_shown() -> None:
    rpc = Rpc(["https://user:pw@main.example/v3/secret"], 1)
    assert rpc.endpoints[0].shown == "https://main.example"


@pytest.mark.parametrize("url", ["", "ftp://x", "localhost:8545", "http://"])
def test_url__not_one(url: str) -> None:
    with pytest.raises(FatalError, match="is not an RPC address"):
        Rpc([url], 1)


def test_no_urls() -> None:
    with pytest.raises(FatalError, match="no RPC endpoint is given"):
        Chain([], 1)


@pytest.mark.parametrize("value", [None, 5, "5", "0x", "0xzz", "0x" + "1" * 65, True, [], "0x-1", "0x 1", "0x1_0"])
def test_quantity__nonsense(value: object) -> None:
    with pytest.raises(ChainUnavailable, match="makes no sense"):
        quantity(value, "x")


@pytest.mark.parametrize("value", [None, 5, "0x1", "ab", "0xzz", "0x00"])
def test_octets__nonsense(value: object) -> None:
    with pytest.raises(ChainUnavailable, match="makes no sense"):
        octets(value, "x", 32)
