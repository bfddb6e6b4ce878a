"""Score sheets, commitments, and how measurements become integers."""

from __future__ import annotations

import math

import pytest
from facts import VECTORS, unhex
from hypothesis import given
from hypothesis import strategies as st

from hansa.protocol.errors import Malformed
from hansa.protocol.sheet import (
    ENTRY_BYTES,
    LIMIT,
    NO_METRIC,
    Entry,
    commitment,
    decode_sheet,
    encode_sheet,
    to_metric,
    to_units,
)
from hansa.protocol.types import Code, Place

values = st.integers(-LIMIT, LIMIT)
entries = st.one_of(
    st.builds(Entry, st.sampled_from([Code.OK, Code.DUPLICATE]), values, values),
    st.sampled_from([Code.UNREACHABLE, Code.MALFORMED, Code.ZERO]).map(Entry),
)


@given(st.lists(entries, max_size=30))
def test_sheet__any_entries__round_trip(items: list[Entry]) -> None:
    data = encode_sheet(items)
    assert len(data) == ENTRY_BYTES * len(items)
    assert decode_sheet(data, len(items)) == items


@given(st.binary(max_size=130))
def test_decode__any_bytes__is_entries_that_can_be_written(data: bytes) -> None:
    data = data[: len(data) // ENTRY_BYTES * ENTRY_BYTES]
    n = len(data) // ENTRY_BYTES
    read = decode_sheet(data, n)
    assert decode_sheet(encode_sheet(read), n) == read


@pytest.mark.parametrize("fact", VECTORS["sheet_bytes"], ids=lambda fact: f"{len(fact['read'])}_entries")
def test_decode__of_the_vectors__reads_alike(fact: dict) -> None:
    data = unhex(fact["bytes"])
    read = decode_sheet(data, len(data) // ENTRY_BYTES)
    assert [[int(code), str(gain), str(news)] for code, gain, news in read] == fact["read"]


@pytest.mark.parametrize(("size", "n"), [(0, 1), (12, 1), (14, 1), (13, 0), (26, 1), (13, 2)])
def test_decode__wrong_length__is_malformed(size: int, n: int) -> None:
    with pytest.raises(Malformed):
        decode_sheet(bytes(size), n)


def test_decode__unknown_code__is_unreachable() -> None:
    for code in (5, 6, 255):
        assert decode_sheet(bytes([code]) + b"\x01" * 12, 1) == [Entry(Code.UNREACHABLE)]


def test_encode__not_ok__carries_no_values() -> None:
    assert encode_sheet([Entry(Code.ZERO, 5, -5)]) == b"\x03" + bytes(12)


def test_encode__a_duplicate__carries_of_which_and_how_alike() -> None:
    data = encode_sheet([Entry(Code.DUPLICATE, 3, 998_000_000)])
    assert data == b"\x04" + (3).to_bytes(6, "big") + (998_000_000).to_bytes(6, "big")


def test_encode__beyond_the_limit__is_clamped() -> None:
    data = encode_sheet([Entry(Code.OK, 2**60, -(2**60))])
    assert decode_sheet(data, 1) == [Entry(Code.OK, LIMIT, -LIMIT)]


@pytest.mark.parametrize(
    ("x", "units"),
    [(0.0, 0), (-0.0, 0), (1.5, 1_500_000_000), (-1e-9, -1), (4e-10, 0), (1e300, LIMIT), (-1e300, -LIMIT)]
    + [(math.nan, 0), (math.inf, 0), (-math.inf, 0)],
)
def test_to_units__edges(x: float, units: int) -> None:
    assert to_units(x) == units


@pytest.mark.parametrize(
    ("x", "metric"),
    [(0.8255, 825_500_000), (-1e300, 1 - 2**63), (1e300, 2**63 - 1), (math.nan, NO_METRIC), (math.inf, NO_METRIC)],
)
def test_to_metric__edges(x: float, metric: int) -> None:
    assert to_metric(x) == metric


@pytest.mark.parametrize("fact", VECTORS["commitments"], ids=lambda fact: str(len(fact["sheet"])))
def test_commitment__of_the_vectors__is_alike(fact: dict) -> None:
    place = Place(fact["chain_id"], fact["federation"], int(fact["job"]), int(fact["cycle"]))
    assert commitment(place, fact["member"], unhex(fact["sheet"]), unhex(fact["salt"])) == unhex(fact["commitment"])
