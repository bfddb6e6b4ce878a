"""Blocks and events as nodes report them, checked for form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hansa.protocol.errors import ChainUnavailable
from hansa.protocol.types import BlockNumber, Timestamp
from hansa.runtime.chain.endpoint import Request
from hansa.runtime.chain.node_errors import Behind, Nonsense
from hansa.runtime.chain.rpc import octets, quantity


@dataclass(frozen=True)
class Block:
    number: BlockNumber
    timestamp: Timestamp
    hash: bytes
    parent: bytes = b""


@dataclass(frozen=True)
class Log:
    """One event as a node reports it; ordered by (block, index). transaction: the hash of the one that left it, where
    that is known."""

    block: BlockNumber
    index: int
    address: str  # lower case
    topics: tuple[bytes, ...]
    data: bytes
    transaction: bytes = b""


class Reorganised(ChainUnavailable):
    """A block that was on the chain, and is not any more."""


def read_block(value: Any, what: str) -> Block:
    if not isinstance(value, dict):
        raise (
            Behind(f"block {what} is not there")
            if value is None and what[:2] == "0x"
            else Nonsense(f"block {what}", value)
        )
    number, stamp = (quantity(value.get(name), f"a block's {name}") for name in ("number", "timestamp"))
    if number >= 2**63 or stamp >= 2**63 or (what.startswith("0x") and number != int(what, 16)):
        raise Nonsense(f"block {what}", value.get("number"))
    own, parent = (octets(value.get(name), f"a block's {name}", 32) for name in ("hash", "parentHash"))
    return Block(BlockNumber(number), Timestamp(stamp), own, parent)


def read_log(value: Any) -> Log:
    if not isinstance(value, dict) or not isinstance(value.get("topics"), list) or value.get("removed"):
        raise Nonsense("an event", value)
    return Log(
        BlockNumber(quantity(value.get("blockNumber"), "an event's block")),
        quantity(value.get("logIndex"), "an event's index"),
        "0x" + octets(value.get("address"), "an event's address", 20).hex(),
        tuple(octets(topic, "an event's topic", 32) for topic in value["topics"]),
        octets(value.get("data"), "an event's data"),
        b"" if (sent := value.get("transactionHash")) is None else octets(sent, "an event's transaction", 32),
    )


def block_request(tag: str) -> Request:
    return ("eth_getBlockByNumber", [tag, False])


def same_block(expected: Block, found: Block) -> None:
    if expected.hash != found.hash:
        raise Reorganised(f"block {expected.number} is not on the chain any more", cause="it was reorganised")
