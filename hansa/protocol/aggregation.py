"""Aggregation rules: how the included updates of a round become the next model.

`validated_mean` drops what the committee measured to do harm, then takes the weighted mean, as `mean` does. `median`
and `trimmed_mean` work coordinate by coordinate (Yin et al. 2018, "Byzantine-Robust Distributed Learning: Towards
Optimal Statistical Rates", definitions 1 and 2). `nnm_trimmed_mean` first replaces each update with the sum of
itself and its nearest neighbours (Allouah et al. 2023, "Fixing by Mixing: A Recipe for Optimal Byzantine ML under
Heterogeneity", algorithm 2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hansa.protocol import kernels, tables
from hansa.protocol.exact import PIECE, Tensors, blocks
from hansa.protocol.geometry import dot_products
from hansa.protocol.kernels import Neighbours, Target
from hansa.protocol.model import Model
from hansa.protocol.tally import Judgement
from hansa.protocol.types import Code

FROM_TO_DROP = 3
NUMPY_BLOCK = 1 << 14  # stays in the cache


@dataclass(frozen=True)
class Rule:
    """What tells the rules apart, from tables.json."""

    trim: Callable[[int], int]  # how many values of n go at each end, coordinate by coordinate
    drops: bool = False  # leaves out updates of negative median gain
    weighted: bool = False  # a weighted mean; otherwise every update counts the same
    mixes: bool = False  # adds its nearest neighbours to each update first


def tolerated(n: int) -> int:
    """How many of n updates a rule withstands: three tenths, rounded down."""
    return 3 * n // 10


TRIMS: Mapping[str, Callable[[int], int]] = {
    "nothing": lambda n: 0,
    "to the middle": lambda n: (n - 1) // 2,
    "what is tolerated": tolerated,
}
"""How many values of n go at each end, by what tables.json calls it."""

RULES = {name: Rule(**{**flags, "trim": TRIMS[flags.get("trim", "nothing")]}) for name, flags in tables.RULES.items()}


def drop(rule: str, judgements: Sequence[Judgement], never: AbstractSet[int] = frozenset()) -> set[int]:
    """Which ok updates the rule leaves out: indices into `judgements`, which are in on-chain order.

    `validated_mean`, from 3 ok updates: up to max(1, 3n//10) whose median gain is negative, worst first, of equals
    the earlier. never: updates of members of a fully coupled committee, which the others may not drop.
    """
    ok = [i for i, judgement in enumerate(judgements) if judgement.code == Code.OK]
    if not RULES[rule].drops or len(ok) < FROM_TO_DROP:
        return set()
    harmful = sorted((judgements[i].gain, i) for i in ok if judgements[i].gain < 0 and i not in never)
    return {i for _, i in harmful[: max(1, tolerated(len(ok)))]}


def aggregate(
    rule: str,
    model: Model,
    updates: Sequence[Tensors],
    weights: Sequence[int],
    clips: Sequence[int],
    *,
    block: int | None = None,
) -> dict[str, NDArray[np.float32]]:
    """The next model's tensors from the included updates, in the model's name order.

    updates: integers within the model's range (`Update.decode` checks it); weights: 1 to 255 each; clips: 0 to 256
    each, from the norms of all ok updates. No order of the updates or block size changes a bit; only
    `nnm_trimmed_mean` depends on the order, where two neighbours are equally near.

    Memory: the new model, and one block of every update.
    """
    _check(model, updates, weights, clips)
    native = kernels.native_for(sum(tensor.size for tensor in model.tensors.values()) * len(updates))
    chosen, n = RULES[rule], len(updates)
    trim, factors = chosen.trim(n), [a * c for a, c in zip(weights, clips, strict=True)]
    near = nearest(updates, clips, model.k) if chosen.mixes else np.empty((n, 0), np.int32)
    divisor = 256 * (sum(weights) if chosen.weighted else (n - 2 * trim) * max(1, near.shape[1]))
    result = {name: np.empty(old.shape, np.float32) for name, old in model.tensors.items()}
    for (name, old), k in zip(model.tensors.items(), model.k, strict=True):
        before, after = np.ascontiguousarray(old).reshape(-1), result[name].reshape(-1)
        for part in blocks(0, old.size, block or (PIECE if native else NUMPY_BLOCK)):
            w, rows = np.require(before[part], requirements=["C", "A"]), kernels.rows_of(updates, name, part)
            target = Target(w, after[part], k, divisor)
            if chosen.weighted:
                kernels.weighted_mean(target, rows, factors, native)
            else:
                kernels.trimmed_mean(target, rows, clips, near, trim, native)
    return result


def contribution(model: Model, q: Tensors, a: int, c: int, total_a: int) -> dict[str, NDArray[np.float64]]:
    """x_i, update i as it enters the mean: a*c*q * 2**-k / (256*A), float64, in the model's shapes and name order."""
    result: dict[str, NDArray[np.float64]] = {}
    for name, k in zip(model.tensors, model.k, strict=True):
        x = np.ldexp((q[name].astype(np.int64) * (a * c)).astype(np.float64), -k)
        result[name] = np.divide(x, float(256 * total_a))
    return result


def nearest(updates: Sequence[Tensors], clips: Sequence[int], k: Sequence[int]) -> Neighbours:
    """Which updates are summed in place of each, (updates, n-f) indices: itself and its n-f-1 nearest by the exact
    squared distance of v = c*q; of equals the earlier on chain."""
    n = len(updates)
    scale = np.array([int(c) for c in clips], object)
    products = dot_products(updates, updates, k) * np.outer(scale, scale)
    chosen = []
    for i in range(n):
        distances = sorted((products[i, i] + products[j, j] - 2 * products[i, j], j) for j in range(n) if j != i)
        chosen.append(sorted([i, *(j for _, j in distances[: n - tolerated(n) - 1])]))
    return np.array(chosen, np.int32)


def _check(model: Model, updates: Sequence[Tensors], weights: Sequence[int], clips: Sequence[int]) -> None:
    if not updates or not len(updates) == len(weights) == len(clips):
        raise ValueError(f"{len(updates)} updates, {len(weights)} weights, {len(clips)} clip factors")
    if min(weights) < 1 or max(weights) > 255 or min(clips) < 0 or max(clips) > 256:
        raise ValueError("a weight outside 1 to 255, or a clip factor outside 0 to 256")
    shapes = {name: tensor.shape for name, tensor in model.tensors.items()}
    if any({name: update[name].shape for name in update} != shapes for update in updates):
        raise ValueError("an update's names or shapes are not the model's")
