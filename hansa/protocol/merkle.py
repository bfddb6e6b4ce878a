"""Rewards of a round as a Merkle tree, equal to OpenZeppelin's StandardMerkleTree.

Leaves are hashed twice, sorted by hash and laid out from the end of one array; node i has children 2i+1 and 2i+2, and
pairs are sorted before they are hashed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from hansa.protocol.types import Address


class Leaf(NamedTuple):
    """What one round owes one trainer. pay: token's smallest unit; strike: 0 or 1; reputation: 0…10⁶."""

    trainer: Address
    pay: int
    strike: int
    reputation: int

    @property
    def hash(self) -> bytes:
        return standard_leaf(["address", "uint256", "uint256", "uint256"], self)


class RewardsTree:
    """The tree over one leaf for each enrolled trainer; the order of `leaves` does not matter."""

    def __init__(self, leaves: Sequence[Leaf]) -> None:
        if len({leaf.trainer for leaf in leaves}) != len(leaves):
            raise ValueError("a trainer has two leaves")
        self._leaves = {leaf.trainer: leaf for leaf in leaves}
        self._nodes = build(sorted(leaf.hash for leaf in leaves))
        self._index = {node: i for i, node in enumerate(self._nodes)}

    @property
    def root(self) -> bytes:
        return self._nodes[0]

    def leaf(self, trainer: Address) -> Leaf:
        """Raises KeyError if the trainer has none."""
        return self._leaves[trainer]

    def proof(self, trainer: Address) -> list[bytes]:
        """Siblings from the trainer's leaf to the root. Raises KeyError if the trainer has no leaf."""
        i = self._index[self._leaves[trainer].hash]
        path = []
        while i > 0:
            path.append(self._nodes[i + 1 if i % 2 else i - 1])
            i = (i - 1) // 2
        return path


def standard_leaf(types: Sequence[str], values: Sequence[object]) -> bytes:
    """Hash of a leaf with any values."""
    return keccak(keccak(encode(types, values)))


def build(hashes: Sequence[bytes]) -> list[bytes]:
    """All nodes, root first, over sorted leaf hashes."""
    if not hashes:
        raise ValueError("a tree needs a leaf")
    nodes = [b""] * (len(hashes) - 1) + list(reversed(hashes))
    for i in reversed(range(len(hashes) - 1)):
        nodes[i] = _parent(nodes[2 * i + 1], nodes[2 * i + 2])
    return nodes


def _parent(a: bytes, b: bytes) -> bytes:
    return keccak(min(a, b) + max(a, b))
