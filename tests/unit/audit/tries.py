"""Merkle Patricia tries made by the book, to be looked up in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eth_utils.crypto import keccak

from hansa.runtime.transactions.strict_rlp import Item, encode

Items = Sequence[tuple[str, bytes]]  # nibbles and values, sorted


def trie(values: Mapping[bytes, bytes]) -> tuple[bytes, list[bytes]]:
    """The root, and all nodes that have a hash; keys are hashed as Ethereum does it."""
    nodes: list[bytes] = []
    top = encode(_node(sorted((keccak(key).hex(), value) for key, value in values.items()), 0, nodes))
    return keccak(top), [*nodes, top]


def _node(items: Items, depth: int, nodes: list[bytes]) -> Item:
    if not items:
        return b""
    first, last = items[0][0], items[-1][0]
    if len(items) == 1:
        return [path(first[depth:], leaf=True), items[0][1]]
    shared = depth
    while first[shared] == last[shared]:
        shared += 1
    if shared > depth:
        return [path(first[depth:shared], leaf=False), _child(items, shared, nodes)]
    parts = ([item for item in items if item[0][depth] == nibble] for nibble in "0123456789abcdef")
    return [*(_child(part, depth + 1, nodes) for part in parts), b""]


def _child(items: Items, depth: int, nodes: list[bytes]) -> Item:
    node = _node(items, depth, nodes)
    encoded = encode(node)
    if node == b"" or len(encoded) < 32:
        return node
    nodes.append(encoded)
    return keccak(encoded)


def path(nibbles: str, *, leaf: bool) -> bytes:
    flag = 2 * leaf + len(nibbles) % 2
    return bytes.fromhex(f"{flag}{nibbles}" if len(nibbles) % 2 else f"{flag}0{nibbles}")
