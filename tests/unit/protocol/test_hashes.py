"""On-chain hashes, against the vectors that the contract tests read too."""

from __future__ import annotations

import pytest
from facts import VECTORS, unhex
from hypothesis import given
from hypothesis import strategies as st

from hansa.protocol import hashes, links
from hansa.protocol.types import Place

words = st.binary(min_size=32, max_size=32)


@pytest.mark.parametrize("fact", VECTORS["cycles"], ids=lambda fact: str(fact["counter"]))
def test_cycle__of_the_vectors__is_drawn_named_and_accumulated_alike(fact: dict) -> None:
    sheets, updates, randomness = unhex(fact["prev_sheets"]), int(fact["prev_updates"]), unhex(fact["randomness"])
    drawn = hashes.draw(fact["chain_id"], fact["federation"], int(fact["job"]), sheets, updates, randomness)
    assert drawn == unhex(fact["draw"])
    history = unhex(fact["prev_history"])
    if "lapsed" in fact:
        history = links.link(history, links.lapsed(fact["lapsed"]))
        assert history == unhex(fact["lapsed_history"])
    seed = links.link(history, links.opened(drawn, fact["committee"], [unhex(key) for key in fact["keys"]]))
    assert seed == unhex(fact["seed"])
    assert hashes.make_cycle(seed, fact["counter"], fact["everybody"]) == int(fact["cycle"])

    updates, sheets = hashes.updates_start(seed), seed
    assert updates == int(fact["updates_start"])
    for sent in fact["submitted"]:
        updates = hashes.updates_acc(updates, sent["trainer"], unhex(sent["digest"]))
        assert updates == int(sent["acc"])
    for sent in fact["attested"]:
        sheets = hashes.attests_acc(sheets, sent["seat"], unhex(sent["bitmap"]))
        assert sheets == unhex(sent["acc"])
    for sent in fact["released"]:
        sheets = hashes.releases_acc(sheets, sent["seat"], unhex(sent["digest"]))
        assert sheets == unhex(sent["acc"])
    for sent in fact["revealed"]:
        sheets = hashes.sheets_acc(sheets, sent["seat"], unhex(sent["sheet"]), unhex(sent["salt"]))
        assert sheets == unhex(sent["acc"])


@pytest.mark.parametrize("fact", VECTORS["cycles"], ids=lambda fact: str(fact["counter"]))
def test_end__of_the_vectors__is_linked_alike(fact: dict) -> None:
    end, cycle = fact["end"], int(fact["cycle"])
    place = Place(fact["chain_id"], fact["federation"], int(fact["job"]), cycle)
    updates, sheets = int(fact["submitted"][-1]["acc"]), unhex(fact["revealed"][-1]["acc"])
    model, rewards = unhex(end.get("model", "00" * 32)), unhex(end.get("rewards", "00" * 32))
    result = hashes.result_hash(place, updates, sheets, model, rewards)
    assert result == unhex(end["hash"])
    for seat, sealed in end["sealed"].items():
        assert hashes.sealed_vote(result, int(seat)) == int(sealed)
    if end["votes"]:
        assert links.vote_word(int(end["sealed"]["0"]), -5) == int(end["votes"]["0"])
        votes = {int(seat): int(vote) for seat, vote in end["votes"].items()}
        assert links.votes_hash(votes, 3) == unhex(end["words"])

    board = links.Board(*(int(end["board"]) >> 24 * place & 0xFFFFFF for place in range(6)))
    assert board.word == int(end["board"])
    if end["ending"] == "finalised":
        payload = links.finalised(result, board, unhex(end["words"]), end["time"])
    else:
        words, burn = unhex(end["words"]), int(end["burn"])
        payload = links.failed(cycle, updates, sheets, board, words, end["reached"], burn, end["time"])
    assert payload == unhex(end["payload"])
    assert links.link(unhex(fact["seed"]), payload) == unhex(end["history"])


@given(words, st.integers(1, 2**23 - 1), st.booleans())
def test_make_cycle__any_counter__can_be_read_back(seed: bytes, counter: int, everybody: bool) -> None:
    cycle = hashes.make_cycle(seed, counter, everybody)
    assert 0 < cycle < 2**64
    assert hashes.cycle_counter(cycle) == counter
    assert hashes.everybody_due(cycle) is everybody


@pytest.mark.parametrize("counter", [-1, 0, 2**23])
def test_make_cycle__counter_out_of_range__is_refused(counter: int) -> None:
    with pytest.raises(ValueError):
        hashes.make_cycle(bytes(32), counter, False)


@given(words)
def test_updates_start__any_seed__is_never_zero(seed: bytes) -> None:
    assert 0 < hashes.updates_start(seed) < 2**128
