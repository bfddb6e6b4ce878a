"""RLP (Ethereum yellow paper, appendix B) that is read in one form only: what is read is what writing gives again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Final, TypeVar

import rlp

T = TypeVar("T")
Item = bytes | list["Item"]

STRING, LIST = 0x80, 0xC0  # the first bytes of empty ones
SHORT: Final = 56  # bytes from which on a length is written by itself


class BadRlp(ValueError):
    """Bytes that nobody would write as RLP."""


def encode(item: Item) -> bytes:
    encoded: bytes = rlp.encode(item, infer_serializer=False)
    return encoded


def decode(data: bytes, deepest: int) -> Item:
    """What RLP encoded, lists within lists up to `deepest`. BadRlp for anything that it would not write."""
    return _in_full(*only(memoryview(data)), deepest)


def only(data: memoryview) -> tuple[bool, memoryview]:
    """The one item that is there, as `split` gives it."""
    found = list(zip(split(data), range(2), strict=False))
    if len(found) != 1:
        raise BadRlp("no RLP, or more than one item of it")
    return found[0][0]


def split(data: memoryview) -> Iterator[tuple[bool, memoryview]]:
    """The items in a list's payload, in order: whether each is a list, and its own payload. BadRlp when one is none.

    Nothing is copied, so a list may be far larger than what its items would take as objects.
    """
    at = 0
    while at < len(data):
        first = data[at]
        if first < STRING:
            yield False, data[at : at + 1]
            at += 1
            continue
        is_list = first >= LIST
        at, size = _length(data, at + 1, first - (LIST if is_list else STRING))
        if at + size > len(data):
            raise BadRlp("RLP that is cut short")
        if size == 1 and not is_list and data[at] < STRING:
            raise BadRlp("a byte that is written as a string")
        yield is_list, data[at : at + size]
        at += size


def _length(data: memoryview, at: int, size: int) -> tuple[int, int]:
    """Where a payload begins, and its bytes."""
    if size < SHORT:
        return at, size
    width = size - SHORT + 1
    written = bytes(data[at : at + width])
    long = int.from_bytes(written, "big")
    if len(written) != width or written[0] == 0 or long < SHORT:
        raise BadRlp("a length that is not as it is written")
    return at + width, long


def _in_full(is_list: bool, payload: memoryview, deepest: int) -> Item:
    if not is_list:
        return bytes(payload)
    if deepest == 0:
        raise BadRlp("RLP that goes too deep")
    return [_in_full(*item, deepest - 1) for item in split(payload)]


class Packed(Collection[T]):
    """A list that stays as it is written: its items are read, one by one, whenever somebody goes through it.

    read: makes an item of an RLP item, as `split` gives it.
    """

    def __init__(self, payload: memoryview, read: Callable[[bool, memoryview], T]) -> None:
        self._payload, self._read = payload, read

    def __iter__(self) -> Iterator[T]:
        return (self._read(*item) for item in split(self._payload))

    def __len__(self) -> int:
        return sum(1 for _ in split(self._payload))

    def __contains__(self, item: object) -> bool:
        return any(own == item for own in self)


# --- parts of items


def to_bytes(is_list: bool, payload: memoryview) -> bytes:
    """BadRlp for a list."""
    if is_list:
        raise BadRlp("a list where bytes should be")
    return bytes(payload)


def number_bytes(number: int) -> bytes:
    """Big-endian, without zeros before: how RLP writes numbers. BadRlp for one below 0."""
    if number < 0:
        raise BadRlp(f"{number} is below 0")
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def to_number(data: Item, bits: int = 256) -> int:
    """BadRlp for a list, zeros before, or more than `bits`."""
    if not isinstance(data, bytes) or data[:1] == b"\0" or 8 * len(data) > bits + 7 or int.from_bytes(data) >> bits:
        raise BadRlp("no number")
    return int.from_bytes(data, "big")
