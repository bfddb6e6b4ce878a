"""Screening: norms, duplicates and clipping of the updates of one cycle, in exact integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hansa.protocol import kernels
from hansa.protocol.exact import PIECE, Tensors, blocks, weighted_lower_median
from hansa.protocol.types import UNIT

NO_CLIP = 256
MAX_VALUES = 1 << 33
ALIKE: Final = 990_000_000  # 1e-9: a cosine above it is a duplicate's
FEWEST: Final = 10  # numbers of a model whose honest updates are far enough apart


@dataclass(frozen=True)
class Likeness:
    """Of which update of the cycle one is a duplicate."""

    place: int  # on chain
    cosine: int  # 1e-9


def is_zero(q: Tensors) -> bool:
    """Whether every integer of the update is 0."""
    return not any(values.reshape(-1)[part].any() for values in q.values() for part in blocks(0, values.size, PIECE))


def squared_norm(q: Tensors, k: Sequence[int]) -> int:
    """The squared length of an update, exactly, in units of 4**-max(k); k in name order."""
    one = [q]
    return int(dot_products(one, one, k)[0, 0])


def dot_products(
    left: Sequence[Tensors], right: Sequence[Tensors], k: Sequence[int], *, block: int = PIECE
) -> NDArray[np.object_]:
    """Exact dot products of every left with every right update, (left, right) Python integers in units of 4**-max(k).

    k: one exponent for each tensor, in name order: a tensor's integers are worth q * 2**-k. Pass the same object
    twice for a Gram matrix: that is half the work.
    """
    names = sorted(left[0]) if left else []
    sizes = [left[0][name].size for name in names]
    if len(names) != len(k):
        raise ValueError(f"{len(k)} exponents for {len(names)} tensors")
    if sum(sizes) > MAX_VALUES:
        raise ValueError(f"more than {MAX_VALUES} values: their products could leave int64")
    native = kernels.native_for(sum(sizes) * len(left))
    by_exponent: dict[int, NDArray[np.int64]] = {}
    for name, size, exponent in zip(names, sizes, k, strict=True):
        sums = by_exponent.setdefault(exponent, np.zeros((len(left), len(right)), np.int64))
        for part in blocks(0, size, block):
            rows = kernels.rows_of(left, name, part)
            sums += kernels.dot_products(rows, rows if left is right else kernels.rows_of(right, name, part), native)
    total = np.zeros((len(left), len(right)), object)
    for exponent, sums in by_exponent.items():
        total += sums.astype(object) * 4 ** (max(k) - exponent)
    return total


def cosine(product: int, norm_a: int, norm_b: int) -> int:
    """Of two updates' squared norms, not 0, and their dot product, in units of 1e-9, toward 0."""
    size = isqrt(UNIT * UNIT * product * product // (norm_a * norm_b))
    return size if product > 0 else -size


def duplicates(
    updates: Sequence[Tensors], k: Sequence[int], candidates: Sequence[int], senior: Sequence[int] = ()
) -> dict[int, Likeness]:
    """Which candidates are duplicates: alike to an earlier candidate that is none itself; of several, to the most
    alike.

    Alike are two with a cosine above `ALIKE`. In a model of fewer than `FEWEST` numbers, where honest updates can be as
    near, only two of the same integers are, and nobody's duplicate is one of which half the squared length or more
    stands at the edge of the range, where it was clipped: clipped updates of so few numbers can be equal.

    updates: of one cycle, in on-chain order. candidates: indices of those that are neither malformed, missing nor
    zero. senior: candidates that are retries of an update of the failed cycle before; they keep their earlier place,
    before all new ones, in the order given.
    """
    order = [*senior, *sorted(set(candidates) - set(senior))]
    if not order:
        return {}
    chosen = [updates[i] for i in order]
    products = dot_products(chosen, chosen, k)
    small = sum(values.size for values in chosen[0].values()) < FEWEST
    kept: list[int] = []
    found: dict[int, Likeness] = {}
    for place, index in enumerate(order):
        norm = products[place, place]
        pairs = [(products[place, earlier], products[earlier, earlier]) for earlier in kept]
        alike = [
            (cosine(product, norm, other), -earlier)
            for earlier, (product, other) in zip(kept, pairs, strict=True)
            if product > 0 and (not small or product == norm == other)
        ]
        most, earlier = max(alike, default=(0, 0))
        if most > ALIKE and not (small and 2 * squared_norm(_within(updates[index]), k) <= norm):
            found[index] = Likeness(order[-earlier], most)
        else:
            kept.append(place)
    return found


def _within(q: Tensors) -> Tensors:
    """An update with 0 for every integer at the edge of its type's range, ±127 or ±32767."""
    return {name: np.where(np.abs(values) < np.iinfo(values.dtype).max, values, 0) for name, values in q.items()}


def clip_factors(norms: Sequence[int], weights: Sequence[int]) -> list[int]:
    """c = min(256, isqrt((M << 16) // N)) for each ok update, M the weighted lower median of the squared norms N.

    256 is no clipping. The factor multiplies an update's weight, never its values. An ok update's norm is not 0.
    """
    if not norms:
        return []
    median = weighted_lower_median(norms, weights)
    return [min(NO_CLIP, isqrt((median << 16) // norm)) for norm in norms]
