"""Training with noise: full-batch steps on clipped gradients of single rows, or one clipped update of a party."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from client.privacy.budget import Noise
from client.privacy.clipping import FINENESS, clipped, lattice_unit
from client.privacy.noise import lattice_noise
from hansa.tasks.base import Data, Params, RowDifferentiable

Wide = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class NoisyDelta:
    """What is given away, before it is quantised. Only `delta` is private in that sense: loss and ignored stay here.

    loss: the mean of the last step's rows. ignored: rows, from 0, without a finite gradient, which counted as 0.
    """

    delta: Params
    loss: float
    ignored: tuple[int, ...]


def row_steps(
    task: RowDifferentiable,
    params: Params,
    data: Data,
    noise: Noise,
    *,
    clip: float,
    rate: float,
    seed: int,
    exact: bool,
    slow: bool,
) -> NoisyDelta:
    """`noise.steps` steps against the noisy mean of all rows' clipped gradients. rate: of one step."""
    shapes = {name: params[name].shape for name in sorted(params)}
    start = _flat(params)
    weights, ignored, loss = start.copy(), set[int](), float("nan")
    for step in range(noise.steps):
        total, losses = np.zeros(start.size, np.int64), []
        place = 0
        for loss_of, slopes in task.row_gradients(_named(weights, shapes), data, seed=seed + step, slow=slow):
            vectors = np.concatenate([slopes[name].reshape(len(loss_of), -1) for name in shapes], axis=1)
            integers, counts = clipped(vectors, clip)
            total += integers.sum(axis=0)
            ignored.update(place + int(row) for row in np.flatnonzero(~counts))
            losses.append(loss_of[np.isfinite(loss_of)])
            place += len(loss_of)
        total += lattice_noise(start.size, noise.own * FINENESS, exact=exact)
        weights -= rate / len(data) * lattice_unit(clip) * total.astype(np.float64)
        loss = float(np.mean(np.concatenate(losses))) if any(map(len, losses)) else float("nan")
    return NoisyDelta(_narrow(_named(weights - start, shapes)), loss, tuple(sorted(ignored)))


def party_update(delta: Mapping[str, NDArray[np.float32]], noise: Noise, *, clip: float, exact: bool) -> Params:
    """A party's whole update, clipped and made noisy. One without a finite norm becomes noise alone."""
    shapes = {name: delta[name].shape for name in sorted(delta)}
    integers, _ = clipped(_flat(delta)[None], clip)
    total = integers[0] + lattice_noise(integers.shape[1], noise.own * FINENESS, exact=exact)
    return _narrow(_named(lattice_unit(clip) * total.astype(np.float64), shapes))


def _flat(params: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float64]:
    return np.concatenate([params[name].reshape(-1).astype(np.float64) for name in sorted(params)])


def _named(flat: NDArray[np.float64], shapes: Mapping[str, tuple[int, ...]]) -> Wide:
    return {name: flat[part].reshape(shapes[name]) for name, part in _parts(shapes)}


def _parts(shapes: Mapping[str, tuple[int, ...]]) -> Iterator[tuple[str, slice]]:
    start = 0
    for name, shape in shapes.items():
        end = start + int(np.prod(shape))
        yield name, slice(start, end)
        start = end


def _narrow(params: Wide) -> Params:
    return {name: value.astype(np.float32) for name, value in params.items()}
