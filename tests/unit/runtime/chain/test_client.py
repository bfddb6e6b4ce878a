"""Blocks, reads at a block, and pages of logs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from eth_abi.abi import encode
from nodes import block, block_of, chain_of

from hansa.protocol.errors import ChainUnavailable, WrongChain
from hansa.protocol.types import Address
from hansa.runtime.chain.abi import artifact, contract_error
from hansa.runtime.chain.bytecode import require_contract
from hansa.runtime.chain.client import Block, read_block
from hansa.runtime.chain.federation import Federation
from hansa.runtime.chain.rpc import NodeError

HERE = Address("0x" + "11" * 20)
COUNT = artifact("Federation").functions["jobCount"]


def at(number: int, fork: int = 0) -> Block:
    return read_block(block(number, fork), hex(number))


def node(answers: dict[str, Any]) -> Any:
    def answer(method: str, params: Sequence[Any]) -> Any:
        if method == "eth_chainId":
            return "0x1"
        if method == "eth_getBlockByNumber" and method not in answers:
            return block_of(params[0], 9)
        found = answers[method]
        return found(params) if callable(found) else found

    return answer


def log(number: int, index: int = 0, **changes: Any) -> dict[str, Any]:
    topics = ["0x" + "aa" * 32]
    known = {"address": HERE, "topics": topics, "data": "0x", "blockNumber": hex(number), "logIndex": hex(index)}
    return {**known, **changes}


def test_read__names_its_block() -> None:
    seen = []
    chain = chain_of(node({"eth_call": lambda params: seen.append(params[1]) or "0x" + encode(["uint256"], [3]).hex()}))
    assert chain.read([(HERE, COUNT, ())], at(4)) == [(3,)]
    assert seen == ["0x4"]


def test_read__block_was_reorganised() -> None:
    chain = chain_of(node({"eth_call": "0x" + "00" * 32}))
    with pytest.raises(ChainUnavailable, match="block 4 is not on the chain any more"):
        chain.read([(HERE, COUNT, ())], at(4, fork=1))


def test_read__nothing_there__is_the_wrong_chain() -> None:
    with pytest.raises(WrongChain, match="there is no such contract.*deploy again"):
        chain_of(node({"eth_call": "0x"})).read([(HERE, COUNT, ())])


def test_read__contract_reverts__raises_its_error() -> None:
    with pytest.raises(Exception, match="the contract refused: reverted"):
        chain_of(node({"eth_call": contract_error(b"")})).read([(HERE, COUNT, ())])


def test_read__garbage__asks_the_next_endpoint() -> None:
    good = node({"eth_call": "0x" + encode(["uint256"], [3]).hex()})
    assert chain_of(node({"eth_call": "0xabcd"}), good).read([(HERE, COUNT, ())]) == [(3,)]


def test_require_contract() -> None:
    with pytest.raises(WrongChain, match="there is no federation at 0x1111"):
        require_contract(chain_of(node({"eth_getCode": "0x"})), HERE, "federation")


def test_logs__in_order_whatever_order_they_come_in() -> None:
    chain = chain_of(node({"eth_getLogs": [log(5, 1), log(4), log(5, 0)]}))
    assert [(entry.block, entry.index) for entry in chain.logs(HERE, [], 0, at(9))] == [(4, 0), (5, 0), (5, 1)]


def test_logs__a_range_is_halved_until_the_node_answers() -> None:
    asked = []

    def limited(params: Any) -> Any:
        start, stop = (int(params[0][name], 16) for name in ("fromBlock", "toBlock"))
        asked.append((start, stop))
        return NodeError("eth_getLogs", -32005, "range") if stop - start >= 3 else [log(start)]

    found = chain_of(node({"eth_getLogs": limited})).logs(HERE, [], 0, at(9))
    served = [pair for pair in asked if pair[1] - pair[0] < 3]
    assert [pair[0] for pair in served] == [entry.block for entry in found]
    assert served[0][0] == 0 and served[-1][1] == 9
    assert all(b[0] == a[1] + 1 for a, b in zip(served, served[1:], strict=False))


def test_logs__a_node_that_refuses_one_block_is_unavailable() -> None:
    with pytest.raises(ChainUnavailable, match="no logs here"):
        chain_of(node({"eth_getLogs": NodeError("eth_getLogs", -32601, "no logs here")})).logs(HERE, [], 0, at(9))


@pytest.mark.parametrize(
    "entry",
    [
        log(12),
        log(3, address="0x" + "22" * 20),
        log(3, topics=["0x" + "bb" * 32]),
        log(3, topics=[]),
        log(3, removed=True),
        log(3, data="0xabc"),
        log(3, blockNumber=3),
        "log",
        None,
    ],
)
def test_logs__what_was_not_asked_for__is_nonsense(entry: Any) -> None:
    chain = chain_of(node({"eth_getLogs": [entry]}))
    with pytest.raises(ChainUnavailable, match="makes no sense"):
        chain.logs(HERE, [b"\xaa" * 32], 0, at(9))


def test_wait__another_head__returns_at_once() -> None:
    numbers = iter(range(9, 99))
    chain = chain_of(node({"eth_getBlockByNumber": block(9), "eth_blockNumber": lambda params: hex(next(numbers))}))
    chain.head()
    assert chain.wait(5)
    assert not chain.wait(0)


def test_announced_keys__none_is_no_key() -> None:
    alice, bob = Address("0x" + "aa" * 20), Address("0x" + "bb" * 20)
    answers = {alice[2:]: b"\x02" * 32, bob[2:]: bytes(32)}
    federation = Federation.__new__(Federation)
    federation.address = HERE
    federation.chain = chain_of(node({"eth_call": lambda params: "0x" + answers[params[0]["data"][-40:]].hex()}))
    assert federation.announced_keys([alice, bob]) == [b"\x02" * 32, None]
