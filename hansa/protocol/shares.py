"""Shamir's secret sharing, byte by byte in GF(2⁸) modulo x⁸ + x⁴ + x³ + x + 1 (0x11B, as in AES).

Not made to take the same time for every secret: each is used once, on its owner's machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Final

_MODULUS: Final = 0x11B


def _powers() -> tuple[bytes, bytes]:
    """Powers of the generator 3 (twice around, so that sums of logarithms need no modulus), and logarithms."""
    powers, value = bytearray(), 1
    for _ in range(255):
        powers.append(value)
        value ^= value << 1
        value ^= _MODULUS if value > 0xFF else 0
    logarithms = bytearray(256)
    for exponent, power in enumerate(powers):
        logarithms[power] = exponent
    return bytes(powers * 2), bytes(logarithms)


_POWERS, _LOGARITHMS = _powers()


def multiply(a: int, b: int) -> int:
    return _POWERS[_LOGARITHMS[a] + _LOGARITHMS[b]] if a and b else 0


def divide(a: int, b: int) -> int:
    """ZeroDivisionError for b = 0."""
    if b == 0:
        raise ZeroDivisionError("0 has no inverse")
    return _POWERS[_LOGARITHMS[a] + 255 - _LOGARITHMS[b]] if a else 0


def share_at(x: int, coefficients: Sequence[bytes]) -> bytes:
    """The polynomial at x, by byte. coefficients: that of x⁰ first, all of one length; the secret is at 0."""
    return reduce(lambda value, c: _plus(_times(value, x), c), reversed(coefficients), bytes(len(coefficients[0])))


def combine(shares: Mapping[int, bytes]) -> bytes:
    """The polynomial at 0 from its values at as many places x as it has coefficients: Lagrange's formula."""
    secret = bytes(len(next(iter(shares.values()))))
    for x, share in shares.items():
        others = [other for other in shares if other != x]
        weight = reduce(multiply, (divide(other, other ^ x) for other in others), 1)
        secret = _plus(secret, _times(share, weight))
    return secret


def _times(values: bytes, factor: int) -> bytes:
    return bytes(multiply(value, factor) for value in values)


def _plus(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
