"""What a transaction's data asks of a contract, call by call: bundles of calls taken apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import encode

from hansa.runtime.chain.abi import Artifact, BadEncoding, decode_exactly

BUNDLE: Final = "multicall"
DEEPEST: Final = 16  # bundles within bundles
WORD: Final = 32


@dataclass(frozen=True)
class ReadCall:
    """A function, and its arguments by name."""

    name: str
    arguments: dict[str, Any]


def read_calls(contract: Artifact, data: bytes, deepest: int = DEEPEST) -> Iterator[ReadCall]:
    """The calls in a transaction's data, in the order in which they are made; those in a bundle have the same sender.

    BadEncoding where a function is not the contract's, or the data is not the only encoding of its arguments.
    """
    function = next((known for known in contract.functions.values() if known.selector == data[:4]), None)
    if function is None:
        raise BadEncoding(f"0x{data[:4].hex()} is no function of {contract.name}")
    if function.name == BUNDLE:
        if deepest == 0:
            raise BadEncoding(f"bundles of calls within more than {DEEPEST} others")
        for part in _bundled(data[4:]):
            yield from read_calls(contract, part, deepest - 1)
        return
    types = [field.type for field in function.inputs]
    values = decode_exactly(types, data[4:])
    if encode(types, values) != data[4:]:
        raise BadEncoding(f"{function.name}: arguments that are not in their only encoding")
    yield ReadCall(function.name, dict(zip((field.name for field in function.inputs), values, strict=True)))


def _bundled(data: bytes) -> list[bytes]:
    """What the only encoding of one `bytes[]` holds. A general decoder would copy bytes as often as they are pointed
    at."""

    def word(at: int) -> int:
        return int.from_bytes(data[at : at + WORD], "big")

    count, items = word(WORD), []
    end = WORD * count
    if count > len(data) // WORD:
        raise BadEncoding(f"{BUNDLE}: more calls than bytes")
    for place in range(count):
        if word(WORD * (2 + place)) != end:
            raise BadEncoding(f"{BUNDLE}: calls that do not follow one another")
        start = 3 * WORD + end
        size = word(start - WORD)
        items.append(data[start : start + size])
        end += WORD + (size + WORD - 1) // WORD * WORD
    if encode(["bytes[]"], [items]) != data:
        raise BadEncoding(f"{BUNDLE}: arguments that are not in their only encoding")
    return items
