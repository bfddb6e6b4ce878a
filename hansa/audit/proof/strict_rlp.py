"""RLP (Ethereum yellow paper, appendix B) that is read in one form only: what is read is what writing gives again."""

from __future__ import annotations

from typing import Any

import rlp
from rlp.exceptions import DecodingError
from rlp.lazy import LazyList, decode_lazy
from rlp.sedes import big_endian_int

Item = bytes | list["Item"]


class BadRlp(ValueError):
    """Bytes that nobody would write as RLP."""


def encode(item: Item) -> bytes:
    encoded: bytes = rlp.encode(item, infer_serializer=False)
    return encoded


def decode(data: bytes, deepest: int) -> Item:
    """What RLP encoded, lists within lists up to `deepest`. BadRlp for anything that it would not write.

    Lazily, as `rlp.decode` takes time that grows with the square of a list's length.
    """
    try:
        item = _in_full(decode_lazy(data), deepest)
    except (DecodingError, AssertionError, IndexError) as error:
        raise BadRlp("no RLP") from error
    if encode(item) != data:
        raise BadRlp("no RLP, or not as it is written")
    return item


def number_bytes(number: int) -> bytes:
    """Big-endian, without zeros before: how RLP writes numbers."""
    written: bytes = big_endian_int.serialize(number)
    return written


def to_number(data: Item, bits: int = 256) -> int:
    """BadRlp for a list, zeros before, or more than `bits`."""
    if not isinstance(data, bytes) or data[:1] == b"\0" or 8 * len(data) > bits:
        raise BadRlp("no number")
    return int.from_bytes(data, "big")


def _in_full(item: Any, deepest: int) -> Item:
    if not isinstance(item, LazyList):
        return bytes(item)
    if deepest == 0:
        raise BadRlp("RLP that goes too deep")
    return [_in_full(part, deepest - 1) for part in item]
