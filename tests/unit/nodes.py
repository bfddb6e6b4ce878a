"""Endpoints without sockets: answers from a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.rpc import Endpoint, Request

Answer = Callable[[str, Sequence[Any]], Any]


class Scripted(Endpoint):
    """Raises what is an exception class or instance outside of ChainUnavailable's values; answers the rest."""

    def __init__(self, url: str, answer: Answer) -> None:
        super().__init__(url)
        self._answer = answer
        self.asked: list[str] = []

    def ask(self, batch: Sequence[Request]) -> list[Any]:
        self.asked += [method for method, _ in batch]
        return [self._answer(method, params) for method, params in batch]


def chain_of(*answers: Answer, chain_id: int | None = 1) -> Chain:
    """A chain over one endpoint for each function."""
    chain = Chain([f"http://node{number}.example" for number in range(len(answers))], chain_id)
    chain.rpc.pause = lambda seconds: None
    chain.rpc.endpoints = [Scripted(f"http://node{n}.example", answer) for n, answer in enumerate(answers)]
    return chain


def block(number: int, fork: int = 0, timestamp: int | None = None) -> dict[str, str]:
    return {
        "number": hex(number),
        "timestamp": hex(timestamp if timestamp is not None else 1000 + number),
        "hash": "0x" + bytes([fork, number]).ljust(32, b"\x01").hex(),
        "parentHash": "0x" + bytes([fork, max(0, number - 1)]).ljust(32, b"\x01").hex(),
        "gasLimit": hex(30_000_000),
        "baseFeePerGas": hex(10**9),
    }


def block_of(tag: str, latest: int) -> dict[str, str]:
    """What a node whose head is block `latest` answers for a number or a tag."""
    return block(latest if tag in ("latest", "pending") else 0 if tag == "earliest" else int(tag, 16))
