"""What a transaction's data asks of a contract, call by call: bundles of calls taken apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import encode

from hansa.protocol.typed_data import SIGNED_CALLS
from hansa.runtime.chain.abi import Artifact, BadEncoding, decode_exactly

BUNDLE: Final = "multicall"
DEEPEST: Final = 16  # bundles within bundles
WORD: Final = 32
MOST_POINTED: Final = (
    2**22
)  # bytes in a transaction's bundles, those that are pointed at twice counted twice; more than a block pays


@dataclass(frozen=True)
class ReadCall:
    """A function, and its arguments by name."""

    name: str
    arguments: dict[str, Any]


def read_calls(contract: Artifact, data: bytes, deepest: int = DEEPEST) -> Iterator[ReadCall]:
    """The calls in a transaction's data, in the order in which they are made; those in a bundle have the same sender.

    BadEncoding where a function is not the contract's, or the data is not the only encoding of its arguments. What
    carries the signature of its arguments themselves may be encoded in any way.
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
    if function.name in SIGNED_CALLS:
        values = decode_exactly([field.type for field in function.inputs], data[4:])
    else:
        values = function.read(data[4:])
    yield ReadCall(function.name, dict(zip((field.name for field in function.inputs), values, strict=True)))


def signed_calls(contract: Artifact, data: bytes) -> Iterator[ReadCall]:
    """Of data in whatever encoding, the calls that carry a signature: it tells who asked for them, and for what.

    Bundles that point at more than `MOST_POINTED` bytes, all of them together, are passed over: one in another, each
    pointing often at the same bytes, would never end.
    """
    waiting, left = [(data, DEEPEST)], MOST_POINTED
    while waiting:
        part, deepest = waiting.pop()
        function = next((known for known in contract.functions.values() if known.selector == part[:4]), None)
        try:
            if function is not None and function.name == BUNDLE and deepest:
                parts = _pointed(part[4:], left)
                left -= sum(len(each) + WORD for each in parts)
                waiting += [(each, deepest - 1) for each in reversed(parts)]
            elif function is not None and function.name in SIGNED_CALLS:
                yield from read_calls(contract, part)
        except BadEncoding:
            continue


def _pointed(data: bytes, left: int) -> list[bytes]:
    """What a `bytes[]` holds as a contract reads it: parts may stand anywhere, and more than once. left: the most bytes
    that they may have."""

    def word(at: int) -> int:
        if at + WORD > len(data):
            raise BadEncoding(f"{BUNDLE}: a place after the end")
        return int.from_bytes(data[at : at + WORD], "big")

    first = word(0) + WORD
    count, items = word(first - WORD), list[bytes]()
    for place in range(min(count, len(data) // WORD)):
        at = first + word(first + WORD * place)
        left -= (size := word(at)) + WORD
        if left < 0 or at + WORD + size > len(data):
            raise BadEncoding(f"{BUNDLE}: more bytes than there are")
        items.append(data[at + WORD : at + WORD + size])
    return items


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
