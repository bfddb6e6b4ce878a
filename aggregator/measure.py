"""What an update is worth on a member's own rows: gain ("its work helps now") and news ("it brought data")."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocol import rules, screening
from protocol.model import Model
from protocol.sheet import to_units
from tasks.base import Data, Task

Flat = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Measurement:
    """Gain and news of one update, in units of 1e-9 of validation loss."""

    gain: int
    news: int


def measure(
    task: Task,
    data: Data,
    model: Model,
    previous: Model | None,
    updates: Sequence[Mapping[str, NDArray[np.int8] | NDArray[np.int16]]],
    weights: Sequence[int],
) -> list[Measurement]:
    """Measures every ok update by a first-order estimate of what it takes off the validation loss.

    gain_i = -<g, x_i>, where x_i is update i as it enters the mean and g the average of the loss's gradients at w and
    at w + sum of x, the trapezoid rule along the round's step. news_i is the same with the direction of the last model
    change taken out of g, and never above gain_i. Two gradients and 2n dot products, whatever n.

    previous is the model before `model` (None in round 1, where news equals gain). Values that are not finite become 0.
    """
    if not updates:
        return []
    norms = [screening.squared_norm(update, model.k) for update in updates]
    clips = screening.clip_factors(norms, weights)
    total = sum(weights)

    def entering() -> Iterator[Flat]:
        for update, weight, clip in zip(updates, weights, clips, strict=True):
            yield rules.contribution(model, update, weight, clip, total)

    after: Flat = {name: values.astype(np.float64) for name, values in model.tensors.items()}
    for x in entering():
        for name, values in x.items():
            after[name] += values
    slope = _average(task.gradient(model.tensors, data)[1], task.gradient(_as_float32(after), data)[1])
    novel = slope if previous is None else _without(slope, _change(model, previous))
    return [_measurement(-_dot(slope, x), -_dot(novel, x)) for x in entering()]


def _measurement(gain: float, news: float) -> Measurement:
    if not (math.isfinite(gain) and math.isfinite(news)):
        return Measurement(0, 0)
    return Measurement(to_units(gain), to_units(min(gain, news)))


def _as_float32(tensors: Flat) -> dict[str, NDArray[np.float32]]:
    with np.errstate(over="ignore"):
        return {name: values.astype(np.float32) for name, values in tensors.items()}


def _average(first: Flat, second: Flat) -> Flat:
    return {name: (first[name] + second[name]) / 2 for name in first}


def _change(model: Model, previous: Model) -> Flat:
    return {name: values.astype(np.float64) - previous.tensors[name] for name, values in model.tensors.items()}


def _without(vector: Flat, direction: Flat) -> Flat:
    """`vector` less its projection on `direction`."""
    length = _dot(direction, direction)
    if not length > 0:
        return vector
    share = _dot(vector, direction) / length
    return {name: values - share * direction[name] for name, values in vector.items()}


def _dot(a: Flat, b: Flat) -> float:
    """Not finite where a product or the sum is not."""
    products = [float(np.dot(a[name].ravel(), b[name].ravel())) for name in sorted(a)]
    try:
        return math.fsum(products)
    except (OverflowError, ValueError):  # too large a sum; infinities of both signs
        return math.nan
