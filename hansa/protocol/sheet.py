"""Score sheets: one validator's verdict, gain and news for every update of a cycle, 13 bytes each."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from typing import Final, NamedTuple

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from hansa.protocol.errors import Malformed
from hansa.protocol.types import UNIT, Address, Code, Place

ENTRY_BYTES: Final = 13
LIMIT: Final = 2**40  # largest gain or news, 1e-9
NO_METRIC: Final = -(2**63)  # stands for a metric that is not finite

_CODES: Final = {int(code): code for code in Code}
_CARRYING: Final = (Code.OK, Code.DUPLICATE)


class Entry(NamedTuple):
    """One line of a sheet. Gain and news, in units of 1e-9, of an update that is OK; of a DUPLICATE stand there the
    place of the update that it repeats, and their cosine, 1e-9. 0 with every other code."""

    code: Code
    gain: int = 0
    news: int = 0


def encode_sheet(entries: Iterable[Entry]) -> bytes:
    """The bytes that are committed and revealed: code u8, gain and news as big-endian signed 48 bits each."""
    return b"".join(_pack(entry) for entry in entries)


def decode_sheet(data: bytes, n: int) -> list[Entry]:
    """Reads a sheet about `n` updates.

    Raises Malformed for another length. What is left is settled here, alike for every reader: an unknown code is
    UNREACHABLE, values beyond ±2⁴⁰ are clamped, and those of entries that are neither OK nor DUPLICATE are 0.
    """
    if len(data) != ENTRY_BYTES * n:
        raise Malformed("score sheet", cause=f"{len(data)} bytes for {n} updates, not {ENTRY_BYTES * n}")
    return [_unpack(data[i : i + ENTRY_BYTES]) for i in range(0, len(data), ENTRY_BYTES)]


def to_units(x: float) -> int:
    """A gain or news as a sheet carries it: units of 1e-9, clamped to ±2⁴⁰, 0 if not finite."""
    return _clamp(_scaled(x)) if math.isfinite(x) else 0


def to_metric(x: float) -> int:
    """A metric as `vote` carries it: int64 in units of 1e-9, −2⁶³ if not finite."""
    return max(-(2**63) + 1, min(_scaled(x), 2**63 - 1)) if math.isfinite(x) else NO_METRIC


def commitment(place: Place, member: Address, sheet: bytes, salt: bytes) -> bytes:
    """What `commitScores` binds a member to. salt: 32 bytes."""
    types = ["uint256", "address", "uint256", "uint64", "address", "bytes32", "bytes32"]
    return keccak(encode(types, [*place, member, keccak(sheet), salt]))


def _scaled(x: float) -> int:
    return round(x * UNIT) if abs(x) < 2**64 else int(math.copysign(2**64, x)) * UNIT


def _clamp(value: int) -> int:
    return max(-LIMIT, min(value, LIMIT))


def _pack(entry: Entry) -> bytes:
    gain, news = (_clamp(entry.gain), _clamp(entry.news)) if entry.code in _CARRYING else (0, 0)
    return struct.pack(">B", entry.code) + gain.to_bytes(6, "big", signed=True) + news.to_bytes(6, "big", signed=True)


def _unpack(data: bytes) -> Entry:
    code = _CODES.get(data[0], Code.UNREACHABLE)
    if code not in _CARRYING:
        return Entry(code)
    gain, news = (int.from_bytes(part, "big", signed=True) for part in (data[1:7], data[7:13]))
    return Entry(code, _clamp(gain), _clamp(news))
