"""Blocks as Ethereum hashes them: that an event is where it is said to be follows from its block's hash.

A header's hash binds its number, time, parent and receipts root; the root of a Merkle Patricia trie over all receipts
of the block, in order, binds every event in it (Ethereum yellow paper, §4.4 and appendices B and D; EIP-2718 receipts).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import rlp
from eth_utils.crypto import keccak
from eth_utils.hexadecimal import decode_hex
from rlp.exceptions import DecodingError
from rlp.lazy import LazyList, decode_lazy
from rlp.sedes import big_endian_int

from hansa.audit.report import Finding, Wrong
from hansa.protocol.types import BlockNumber, Timestamp
from hansa.runtime.chain.client import Block, Log

Item = bytes | list["Item"]

HEADER = (
    "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom", "difficulty",
    "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce", "baseFeePerGas", "withdrawalsRoot",
    "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash",
)  # fmt: skip
QUANTITIES = frozenset(
    {"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas"}
)
PARENT, RECEIPTS, NUMBER, TIME = (HEADER.index(n) for n in ("parentHash", "receiptsRoot", "number", "timestamp"))
DEEPEST = 4  # lists within lists in a receipt


def header_bytes(block: Mapping[str, Any]) -> bytes:
    """The RLP of a block's header, from a node's answer; its hash tells whether the chain hashes blocks like this."""
    fields = [name for name in HEADER if block.get(name) is not None]
    return _encode([_quantity(block[name]) if name in QUANTITIES else decode_hex(block[name]) for name in fields])


def receipt_bytes(receipt: Mapping[str, Any]) -> bytes:
    """A receipt as its trie holds it, from a node's answer."""
    logs: list[Item] = [
        [decode_hex(log["address"]), [decode_hex(topic) for topic in log["topics"]], decode_hex(log["data"])]
        for log in receipt["logs"]
    ]
    first = decode_hex(receipt["root"]) if receipt.get("root") else _quantity(receipt["status"])
    body = _encode([first, _quantity(receipt["cumulativeGasUsed"]), decode_hex(receipt["logsBloom"]), logs])
    kind = int(receipt.get("type") or "0x0", 16)
    return (bytes([kind]) if kind else b"") + body


def read_header(data: bytes) -> tuple[Block, bytes]:
    """The block that a header is of, and its receipts root. ValueError where it is no header."""
    fields = _decode(data)
    own = [field for field in fields if isinstance(field, bytes)] if isinstance(fields, list) else []
    if not 15 <= len(own) == len(fields) <= 32:
        raise ValueError("no header of a block")
    number, time = int.from_bytes(own[NUMBER], "big"), int.from_bytes(own[TIME], "big")
    return Block(BlockNumber(number), Timestamp(time), keccak(data), own[PARENT]), own[RECEIPTS]


def read_logs(number: int, receipts: Sequence[bytes]) -> list[Log]:
    """Every event of a block, in order. ValueError where something is no receipt."""
    found: list[Log] = []
    for data in receipts:
        body = _decode(data if data[:1] >= b"\xc0" else data[1:])
        if not isinstance(body, list) or len(body) != 4 or not isinstance(body[3], list):
            raise ValueError("no receipt")
        for entry in body[3]:
            match entry:
                case [bytes(address), list(topics), bytes(payload)] if len(address) == 20:
                    words = tuple(topic for topic in topics if isinstance(topic, bytes) and len(topic) == 32)
                    if len(words) != len(topics):
                        raise ValueError("no event's topics")
                    found.append(Log(BlockNumber(number), len(found), "0x" + address.hex(), words, payload))
                case _:
                    raise ValueError("no event")
    return found


def check_block(block: Block, header: bytes, receipts: Sequence[bytes] | None) -> list[Log]:
    """Every event of a block. Wrong unless header and receipts have the hash of the block. None: not asked for."""
    try:
        said, root = read_header(header)
        logs = read_logs(block.number, receipts or ())
    except ValueError as error:
        raise Wrong(Finding("header and receipts", "those of a block", str(error), block=block.number)) from error
    if said != block:
        raise Wrong(Finding("the block's header", str(block), str(said), block=block.number))
    if receipts is not None and (found := trie_root(receipts)) != root:
        raise Wrong(Finding("the block's receipts", f"root {root.hex()}", found.hex(), block=block.number))
    return logs


# --- the trie


def trie_root(values: Sequence[bytes]) -> bytes:
    """Root of the Merkle Patricia trie of a list: keys are the RLP of places."""
    items = sorted((_nibbles(_encode(big_endian_int.serialize(place))), value) for place, value in enumerate(values))
    return keccak(_encode(_node(items, 0)))


def _node(items: Sequence[tuple[tuple[int, ...], bytes]], depth: int) -> Item:
    """The node over keys, sorted, that agree up to `depth`; no key here is the beginning of another."""
    if not items:
        return b""
    first, last = items[0][0], items[-1][0]
    if len(items) == 1:
        return [_path(first[depth:], leaf=True), items[0][1]]
    shared = depth
    while first[shared] == last[shared]:
        shared += 1
    if shared > depth:
        return [_path(first[depth:shared], leaf=False), _reference(_node(items, shared))]
    parts = ([item for item in items if item[0][depth] == nibble] for nibble in range(16))
    return [*(_reference(_node(part, depth + 1)) for part in parts), b""]


def _reference(node: Item) -> Item:
    if node == b"":
        return b""
    encoded = _encode(node)
    return node if len(encoded) < 32 else keccak(encoded)


def _path(nibbles: Sequence[int], *, leaf: bool) -> bytes:
    flag = 2 * leaf + len(nibbles) % 2
    whole = [flag, *nibbles] if len(nibbles) % 2 else [flag, 0, *nibbles]
    return bytes(high << 4 | low for high, low in zip(whole[::2], whole[1::2], strict=True))


def _nibbles(key: bytes) -> tuple[int, ...]:
    return tuple(nibble for byte in key for nibble in (byte >> 4, byte & 15))


# --- RLP


def _encode(item: Item) -> bytes:
    encoded: bytes = rlp.encode(item, infer_serializer=False)
    return encoded


def _decode(data: bytes) -> Item:
    """What RLP encoded. ValueError for anything that it would not write.

    Lazily, as `rlp.decode` takes time that grows with the square of a list's length.
    """
    try:
        item = _in_full(decode_lazy(data), 0)
    except (DecodingError, AssertionError, IndexError) as error:
        raise ValueError("no RLP") from error
    if _encode(item) != data:
        raise ValueError("no RLP")
    return item


def _in_full(item: Any, depth: int) -> Item:
    if depth > DEEPEST:
        raise ValueError("RLP that goes too deep")
    return [_in_full(part, depth + 1) for part in item] if isinstance(item, LazyList) else bytes(item)


def _quantity(value: str) -> bytes:
    number: bytes = big_endian_int.serialize(int(value, 16))
    return number
