"""Look-ups in tries of strangers: what stands there, that nothing does, or why neither is proven."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st
from tries import path, trie

from hansa.audit.proof.trie import EMPTY_ROOT, MOST_NODES, BadProof, Nodes
from hansa.runtime.transactions.strict_rlp import encode

VALUES = {number.to_bytes(32, "big"): b"value %d" % number for number in range(200)}
ROOT, NODES = trie(VALUES)
FIRST, ABSENT = next(iter(VALUES)), b"\xff" * 32


def walked(key: bytes) -> list[bytes]:
    nodes = Nodes(NODES)
    nodes.look_up(ROOT, key)
    return nodes.visited


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.binary(max_size=4), st.binary(min_size=1, max_size=40), max_size=40), st.binary(max_size=5))
def test_look_up__finds_what_was_put_in__and_nothing_else(values: dict[bytes, bytes], other: bytes) -> None:
    root, nodes = trie(values) if values else (EMPTY_ROOT, [])
    held = Nodes(nodes)
    for key, value in values.items():
        assert held.look_up(root, key) == value
    assert held.visited == sorted(set(nodes)), "every node leads to something"
    assert held.look_up(root, other) == values.get(other)


def test_look_up__visits_the_nodes_of_its_path_alone() -> None:
    assert len(NODES) > len(walked(FIRST)) > 2
    assert Nodes(walked(FIRST)).look_up(ROOT, FIRST) == VALUES[FIRST]
    assert Nodes(walked(ABSENT)).look_up(ROOT, ABSENT) is None


@pytest.mark.parametrize("key", [FIRST, ABSENT])
def test_look_up__without_one_of_its_nodes__is_refused(key: bytes) -> None:
    for gone in walked(key):
        with pytest.raises(BadProof, match=f"the node 0x{keccak(gone).hex()} is missing"):
            Nodes(node for node in NODES if node != gone).look_up(ROOT, key)


def test_look_up__with_a_changed_node__is_refused() -> None:
    for changed in walked(FIRST):
        for other in (changed[:-1] + bytes([changed[-1] ^ 1]), changed + b"\0", changed[:-1]):
            with pytest.raises(BadProof, match="is missing"):
                Nodes(other if node == changed else node for node in NODES).look_up(ROOT, FIRST)


def test_look_up__below_another_root__is_refused() -> None:
    with pytest.raises(BadProof, match="is missing"):
        Nodes(NODES).look_up(bytes(32), FIRST)
    other, nodes = trie({**VALUES, FIRST: b"another"})
    with pytest.raises(BadProof, match="is missing"):
        Nodes(NODES).look_up(other, FIRST)
    assert Nodes([*NODES, *nodes]).look_up(other, FIRST) == b"another"
    assert Nodes([*NODES, *nodes]).look_up(ROOT, FIRST) == VALUES[FIRST]


def test_look_up__in_an_empty_trie__needs_no_node() -> None:
    assert Nodes().look_up(EMPTY_ROOT, FIRST) is None


NIBBLES = keccak(FIRST).hex()
REST = [b""] * 16
ODD: dict[str, Callable[[], object]] = {
    "a string": lambda: b"x" * 40,
    "no parts": list,
    "three parts": lambda: [b"x" * 20, b"y" * 20, b""],
    "sixteen parts": lambda: [b"x" * 32, *REST[1:]],
    "a list for a path": lambda: [[b"x" * 32], b"y"],
    "no path": lambda: [b"", b"y" * 40],
    "flags of a path": lambda: [b"\x40" + bytes.fromhex(NIBBLES), b"y"],
    "a filled path": lambda: [b"\x2f" + bytes.fromhex(NIBBLES), b"y"],
    "a leaf's path too short": lambda: [path(NIBBLES[:-2], leaf=True), b"y"],
    "a leaf's path too long": lambda: [path(NIBBLES + "00", leaf=True), b"y"],
    "a leaf of nothing": lambda: [path(NIBBLES, leaf=True), b""],
    "a leaf of a list": lambda: [path(NIBBLES, leaf=True), [b"y"]],
    "a step of no nibbles": lambda: [path("", leaf=False), b"y" * 32],
    "a step to the end": lambda: [path(NIBBLES, leaf=False), b"y" * 32],
    "a step to nothing": lambda: [path(NIBBLES[:60], leaf=False), b""],
    "a step to bytes": lambda: [path(NIBBLES[:60], leaf=False), b"y" * 31],
    "nodes within nodes": lambda: [path(NIBBLES[:40], leaf=False), [[[[[[[[[[b"y"]]]]]]]]]]],
}


@pytest.mark.parametrize("made", ODD.values(), ids=ODD)
def test_node__that_is_none__is_refused(made: Callable[[], object]) -> None:
    data = encode(made())  # type: ignore[arg-type]
    data = data if len(data) >= 32 else encode([made(), b"z" * 32])  # type: ignore[list-item]
    with pytest.raises(BadProof):
        Nodes([data]).look_up(keccak(data), FIRST)


def test_node__in_another_encoding__is_refused() -> None:
    long_form = b"\xf8\x23" + encode([path(NIBBLES, leaf=True), b"y"])[1:]
    for data in (long_form, encode([path(NIBBLES, leaf=True), b"y"]) + b"\0"):
        with pytest.raises(BadProof, match="is no node"):
            Nodes([data]).look_up(keccak(data), FIRST)


@pytest.mark.parametrize("size", [0, 31, 1025])
def test_node__of_an_impossible_length__is_refused(size: int) -> None:
    with pytest.raises(BadProof, match=f"a node of {size} bytes"):
        Nodes([b"x" * size])


def test_nodes__more_than_any_job_needs__are_refused() -> None:
    with pytest.raises(BadProof, match="more than"):
        Nodes(number.to_bytes(32, "big") for number in range(MOST_NODES + 1))
