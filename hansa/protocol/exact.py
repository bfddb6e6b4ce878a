"""Exact arithmetic on updates: every order of updates and block size gives the same bits.

Sums, norms and dot products are integers. Within a block they may run in int32, int64 or float64, but only where a
bound says that no partial sum can leave the range in which that type is exact:

| sum of                          | at most                              | held in            |
| ------------------------------- | ------------------------------------ | ------------------ |
| a*c*q over 1024 updates         | 255 * 256 * 2**15 * 1024 < 2**41     | int64 or float64   |
| the same, int32 where it fits   | checked: sum(a*c) * 2**(b-1) < 2**31 | int32              |
| c*q over 1024 updates           | 256 * 2**15 * 1024 = 2**33           | int64 or float64   |
| one c*q of int8, |q| <= 127     | 256 * 127 = 32512 < 2**15            | int16              |
| q*q' of int8 over 256 values    | 256 * 2**14 = 2**22                  | int32              |
| q*q' over one block             | 2**16 * 2**30 = 2**46 < 2**53        | float64 (BLAS)     |
| q*q' over one tensor, all of k  | 2**30 * 2**33 values = 2**63         | int64              |

Integers below 2**53 are exact in float64, fused multiply-add included, so a BLAS may add them in any order. Across
tensors, which have different scales, norms and dot products are Python integers.

The one rounding step, `stepped`, is element by element: a division, an addition, a cast.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int8] | NDArray[np.int16]
Tensors = Mapping[str, Integers]
"""An update's integers by tensor name. Values are fetched by name for each block and not kept, so a mapping that
reads its tensors from a file needs little memory."""

PIECE = 1 << 20  # what is fetched of each update at a time
SMALLEST = 2.0**-126
LARGEST = 2.0**64


def blocks(start: int, stop: int, block: int) -> Iterator[slice]:
    """Cuts the values from start to stop into slices of at most `block`."""
    for first in range(start, stop, block):
        yield slice(first, min(first + block, stop))


def stepped(w: NDArray[np.float32], sums: NDArray[np.float64], k: int, divisor: int) -> NDArray[np.float32]:
    """w' = float32(float64(w) + ldexp(sums, -k) / float64(divisor)), all of one shape; sums are integers below 2**53.

    Before the cast a magnitude below 2**-126 (a zero of either sign too) becomes +0 and one above 2**64 is clamped
    to it, so the result has no subnormals, no -0, and is the same where a library has switched subnormals off.
    """
    value = np.ldexp(sums, -k)
    value /= float(divisor)
    value += w
    value[np.abs(value) < SMALLEST] = 0.0
    np.clip(value, -LARGEST, LARGEST, out=value)
    return value.astype(np.float32)


def weighted_lower_median(values: Sequence[int], weights: Sequence[int]) -> int:
    """The smallest v with 2 * (weight of the values <= v) >= the total weight."""
    total, below = sum(weights), 0
    for value, weight in sorted(zip(values, weights, strict=True)):
        below += weight
        if 2 * below >= total:
            return value
    raise ValueError("no median of nothing")


def weighted_upper_median(values: Sequence[int], weights: Sequence[int]) -> int:
    """The smallest v with 2 * (weight of the values <= v) > the total weight."""
    return -weighted_lower_median([-value for value in values], weights)


def measurement_median(values: Sequence[int]) -> int:
    """The median of members' measurements: of two middle values the one nearer 0, the lower of -v and v."""
    ordered = sorted(values)
    return min(ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2], key=abs)
