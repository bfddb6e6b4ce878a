"""The rewards tree, equal to OpenZeppelin's StandardMerkleTree."""

from __future__ import annotations

from random import Random

import pytest
from eth_utils.crypto import keccak
from facts import VECTORS, unhex
from hypothesis import given
from hypothesis import strategies as st

from hansa.protocol import merkle
from hansa.protocol.merkle import Leaf, RewardsTree

accounts = st.binary(min_size=20, max_size=20).map(lambda data: "0x" + data.hex())
amounts = st.integers(0, 2**256 - 1)
leaves = st.lists(
    st.builds(Leaf, accounts, amounts, st.integers(0, 1), amounts),
    min_size=1,
    max_size=20,
    unique_by=lambda leaf: leaf.trainer,
)


def proves(root: bytes, leaf: bytes, proof: list[bytes]) -> bool:
    """As OpenZeppelin's MerkleProof: every sibling hashed with what is below, the smaller first."""
    node = leaf
    for sibling in proof:
        node = keccak(min(node, sibling) + max(node, sibling))
    return node == root


def test_build__openzeppelins_own_example__has_its_root() -> None:
    values = [("0x" + "11" * 20, 5 * 10**18), ("0x" + "22" * 20, 25 * 10**17)]
    hashes = sorted(merkle.standard_leaf(["address", "uint256"], value) for value in values)
    assert merkle.build(hashes)[0].hex() == "d4dee0beab2d53f2cc83e567171bd2820e49898130a22622b10ead383e90bd77"


@pytest.mark.parametrize("fact", VECTORS["rewards"], ids=lambda fact: f"{len(fact['leaves'])}_leaves")
def test_tree__of_the_vectors__has_their_root_and_proofs(fact: dict) -> None:
    rows = fact["leaves"]
    tree = RewardsTree([Leaf(row["trainer"], int(row["pay"]), row["strike"], row["reputation"]) for row in rows])
    assert tree.root == unhex(fact["root"])
    for row in rows:
        assert tree.leaf(row["trainer"]).hash == unhex(row["hash"])
        assert tree.proof(row["trainer"]) == [unhex(node) for node in row["proof"]]


@given(leaves, st.randoms())
def test_tree__any_leaves__proves_each_and_ignores_their_order(items: list[Leaf], random: Random) -> None:
    tree = RewardsTree(items)
    shuffled = list(items)
    random.shuffle(shuffled)
    assert RewardsTree(shuffled).root == tree.root
    for leaf in items:
        proof = tree.proof(leaf.trainer)
        assert proves(tree.root, leaf.hash, proof)
        assert not proves(tree.root, leaf._replace(strike=1 - leaf.strike).hash, proof)


def test_tree__two_leaves_of_one_trainer__is_refused() -> None:
    alice = "0x" + "aa" * 20
    with pytest.raises(ValueError):
        RewardsTree([Leaf(alice, 1, 0, 0), Leaf(alice, 2, 0, 0)])


def test_tree__no_leaves__is_refused() -> None:
    with pytest.raises(ValueError):
        RewardsTree([])


def test_proof__of_a_stranger__is_a_key_error() -> None:
    with pytest.raises(KeyError):
        RewardsTree([Leaf("0x" + "aa" * 20, 1, 0, 0)]).proof("0x" + "bb" * 20)
