"""Dot products of a loss's gradient, the job's last changes and the updates' integers, block by block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hansa.protocol.exact import Tensors, blocks
from hansa.protocol.model import Model

BLOCK = 1 << 14  # values of each vector at a time: they stay in the cache
PARALLEL = 1e-9
"""A direction of which no larger part of the squared length is new adds none."""

Gradient = Mapping[str, NDArray[np.floating[Any]]]
"""By name, in the model's shapes; tensors without one are left out."""


@dataclass(frozen=True)
class Products:
    """Of the rows g, d₁ … dₘ (the gradient, and the ways from each earlier model to this one): with each other and
    with the updates, as they are before weights and clipping.

    rows: (m+1, m+1); updates: (m+1, n); float64, and not finite where a factor is not, or a sum is too large.
    """

    rows: NDArray[np.float64]
    updates: NDArray[np.float64]

    def with_gradient(self) -> NDArray[np.float64]:
        """<g, qᵢ>, (n,)."""
        found: NDArray[np.float64] = self.updates[0]
        return found

    def with_novel(self) -> NDArray[np.float64]:
        """<g less its projection on what the d span, qᵢ>, (n,): Gram–Schmidt on coefficients, so that no vector is
        copied."""
        gram, along = self.rows[1:, 1:], self.rows[0, 1:]
        found: NDArray[np.float64] = self.updates[0]
        for axis in _axes(gram):
            found = found - (axis @ along) / (axis @ gram @ axis) * (axis @ self.updates[1:])
        return found


def _axes(gram: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Orthogonal combinations of directions, as their coefficients. gram: the directions' products with each other."""
    axes: list[NDArray[np.float64]] = []
    for direction in np.eye(len(gram)):
        rest = direction
        for axis in axes * 2:  # once more takes away what rounding left
            rest = rest - (rest @ gram @ axis) / (axis @ gram @ axis) * axis
        if rest @ gram @ rest > PARALLEL * (direction @ gram @ direction):
            axes.append(rest)
    return axes


def products(gradient: Gradient, model: Model, earlier: Sequence[Model], updates: Sequence[Tensors]) -> Products:
    """Over the tensors that have a gradient. With the updates in the gradient's own precision, block by block; summed
    in float64. Memory: one block of everything."""
    count, precision = 1 + len(earlier), np.result_type(np.float32, *gradient.values())
    rows, crossed = np.zeros((count, count)), np.zeros((count, len(updates)))
    left, right = np.empty((count, BLOCK)), np.empty((len(updates), BLOCK), precision)
    for name, k in zip(model.tensors, model.k, strict=True):
        if name not in gradient:
            continue
        slope, here = gradient[name].reshape(-1), model.tensors[name].reshape(-1)
        there = [other.tensors[name].reshape(-1) for other in earlier]
        integers = [update[name].reshape(-1) for update in updates]
        for part in blocks(0, here.size, BLOCK):
            a, b = left[:, : part.stop - part.start], right[:, : part.stop - part.start]
            a[0] = slope[part]
            for row, other in zip(a[1:], there, strict=True):
                np.subtract(here[part], other[part], out=row, dtype=np.float64)
            for row, values in zip(b, integers, strict=True):
                row[:] = values[part]
            with np.errstate(all="ignore"):  # what is not finite is told by the result
                rows += a @ a.T
                crossed += (a.astype(precision, copy=False) @ b.T) * 2.0**-k
    return Products(rows, crossed)
