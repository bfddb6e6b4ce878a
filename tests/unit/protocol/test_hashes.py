"""On-chain hashes, against the vectors that the contract tests read too."""

from __future__ import annotations

import pytest
from facts import VECTORS, unhex
from hypothesis import given
from hypothesis import strategies as st

from hansa.protocol import hashes
from hansa.protocol.types import Place

words = st.binary(min_size=32, max_size=32)


@pytest.mark.parametrize("fact", VECTORS["cycles"], ids=lambda fact: str(fact["counter"]))
def test_cycle__of_the_vectors__is_named_and_accumulated_alike(fact: dict) -> None:
    seed = hashes.cycle_seed(unhex(fact["prev_sheets"]), int(fact["prev_updates"]), unhex(fact["parent_hash"]))
    assert seed == unhex(fact["seed"])
    cycle = hashes.make_cycle(unhex(fact["prev_result"]), seed, fact["counter"], fact["everybody"])
    assert cycle == int(fact["cycle"])

    updates, sheets = hashes.updates_start(seed), seed
    assert updates == int(fact["updates_start"])
    for sent in fact["submitted"]:
        updates = hashes.updates_acc(updates, sent["trainer"], unhex(sent["digest"]))
        assert updates == int(sent["acc"])
    for sent in fact["revealed"]:
        sheets = hashes.sheets_acc(sheets, sent["seat"], unhex(sent["sheet"]), unhex(sent["salt"]))
        assert sheets == unhex(sent["acc"])

    if "result" in fact:
        vote = fact["result"]
        place = Place(vote["chain_id"], vote["federation"], int(vote["job"]), cycle)
        result = hashes.result_hash(place, updates, sheets, unhex(vote["model"]), unhex(vote["rewards"]))
        assert result == unhex(vote["hash"])
        for seat, sealed in vote["sealed"].items():
            assert hashes.sealed_vote(result, int(seat)) == int(sealed)


@given(words, words, st.integers(1, 2**23 - 1), st.booleans())
def test_make_cycle__any_counter__can_be_read_back(result: bytes, seed: bytes, counter: int, everybody: bool) -> None:
    cycle = hashes.make_cycle(result, seed, counter, everybody)
    assert 0 < cycle < 2**64
    assert hashes.cycle_counter(cycle) == counter
    assert hashes.everybody_due(cycle) is everybody


@pytest.mark.parametrize("counter", [-1, 0, 2**23])
def test_make_cycle__counter_out_of_range__is_refused(counter: int) -> None:
    with pytest.raises(ValueError):
        hashes.make_cycle(bytes(32), bytes(32), counter, False)


@given(words)
def test_updates_start__any_seed__is_never_zero(seed: bytes) -> None:
    assert 0 < hashes.updates_start(seed) < 2**128
