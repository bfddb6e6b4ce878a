"""ATTEST: bitmaps, and a member that says its own once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from records import STATE
from releasing import CYCLE, SEATS, Member

from aggregator.steps import attest, bitmap, is_set, step_key
from hansa.protocol.types import Phase, Timestamp


@pytest.fixture
def members(tmp_path: Path) -> list[Member]:
    return [Member(tmp_path, seat) for seat in range(SEATS)]


@pytest.mark.parametrize(
    ("bits", "data"),
    [
        ([], ""),
        ([True], "01"),
        ([False] * 8 + [True], "0001"),
        ([True] * 8, "ff"),
        ([False, True] + [True] * 8, "fe03"),
    ],
)
def test_bitmap__is_as_the_contract_takes_it(bits: list[bool], data: str) -> None:
    assert bitmap(bits).hex() == data
    assert [is_set(bitmap(bits), place) for place in range(len(bits))] == bits


def test_attest__is_journalled_and_sent_again(members: list[Member]) -> None:
    one, state = members[1], replace(STATE, phase=Phase.ATTEST, cycle=CYCLE, deadline=Timestamp(100))
    attest(one.desk, state, one.seat, lambda: None)
    assert one.sent == []
    attest(one.desk, state, one.seat, lambda: [True, False])
    attest(one.desk, state, one.seat, lambda: [True, True])
    assert one.sent == [("attest", 1, b"\1")] * 2
    assert one.desk.journal.recall(step_key(one.desk, one.follower.cycles[-1], "attest")) == {"bits": b"\1"}
    attest(one.desk, replace(state, attested=2), one.seat, lambda: [True, True])
    assert len(one.sent) == 2
