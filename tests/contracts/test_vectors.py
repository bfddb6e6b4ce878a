"""The vectors that Python and the web page read hold in Solidity too."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from brownie import VectorHashes
from brownie.test import given
from hypothesis import settings
from hypothesis import strategies as st
from node import call
from terms import REWARD

from hansa.protocol import merkle
from hansa.protocol.types import Phase

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "protocol.json").read_text())
LOW_160 = 2**160 - 1


def unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


@pytest.fixture(scope="module")
def hashes(house, actors):
    return VectorHashes.deploy({"from": actors["mallory"]})


@pytest.fixture(params=VECTORS["cycles"], ids=lambda fact: f"cycle-{fact['counter']}")
def cycle(request):
    return request.param


def test_draw_seed_and_cycle__agree(hashes, cycle):
    place = (cycle["chain_id"], cycle["federation"], int(cycle["job"]))
    seen = (unhex(cycle["prev_sheets"]), int(cycle["prev_updates"]), unhex(cycle["randomness"]))
    draw = hashes.drawOf(*place, *seen)
    assert bytes(draw) == unhex(cycle["draw"])
    history = unhex(cycle["prev_history"])
    if "lapsed" in cycle:
        history = hashes.linkOf(history, hashes.lapsedOf(cycle["lapsed"]))
        assert bytes(history) == unhex(cycle["lapsed_history"])
    opened = hashes.openedOf(draw, cycle["committee"], [unhex(key) for key in cycle["keys"]])
    seed = hashes.linkOf(history, opened)
    assert bytes(seed) == unhex(cycle["seed"])
    named = hashes.cycleOf(seed, cycle["counter"], cycle["everybody"])
    assert named == int(cycle["cycle"])
    assert tuple(hashes.partsOf(named)) == (cycle["counter"], cycle["everybody"])


def test_accumulators__agree(hashes, cycle):
    acc = int(cycle["updates_start"])
    assert acc == int(cycle["seed"], 16) % 2**128 | 1
    for update in cycle["submitted"]:
        acc = hashes.updatesOf(acc, update["trainer"], unhex(update["digest"]))
        assert acc == int(update["acc"])
    sheets = unhex(cycle["seed"])
    for shown in cycle["attested"]:
        sheets = bytes(hashes.attestsOf(sheets, shown["seat"], unhex(shown["bitmap"])))
        assert sheets == unhex(shown["acc"])
    for shown in cycle["released"]:
        sheets = bytes(hashes.releasesOf(sheets, shown["seat"], unhex(shown["digest"])))
        assert sheets == unhex(shown["acc"])
    for shown in cycle["revealed"]:
        sheets = bytes(hashes.sheetsOf(sheets, shown["seat"], unhex(shown["sheet"]), unhex(shown["salt"])))
        assert sheets == unhex(shown["acc"])


def test_result_and_sealed_votes__agree(hashes, cycle):
    end = cycle["end"]
    place = (cycle["chain_id"], cycle["federation"], int(cycle["job"]), int(cycle["cycle"]))
    opened = [unhex(end.get(part, "00" * 32)) for part in ("model", "rewards")]
    result = hashes.resultOf(*place, *accumulated(cycle), *opened)
    assert bytes(result) == unhex(end["hash"])
    for seat, sealed in end["sealed"].items():
        assert hashes.sealedOf(result, int(seat)) == int(sealed)
        assert hashes.isFor(hashes.wordOf(int(sealed), -7), result, int(seat))
        assert not hashes.isFor(hashes.wordOf(int(sealed), -7), result, int(seat) + 1)


def test_end__is_linked_alike(hashes, cycle):
    end = cycle["end"]
    words = unhex(end["words"])
    if end["votes"]:
        votes = [int(end["votes"].get(str(seat), "0")) for seat in range(3)]
        assert bytes(hashes.wordsOf(votes)) == words
        assert [hashes.metricOf(vote) for vote in votes] == [-5, 0, -(2**63)]
        assert hashes.wordOf(int(end["sealed"]["0"]), -5) == votes[0]
    spans = 2**110 - 1 << 144  # the contract's board has them above the bitmaps: they are no part of the link
    board = int(end["board"]) | spans
    if end["ending"] == "finalised":
        payload = hashes.finalisedOf(unhex(end["hash"]), board, words, end["time"])
    else:
        outcome = (end["reached"], int(end["burn"]), end["time"])
        payload = hashes.failedOf(int(cycle["cycle"]), *accumulated(cycle), board, words, *outcome)
    assert bytes(payload) == unhex(end["payload"])
    assert bytes(hashes.linkOf(unhex(cycle["seed"]), payload)) == unhex(end["history"])


def test_cycles__follow_on_each_other():
    for cycle, following in pairwise(VECTORS["cycles"]):
        assert following["prev_history"] == cycle["end"]["history"]
        assert following["prev_sheets"] == cycle["revealed"][-1]["acc"]
        assert following["prev_updates"] == cycle["submitted"][-1]["acc"]


def accumulated(cycle):
    """Updates and sheets as the cycle leaves them."""
    return int(cycle["submitted"][-1]["acc"]), unhex(cycle["revealed"][-1]["acc"])


@pytest.mark.parametrize("fact", VECTORS["commitments"], ids=lambda fact: f"{len(unhex(fact['sheet']))}-bytes")
def test_commitments__agree(hashes, fact):
    place = (fact["chain_id"], fact["federation"], int(fact["job"]), int(fact["cycle"]), fact["member"])
    assert bytes(hashes.commitmentOf(*place, unhex(fact["sheet"]), unhex(fact["salt"]))) == unhex(fact["commitment"])


@pytest.mark.parametrize("tree", VECTORS["rewards"], ids=lambda tree: f"{len(tree['leaves'])}-leaves")
def test_rewards__every_leaf_is_under_its_root(hashes, tree):
    for leaf in tree["leaves"]:
        values = (int(leaf["pay"]), leaf["strike"], leaf["reputation"])
        proof = [unhex(sibling) for sibling in leaf["proof"]]
        assert bytes(hashes.standardRootOf(leaf["trainer"], values, proof)) == unhex(tree["root"])
        assert hashes.rootOf(leaf["trainer"], values, proof) == int(tree["root"], 16) & LOW_160


@pytest.mark.parametrize("tree", VECTORS["rewards"], ids=lambda tree: f"{len(tree['leaves'])}-leaves")
def test_rewards__the_vault_takes_every_leaf(play, house, tree):
    """A round is finalised with the vectors' own root, and each trainer of theirs is paid."""
    job = play(Phase.SUBMIT, maxRounds=1)
    job.result = lambda model=None: (unhex(VECTORS["cycles"][0]["end"]["model"]), unhex(tree["root"]))
    job.leaves = {}
    job.play_to_end()
    for leaf in tree["leaves"]:
        values = (int(leaf["pay"]), leaf["strike"], leaf["reputation"])
        claim = (1, values, [unhex(sibling) for sibling in leaf["proof"]])
        house.vault.claim(job.id, leaf["trainer"], [claim], {"from": house.sponsor})
        assert house.vault.isClaimed(job.id, leaf["trainer"], 1)
    assert job.books.paid == min(REWARD, sum(int(leaf["pay"]) for leaf in tree["leaves"]))


WORDS = st.binary(min_size=32, max_size=32)
VALUES = st.integers(0, 2**256 - 1)


@settings(max_examples=40)
@given(trainer=st.integers(0, 2**160 - 1), leaf=st.tuples(VALUES, VALUES, VALUES), proof=st.lists(WORDS, max_size=11))
def test_root__of_the_vault__is_openzeppelins(hashes, trainer, leaf, proof):
    """The vault works roots out by its own assembly."""
    named = f"0x{trainer:040x}"
    standard = call(hashes.standardRootOf, named, leaf, proof)
    assert call(hashes.rootOf, named, leaf, proof) == int(standard.hex(), 16) & LOW_160
    assert bytes(standard) == walk(merkle.standard_leaf(["address", *["uint256"] * 3], (named, *leaf)), proof)


def walk(node: bytes, proof: list[bytes]) -> bytes:
    for sibling in proof:
        node = merkle._parent(node, sibling)
    return node
