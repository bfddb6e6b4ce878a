"""Decodes what the ABI's usual encoding gives, word by word: ten times as fast as a decoder that takes any encoding.

Anything else (pointers that leave gaps or share bytes, padding that is not zero, bytes left over, types that are not
known here) is Unusual, and for such a decoder to judge.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

WORD = 32
NUMBER = re.compile(r"(u?)int(\d+)")
OCTETS = re.compile(r"bytes(\d+)")

Read = Callable[[bytes, int], tuple[Any, int]]  # data, where a value begins → the value, where it ends


class Unusual(ValueError):
    """Not the usual encoding."""


@dataclass(frozen=True)
class _Kind:
    """size: bytes in the head, where its end is known from the type alone; None for what stands in the tail."""

    size: int | None
    read: Read


def decode_words(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """The values of these types; as eth_abi gives them: addresses in lower case, arrays and tuples as tuples."""
    values, end = _kind(f"({','.join(types)})").read(data, 0)
    if end != len(data):
        raise Unusual("bytes are left over")
    found: tuple[Any, ...] = values
    return found


@cache
def _kind(kind: str) -> _Kind:
    if kind.endswith("[]"):
        return _array(_kind(kind[:-2]))
    if kind.startswith("(") and kind.endswith(")"):
        return _sequence(tuple(map(_kind, _parts(kind[1:-1]))))
    if kind == "bytes":
        return _Kind(None, _bytes)
    if (number := NUMBER.fullmatch(kind)) is not None:
        return _Kind(WORD, _number(int(number[2]), signed=not number[1]))
    if (octets := OCTETS.fullmatch(kind)) is not None:
        return _Kind(WORD, _octets(int(octets[1])))
    if kind == "address":
        return _Kind(WORD, _address)
    if kind == "bool":
        return _Kind(WORD, _bool)
    raise Unusual(f"{kind} is not known here")


def _parts(text: str) -> list[str]:
    """The types of a tuple's fields."""
    parts, depth, start = list[str](), 0, 0
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]] if text else []


def _word(data: bytes, at: int) -> bytes:
    word = data[at : at + WORD]
    if len(word) < WORD:
        raise Unusual("it ends too early")
    return word


def _number(bits: int, *, signed: bool) -> Read:
    least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)

    def read(data: bytes, at: int) -> tuple[int, int]:
        value = int.from_bytes(_word(data, at), "big", signed=signed)
        if not least <= value < most:
            raise Unusual(f"a number of more than {bits} bits")
        return value, at + WORD

    return read


def _octets(size: int) -> Read:
    padding = bytes(WORD - size)

    def read(data: bytes, at: int) -> tuple[bytes, int]:
        word = _word(data, at)
        if word[size:] != padding:
            raise Unusual("padding that is not zero")
        return word[:size], at + WORD

    return read


def _address(data: bytes, at: int) -> tuple[str, int]:
    word = _word(data, at)
    if any(word[:12]):
        raise Unusual("an address of more than 20 bytes")
    return "0x" + word[12:].hex(), at + WORD


def _bool(data: bytes, at: int) -> tuple[bool, int]:
    value = int.from_bytes(_word(data, at), "big")
    if value > 1:
        raise Unusual("neither true nor false")
    return bool(value), at + WORD


def _bytes(data: bytes, at: int) -> tuple[bytes, int]:
    size = int.from_bytes(_word(data, at), "big")
    start = at + WORD
    end = start + -(-size // WORD) * WORD
    if end > len(data) or any(data[start + size : end]):
        raise Unusual("bytes that are cut off, or padded with others than zeros")
    return data[start : start + size], end


def _array(item: _Kind) -> _Kind:
    def read(data: bytes, at: int) -> tuple[tuple[Any, ...], int]:
        count = int.from_bytes(_word(data, at), "big")
        if count > len(data) // WORD:
            raise Unusual("more items than bytes")
        values, end = _sequence((item,) * count).read(data, at + WORD)
        return values, end

    return _Kind(None, read)


def _sequence(kinds: tuple[_Kind, ...]) -> _Kind:
    """A tuple, or an array's items: each in the head, or in the tail, in order, with its distance in the head."""
    head = sum(WORD if kind.size is None else kind.size for kind in kinds)
    is_static = all(kind.size is not None for kind in kinds)

    def read(data: bytes, base: int) -> tuple[tuple[Any, ...], int]:
        values, at, tail = [], base, base + head
        for kind in kinds:
            if kind.size is not None:
                value, at = kind.read(data, at)
            elif int.from_bytes(_word(data, at), "big") == tail - base:
                value, tail = kind.read(data, tail)
                at += WORD
            else:
                raise Unusual("a pointer that leaves a gap, or goes back")
            values.append(value)
        return tuple(values), tail

    return _Kind(head if is_static else None, read)
