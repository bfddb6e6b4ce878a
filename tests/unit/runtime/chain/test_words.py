"""The quick decoder gives what eth_abi gives, or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from hypothesis import given
from hypothesis import strategies as st

from hansa.runtime.chain.abi import BadEncoding, artifact, decode_exactly
from hansa.runtime.chain.words import Unusual, decode_words

WORDS: dict[str, st.SearchStrategy[Any]] = {
    "uint256": st.integers(0, 2**256 - 1),
    "uint8": st.integers(0, 255),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "address": st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex()),
    "bool": st.booleans(),
    "bytes32": st.binary(min_size=32, max_size=32),
    "bytes4": st.binary(min_size=4, max_size=4),
    "bytes": st.binary(max_size=70),
}


def typed(deep: int) -> st.SearchStrategy[tuple[str, st.SearchStrategy[Any]]]:
    """A type, and values of it."""
    plain = st.sampled_from(sorted(WORDS)).map(lambda name: (name, WORDS[name]))
    if deep == 0:
        return plain
    inner = typed(deep - 1)
    arrays = inner.map(lambda one: (f"{one[0]}[]", st.lists(one[1], max_size=3).map(tuple)))
    tuples = st.lists(inner, min_size=1, max_size=4).map(
        lambda parts: (f"({','.join(kind for kind, _ in parts)})", st.tuples(*(values for _, values in parts)))
    )
    return st.one_of(plain, arrays, tuples)


@given(st.data(), st.lists(typed(2), min_size=1, max_size=4))
def test_decode__of_the_usual_encoding__is_eth_abis(data: st.DataObject, fields: list[Any]) -> None:
    types = [kind for kind, _ in fields]
    encoded = encode(types, [data.draw(values) for _, values in fields])
    assert decode_words(types, encoded) == decode(types, encoded)


@given(st.data(), st.lists(typed(2), min_size=1, max_size=3))
def test_decode__of_changed_bytes__is_eth_abis_or_unusual(data: st.DataObject, fields: list[Any]) -> None:
    types = [kind for kind, _ in fields]
    changed = bytearray(encode(types, [data.draw(values) for _, values in fields]))
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(changed[: data.draw(st.integers(0, len(changed)))])
    for given_bytes in (bytes(changed), cut):
        try:
            found = decode_words(types, given_bytes)
        except Unusual:
            continue
        assert found == decode(types, given_bytes)


def test_decode__left_over_bytes_and_unknown_types__are_for_the_other_decoder() -> None:
    encoded = encode(["uint8"], [7])
    with pytest.raises(Unusual):
        decode_words(["uint8"], encoded + bytes(32))
    assert decode_exactly(["uint8"], encoded + bytes(32)) == (7,)
    assert decode_exactly(["string"], encode(["string"], ["seven"])) == ("seven",)
    with pytest.raises(BadEncoding):
        decode_exactly(["uint8"], b"\1" + encoded[1:])
    with pytest.raises(DecodingError):
        decode(["uint8"], b"\1" + encoded[1:])


def test_decode__knows_every_type_that_daemons_read() -> None:
    for function in artifact("Federation").functions.values():
        types = [field.type for field in function.outputs]
        with pytest.raises(Unusual, match="too early") if types else pytest.raises(Unusual, match="left over"):
            decode_words(types, b"" if types else b"\0")
