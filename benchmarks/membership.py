"""Whether a row was among those that an update was trained on: how well the update tells, by three scores."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.deltas import Delta, flat
from hansa.tasks.rows import Rows

Scores = NDArray[np.float64]


def auc(members: Scores, others: Scores) -> float:
    """How often a member's score is above another's; equal ones count half."""
    above = (members[:, None] > others[None, :]).mean()
    equal = (members[:, None] == others[None, :]).mean()
    return float(above + equal / 2)


def best_auc(task: Any, before: Delta, delta: Delta, members: Rows, others: Rows) -> float:
    """Of the best of three scores: the loss after, what the update took off it, and how far the update goes down the
    row's own slope. The best of three is above one half by chance too: up to .6 for eight rows."""
    scores = zip(_scores(task, before, delta, members), _scores(task, before, delta, others), strict=True)
    return max(auc(mine, theirs) for mine, theirs in scores)


def _scores(task: Any, before: Delta, delta: Delta, rows: Rows) -> tuple[Scores, Scores, Scores]:
    after = {name: before[name] + delta[name] for name in before}
    losses, slopes = _each(task, before, rows)
    then, _ = _each(task, after, rows)
    way = flat(delta)
    along = -slopes @ way / np.maximum(np.linalg.norm(slopes, axis=1), 1e-30)
    return -then, losses - then, along


def _each(task: Any, params: Delta, rows: Rows) -> tuple[Scores, NDArray[np.float64]]:
    losses, slopes = [], []
    for loss, slope in task.row_gradients(params, rows, seed=0):
        losses.append(loss)
        slopes.append(np.concatenate([slope[name].reshape(len(loss), -1) for name in sorted(slope)], axis=1))
    return np.concatenate(losses), np.concatenate(slopes)
