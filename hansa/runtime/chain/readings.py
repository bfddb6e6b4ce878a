"""Reads of contracts: what is asked of a node, and what its answers say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hansa.protocol.errors import WrongChain
from hansa.protocol.types import Address
from hansa.runtime.chain.abi import BadEncoding, Function
from hansa.runtime.chain.endpoint import Request
from hansa.runtime.chain.node_errors import Nonsense
from hansa.runtime.chain.rpc import octets

Reading = tuple[Address, Function, tuple[Any, ...]]  # contract, function, arguments


def requests_of(readings: Sequence[Reading], tag: str, sender: Address | None = None) -> list[Request]:
    """What asks for them at a block's tag. sender: who asks, where that changes the answer."""
    asks = {} if sender is None else {"from": sender}
    return [
        ("eth_call", [{**asks, "to": to, "data": "0x" + function.encode(*arguments).hex()}, tag])
        for to, function, arguments in readings
    ]


def decoded(function: Function, answer: Any) -> tuple[Any, ...]:
    """A contract's answer. WrongChain where there is none, Nonsense where it isn't one of the function."""
    data = octets(answer, function.name)
    if not data and function.outputs:
        raise WrongChain(
            f"nothing answers {function.name}",
            cause="there is no such contract: the chain was reset, or deployment.json belongs to another one",
            next_step="use that chain's own deployment.json, or deploy again into a new directory",
        )
    try:
        return function.decode(data)
    except BadEncoding as error:
        raise Nonsense(function.name, error) from error
