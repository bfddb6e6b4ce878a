"""Gradients on a lattice: clipped, rounded, added and made noisy as integers, so that no float's last bits tell a row.

The lattice's unit is clip · 2⁻²⁰. A sum of integers is exact in any order; a rounded Gaussian on the same lattice is a
rounding of the Gaussian mechanism, and rounding gives nothing away.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hansa.protocol.errors import FatalError

FINENESS: Final = 2.0**20
"""Lattice units in a clip."""
_SLACK: Final = 1 - 2.0**-30  # more than float64 can be wrong by in a norm


def clipped(vectors: NDArray[np.floating[Any]], clip: float) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """((rows, values) integers in lattice units, (rows,) whether a vector counts).

    Each vector's norm is then at most FINENESS, exactly. One without a finite norm counts as 0.
    """
    values = vectors.astype(np.float64, copy=False)
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.sqrt(np.einsum("ij,ij->i", values, values))
    counts = np.isfinite(norms)
    factors = np.where(counts, FINENESS * _SLACK / np.maximum(norms, clip, where=counts, out=np.ones_like(norms)), 0.0)
    with np.errstate(invalid="ignore"):
        scaled = np.where(counts[:, None], values * factors[:, None], 0.0)
    integers = np.trunc(scaled).astype(np.int64)
    if (np.einsum("ij,ij->i", integers, integers) > int(FINENESS) ** 2).any():
        raise FatalError("a clipped gradient is longer than the clip", next_step="report this, with the model's size")
    return integers, counts


def lattice_unit(clip: float) -> float:
    return clip / FINENESS
