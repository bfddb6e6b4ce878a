"""Screening: norms, duplicates and clipping of the updates of one cycle, in exact integers."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from math import isqrt

from protocol.exact import (
    Tensors,
    dot_products,
    lower_median,
    measurement_median,
    weighted_lower_median,
)

__all__ = [
    "Tensors",
    "clip_factors",
    "dot",
    "duplicates",
    "is_zero",
    "lower_median",
    "measurement_median",
    "squared_norm",
    "weighted_lower_median",
]

NO_CLIP = 256


def is_zero(q: Tensors) -> bool:
    """Whether every integer of the update is 0."""
    return not any(values.any() for values in q.values())


def squared_norm(q: Tensors, k: Sequence[int]) -> int:
    """The squared length of an update, exactly, in units of 4**-max(k); k in name order."""
    return dot(q, q, k)


def dot(a: Tensors, b: Tensors, k: Sequence[int]) -> int:
    """The dot product of two updates of one model, exactly, in units of 4**-max(k); k in name order."""
    left = [a]
    return int(dot_products(left, left if a is b else [b], k)[0, 0])


def alike(product: int, norm_a: int, norm_b: int) -> bool:
    """Whether the cosine of two updates is above 0.98: d > 0 and d*d / (N*N') > (49/50)**2."""
    return product > 0 and 2500 * product * product > 2401 * norm_a * norm_b


def duplicates(
    updates: Sequence[Tensors],
    k: Sequence[int],
    candidates: Sequence[int],
    senior: Sequence[int] | AbstractSet[int] = (),
) -> set[int]:
    """Which candidates are duplicates: cosine above 0.98 with an earlier candidate that is none itself.

    updates: of one cycle, in on-chain order. candidates: indices of those that are neither malformed, missing nor
    zero. senior: candidates that are retries of an update of the failed cycle before; they keep their earlier place,
    before all new ones, in the order given (of a set: on-chain order).
    """
    first = list(senior) if isinstance(senior, Sequence) else sorted(senior)
    order = [i for i in first if i in set(candidates)] + sorted(set(candidates) - set(first))
    if not order:
        return set()
    chosen = [updates[i] for i in order]
    products = dot_products(chosen, chosen, k)
    kept: list[int] = []
    found: set[int] = set()
    for place, index in enumerate(order):
        norm = products[place, place]
        if any(alike(products[place, earlier], norm, products[earlier, earlier]) for earlier in kept):
            found.add(index)
        else:
            kept.append(place)
    return found


def clip_factors(norms: Sequence[int], weights: Sequence[int]) -> list[int]:
    """c = min(256, isqrt((M << 16) // N)) for each ok update, M the weighted lower median of the squared norms N.

    256 is no clipping. The factor multiplies an update's weight, never its values. An ok update's norm is not 0.
    """
    if not norms:
        return []
    median = weighted_lower_median(norms, weights)
    return [min(NO_CLIP, isqrt((median << 16) // norm)) for norm in norms]
