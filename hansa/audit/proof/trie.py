"""Merkle Patricia tries (Ethereum yellow paper, appendix D): what stands under a root, or that nothing does.

Nodes are known by their own hash: whoever hands them over can leave some out, but not put in a single wrong one.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from eth_utils.crypto import keccak

from hansa.runtime.transactions.strict_rlp import BadRlp, Item, decode, encode

EMPTY_ROOT: Final = keccak(encode(b""))
KEY: Final = 64  # nibbles of a key, which is hashed
LEAST_NODE, MOST_NODE = 32, 1024  # bytes; a shorter one stands within its parent
MOST_NODES: Final = 2**16  # a job of 1,000 trainers and as many rounds has 10,000 slots
ODD, LEAF = 1, 2  # flags of a path
DEEPEST = 6  # nodes within nodes; each has fewer than 32 bytes


class BadProof(ValueError):
    """Nodes that prove nothing: one is missing, or is none."""


class Nodes:
    """A set of nodes, and which of them were needed. BadProof for what can't be a node by its length."""

    def __init__(self, nodes: Iterable[bytes] = ()) -> None:
        self._nodes: dict[bytes, bytes] = {}
        self._visited: set[bytes] = set()
        self.add(nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    def add(self, nodes: Iterable[bytes]) -> None:
        for node in nodes:
            if not LEAST_NODE <= len(node) <= MOST_NODE:
                raise BadProof(f"a node of {len(node)} bytes")
            self._nodes[keccak(node)] = node
            if len(self._nodes) > MOST_NODES:
                raise BadProof(f"more than {MOST_NODES} nodes")

    @property
    def visited(self) -> list[bytes]:
        """The nodes that look-ups went through, sorted."""
        return sorted(self._nodes[known] for known in self._visited)

    def look_up(self, root: bytes, key: bytes) -> bytes | None:
        """What stands under the hash of `key`; None where it is proven that nothing does."""
        if root == EMPTY_ROOT:
            return None
        path, at, node = keccak(key).hex(), 0, self._open(root)
        while True:
            if len(node) == 17 and at < KEY:
                child = node[int(path[at], 16)]
                at += 1
                if child == b"":
                    return None
            else:
                nibbles, leaf = _read_path(node)
                end = at + len(nibbles)
                if end != KEY if leaf else end >= KEY:
                    raise BadProof(f"a path of {end} nibbles below the root 0x{root.hex()}")
                if path[at:end] != nibbles:
                    return None
                at, child = end, node[1]
                if leaf:
                    return _value(child)
            node = child if isinstance(child, list) else self._open(child)

    def _open(self, reference: bytes) -> list[Item]:
        node = self._nodes.get(reference)
        if node is None:
            raise BadProof(f"the node 0x{reference.hex()} is missing")
        self._visited.add(reference)
        return _decode_node(node)


@lru_cache(1024)
def _decode_node(data: bytes) -> list[Item]:
    try:
        node = decode(data, DEEPEST)
    except BadRlp as error:
        raise BadProof(f"0x{keccak(data).hex()} is no node: {error}") from error
    if not isinstance(node, list):
        raise BadProof(f"0x{keccak(data).hex()} is no node: no list")
    return node


def _read_path(node: list[Item]) -> tuple[str, bool]:
    """The nibbles that a node shares below itself, and whether it is a leaf."""
    head = node[0] if len(node) == 2 else b""
    if not isinstance(head, bytes) or not head or head[0] >> 4 > ODD + LEAF:
        raise BadProof(f"a node of {len(node)} parts, without a path")
    flags, nibbles = head[0] >> 4, head.hex()[1:]
    if not flags & ODD:
        if nibbles[0] != "0":
            raise BadProof("a path that is not as it is written")
        nibbles = nibbles[1:]
    if not nibbles and not flags & LEAF:
        raise BadProof("a path of no nibbles")
    return nibbles, bool(flags & LEAF)


def _value(part: Item) -> bytes:
    if not isinstance(part, bytes) or not part:
        raise BadProof("a leaf without a value")
    return part
