"""Exact arithmetic on updates: every order of updates, block size and thread count gives the same bits.

Sums, norms and dot products are integers. Within a block they may run in int32, int64 or float64, but only where a
bound says that no partial sum can leave the range in which that type is exact:

| sum of                          | at most                              | held in            |
| ------------------------------- | ------------------------------------ | ------------------ |
| a*c*q over 1024 updates         | 255 * 256 * 2**15 * 1024 < 2**41     | int64 or float64   |
| the same, int32 where it fits   | checked: sum(a*c) * 2**(b-1) < 2**31 | int32              |
| c*q over 1024 updates           | 256 * 2**15 * 1024 = 2**33           | int64 or float64   |
| one c*q of int8, |q| <= 127     | 256 * 127 = 32512 < 2**15            | int16              |
| q*q' over one block             | 2**16 * 2**30 = 2**46 < 2**53        | float64 (BLAS)     |
| q*q' over one tensor, all of k  | 2**30 * 2**33 values = 2**63         | int64              |

Integers below 2**53 are exact in float64, fused multiply-add included, so a BLAS may add them in any order. Across
tensors, which have different scales, norms and dot products are Python integers.

The one rounding step, `stepped`, is element by element: a division, an addition, a cast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int8] | NDArray[np.int16]
Tensors = Mapping[str, Integers]
"""An update's integers by tensor name. Values are fetched by name for each block and not kept, so a mapping that
reads its tensors from a file needs little memory."""

BLOCK = 1 << 16
PIECE = 1 << 20  # what is fetched of each update at a time
MAX_VALUES = 1 << 33
SMALLEST = 2.0**-126
LARGEST = 2.0**64

Item = TypeVar("Item")
Result = TypeVar("Result")


def blocks(start: int, stop: int, block: int) -> Iterator[slice]:
    """Cuts the values from start to stop into slices of at most `block`."""
    for first in range(start, stop, block):
        yield slice(first, min(first + block, stop))


def in_order(work: Callable[[Item], Result], items: Sequence[Item], threads: int) -> list[Result]:
    """`work` of every item, on up to `threads` threads, results in the order of the items."""
    if threads <= 1 or len(items) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))


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


def dot_products(
    left: Sequence[Tensors], right: Sequence[Tensors], k: Sequence[int], *, block: int = BLOCK, threads: int = 1
) -> NDArray[np.object_]:
    """Exact dot products of every left with every right update, (left, right) Python integers in units of 4**-max(k).

    k: one exponent for each tensor, in name order: a tensor's integers are worth q * 2**-k. Pass the same object
    twice for a Gram matrix: BLAS then does half the work.
    """
    names = sorted(left[0]) if left else []
    if len(names) != len(k):
        raise ValueError(f"{len(k)} exponents for {len(names)} tensors")
    if sum(left[0][name].size for name in names) > MAX_VALUES:
        raise ValueError(f"more than {MAX_VALUES} values: their products could leave int64")
    by_exponent: dict[int, NDArray[np.int64]] = {}
    for name, exponent in zip(names, k, strict=True):
        sums = by_exponent.setdefault(exponent, np.zeros((len(left), len(right)), np.int64))
        size = left[0][name].size
        work = _span_products(left, right, name, _rows_that_fit(block, len(left)))
        for part in in_order(work, list(blocks(0, size, max(1, -(-size // threads)))), threads):
            sums += part
    total = np.zeros((len(left), len(right)), object)
    for exponent, sums in by_exponent.items():
        total += sums.astype(object) * 4 ** (max(k) - exponent)
    return total


def _rows_that_fit(block: int, rows: int) -> int:
    """A block length at which `rows` rows of float64 stay in the cache; never above 2**16 (see the bounds)."""
    return max(1, min(block, BLOCK, max(2048, BLOCK // rows)))


def _span_products(
    left: Sequence[Tensors], right: Sequence[Tensors], name: str, block: int
) -> Callable[[slice], NDArray[np.int64]]:
    def products(span: slice) -> NDArray[np.int64]:
        sums = np.zeros((len(left), len(right)), np.int64)
        for piece in blocks(span.start, span.stop, PIECE):
            rows_left = [update[name].reshape(-1)[piece] for update in left]
            rows_right = rows_left if left is right else [update[name].reshape(-1)[piece] for update in right]
            for part in blocks(0, piece.stop - piece.start, block):
                a = _as_float64(rows_left, part)  # (left, values)
                b = a if left is right else _as_float64(rows_right, part)  # (right, values)
                sums += (a @ b.T).astype(np.int64)
        return sums

    return products


def _as_float64(rows: Sequence[Integers], part: slice) -> NDArray[np.float64]:
    result = np.empty((len(rows), part.stop - part.start))
    for values, row in zip(result, rows, strict=True):
        values[:] = row[part]
    return result


def lower_median(values: Sequence[int]) -> int:
    """sorted[(n-1)//2]: of two middle values the lower."""
    return sorted(values)[(len(values) - 1) // 2]


def weighted_lower_median(values: Sequence[int], weights: Sequence[int]) -> int:
    """The smallest v with 2 * (weight of the values <= v) >= the total weight."""
    total, below = sum(weights), 0
    for value, weight in sorted(zip(values, weights, strict=True)):
        below += weight
        if 2 * below >= total:
            return value
    raise ValueError("no median of nothing")


def measurement_median(values: Sequence[int]) -> int:
    """The median of members' measurements: of two middle values the one nearer 0, the lower of -v and v."""
    ordered = sorted(values)
    return min(ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2], key=abs)
