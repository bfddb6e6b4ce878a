"""What an update is worth on a member's own rows: gain ("its work helps now") and news ("it brought data")."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aggregator.products import PARALLEL, Gradient, products
from hansa.protocol import aggregation, geometry
from hansa.protocol.exact import Tensors
from hansa.protocol.masked.words import step_of
from hansa.protocol.model import Model
from hansa.protocol.sheet import to_units
from hansa.tasks.base import Data, Differentiable, Params, Task

Flat = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Measurement:
    """Gain and news of one update, in units of 1e-9 of validation loss; 0 where they are not finite."""

    gain: int
    news: int
    finite: bool = True


def measure(
    task: Task,
    data: Data,
    model: Model,
    earlier: Sequence[Model],
    updates: Sequence[Tensors],
    weights: Sequence[int],
) -> list[Measurement]:
    """Measures every ok update by what it takes off the validation loss.

    gain_i = -<g, x_i>, where x_i is update i as it enters the mean and g the average of the loss's gradients at w and
    at w + sum of x, the trapezoid rule along the round's step. news_i is the same with the ways from each of the
    `earlier` models to this one taken out of g, and never above gain_i. Two gradients and 2n dot products, whatever n.
    A task that has no gradients is measured by `_by_losses`.

    earlier: the last models before `model`, and model 0 (`ModelChain.earlier`): who imitates the last changes, or an
    average of all, has no news. None in round 1, where news equals gain. Values that are not finite become 0.
    """
    if not updates:
        return []
    norms = [geometry.squared_norm(update, model.k) for update in updates]
    clips = geometry.clip_factors(norms, weights)
    if not isinstance(task, Differentiable):
        factors = list(zip(updates, weights, clips, strict=True))

        def entering() -> Iterator[Flat]:
            for update, weight, clip in factors:
                yield aggregation.contribution(model, update, weight, clip, sum(weights))

        return list(_by_losses(task, data, model, earlier, entering))
    slope = _mean_slope(task, data, model, lambda: aggregation.aggregate("mean", model, updates, weights, clips))
    found = products(slope, model, earlier, updates)
    scales = np.array([-a * c / (256 * sum(weights)) for a, c in zip(weights, clips, strict=True)])
    gains = scales * found.with_gradient()
    news = scales * found.with_novel() if earlier else gains
    return [_measurement(gain, new) for gain, new in zip(gains.tolist(), news.tolist(), strict=True)]


def measure_sum(
    task: Task, data: Data, model: Model, earlier: Sequence[Model], total: Tensors, updates: int
) -> Measurement:
    """The same of the sum of so many updates as a whole, unclipped."""
    if not isinstance(task, Differentiable):
        scaled = zip(model.tensors, model.k, strict=True)
        x = {name: np.ldexp(total[name].astype(np.float64), -k) / updates for name, k in scaled}
        return next(_by_losses(task, data, model, earlier, lambda: iter([x])))
    slope = _mean_slope(task, data, model, lambda: step_of(model, total, updates))
    found = products(slope, model, earlier, [total])
    gain = -float(found.with_gradient()[0]) / updates
    return _measurement(gain, -float(found.with_novel()[0]) / updates if earlier else gain)


def _mean_slope(task: Differentiable, data: Data, model: Model, after: Callable[[], Params]) -> Gradient:
    """The average of the gradients at the model and at the mean of the updates (`after`, let go at once), tensor by
    tensor in their place."""
    ends = dict(task.gradient(after(), data)[1])
    starts = dict(task.gradient(model.tensors, data)[1])
    return {name: (ends.pop(name) + starts.pop(name)) / 2 for name in list(ends)}


def _by_losses(
    task: Task,
    data: Data,
    model: Model,
    earlier: Sequence[Model],
    entering: Callable[[], Iterator[Flat]],
) -> Iterator[Measurement]:
    """Half the sum of what each update takes off the loss as the first one in and as the last one in.

    News: the same of x_i less its projection on the changes. 4n + 2 losses. entering: gives the x, as often as asked.
    """

    def loss(at: Flat) -> float:
        return -task.metric(_as_float32(at), data)

    before: Flat = {name: values.astype(np.float64) for name, values in model.tensors.items()}
    after = {name: values.copy() for name, values in before.items()}
    for x in entering():
        after = _plus(after, x, 1)
    changes = [_change(model, other) for other in earlier]
    start, end = loss(before), loss(after)

    def taken_off(x: Flat) -> float:
        return ((start - loss(_plus(before, x, 1))) + (loss(_plus(after, x, -1)) - end)) / 2

    for x in entering():
        gain = taken_off(x)
        yield _measurement(gain, taken_off(_without(x, changes)) if changes else gain)


def _plus(tensors: Flat, x: Flat, sign: int) -> Flat:
    return {name: values + sign * x[name] for name, values in tensors.items()}


def _measurement(gain: float, news: float) -> Measurement:
    if not (math.isfinite(gain) and math.isfinite(news)):
        return Measurement(0, 0, finite=False)
    return Measurement(to_units(gain), to_units(min(gain, news)))


def _as_float32(tensors: Flat) -> dict[str, NDArray[np.float32]]:
    with np.errstate(over="ignore"):
        return {name: values.astype(np.float32) for name, values in tensors.items()}


def _change(model: Model, previous: Model) -> Flat:
    return {name: values.astype(np.float64) - previous.tensors[name] for name, values in model.tensors.items()}


def _without(vector: Flat, directions: Sequence[Flat]) -> Flat:
    """`vector` less its projection on what the directions span (Gram–Schmidt)."""
    basis: list[Flat] = []
    for direction in directions:
        rest = direction
        for axis in basis:
            rest = _less(rest, axis)
        if _dot(rest, rest) > PARALLEL * _dot(direction, direction):
            basis.append(rest)
    for axis in basis:
        vector = _less(vector, axis)
    return vector


def _less(vector: Flat, axis: Flat) -> Flat:
    share = _dot(vector, axis) / _dot(axis, axis)
    return {name: values - share * axis[name] for name, values in vector.items()}


def _dot(a: Flat, b: Flat) -> float:
    """Not finite where a product or the sum is not."""
    products = [float(np.dot(a[name].ravel(), b[name].ravel())) for name in sorted(a)]
    try:
        return math.fsum(products)
    except (OverflowError, ValueError):  # too large a sum; infinities of both signs
        return math.nan
