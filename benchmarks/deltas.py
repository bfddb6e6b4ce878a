"""Arithmetic on deltas: dictionaries of tensors as one long vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hansa.tasks.base import Params

Delta = Params
"""What an update adds to each tensor."""
Vector = NDArray[np.float64]


def flat(delta: Mapping[str, NDArray[np.float32]]) -> Vector:
    """In name order."""
    return np.concatenate([delta[name].ravel().astype(np.float64) for name in sorted(delta)])


def like(vector: Vector, model: Mapping[str, NDArray[np.float32]]) -> Delta:
    """The vector cut into the model's shapes, float32."""
    result, start = {}, 0
    for name in sorted(model):
        shape, size = model[name].shape, model[name].size
        result[name] = vector[start : start + size].reshape(shape).astype(np.float32)
        start += size
    return result


def stacked(deltas: Sequence[Delta]) -> NDArray[np.float64]:
    """(deltas, parameters)"""
    return np.stack([flat(delta) for delta in deltas])


def length(vector: Vector) -> float:
    return float(np.linalg.norm(vector))


def noise(random: np.random.Generator, size: int, norm: float) -> Vector:
    """A random direction of this length."""
    direction = random.normal(size=size)
    return np.asarray(direction * (norm / max(length(direction), 1e-300)))
