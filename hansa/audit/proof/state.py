"""Accounts and storage of a chain under one block's hash."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from eth_utils.crypto import keccak

from hansa.audit.proof.header import read_header
from hansa.audit.proof.trie import BadProof, Nodes
from hansa.audit.report import Finding, Wrong, shown
from hansa.protocol.types import Address
from hansa.runtime.chain.layout import Key, StorageLayout
from hansa.runtime.transactions.strict_rlp import BadRlp, decode, to_number

NO_CODE: Final = keccak(b"")


@dataclass(frozen=True)
class StateProof:
    """A block's header, RLP, and nodes of its state's tries: those that are needed, each once, sorted."""

    header: bytes
    nodes: Collection[bytes]


class Account(NamedTuple):
    nonce: int
    balance: int
    storage_root: bytes
    code_hash: bytes


class State:
    """What a proof proves, each account and slot looked up when it is asked for. BadProof, BadRlp where it does not."""

    def __init__(self, header: bytes, nodes: Iterable[bytes] = ()) -> None:
        self.header = header
        self.block, self._root = read_header(header)
        self._nodes = Nodes(nodes)
        self._accounts: dict[Address, Account | None] = {}

    @classmethod
    def of(cls, proof: StateProof) -> State:
        """BadProof unless every node stands once and in order."""
        return cls(proof.header, _ascending(proof.nodes))

    def add(self, nodes: Iterable[bytes]) -> None:
        """Takes more nodes."""
        self._nodes.add(nodes)

    def account(self, address: Address) -> Account | None:
        """None where the chain has no such account."""
        if address not in self._accounts:
            found = self._nodes.look_up(self._root, bytes.fromhex(address[2:]))
            self._accounts[address] = None if found is None else _account(found)
        return self._accounts[address]

    def code_hash(self, address: Address) -> bytes:
        """Of no code, where there is no such account."""
        account = self.account(address)
        return NO_CODE if account is None else account.code_hash

    def word(self, address: Address, slot: int) -> int:
        """What a slot holds: 0 where it is proven that it holds nothing. (Anvil keeps zeros, too.)"""
        account = self.account(address)
        if account is None:
            return 0
        found = self._nodes.look_up(account.storage_root, slot.to_bytes(32, "big"))
        return 0 if found is None else to_number(decode(found, 0))

    def require(self, address: Address, layout: StorageLayout, value: Any, *path: Key) -> int:
        """Wrong unless a place in a contract's storage holds `value`, as `StorageLayout.pack` reads it. Returns how
        many words it has."""
        words = layout.pack(value, *path)
        different = layout.difference(words, {slot: self.word(address, slot) for slot in words}, *path)
        if different is not None:
            name, expected, found = different
            raise Wrong(Finding(f"{layout.contract}'s {name}", shown(expected), shown(found)))
        return len(words)

    def check_used(self) -> None:
        """BadProof where nodes are here that nothing was looked up through."""
        visited = len(self._nodes.visited)
        if visited != len(self._nodes):
            raise BadProof(f"{len(self._nodes) - visited} nodes that prove nothing of the job")

    def proof(self) -> StateProof:
        """With the nodes that look-ups went through, and no others."""
        return StateProof(self.header, tuple(self._nodes.visited))


def _ascending(nodes: Iterable[bytes]) -> Iterator[bytes]:
    last = b""
    for node in nodes:
        if node <= last:
            raise BadProof("nodes that are there twice, or out of order")
        last = node
        yield node


def _account(data: bytes) -> Account:
    match decode(data, 1):
        case [nonce, balance, bytes(storage_root), bytes(code_hash)] if len(storage_root) == len(code_hash) == 32:
            return Account(to_number(nonce), to_number(balance), storage_root, code_hash)
    raise BadRlp("no account")
