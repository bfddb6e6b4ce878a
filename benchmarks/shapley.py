"""Exact Shapley values of trainers, by training once with every coalition (Shapley 1953; for federated learning:
Wang et al. 2020, "A Principled Approach to Data Valuation for Federated Learning", section 2).

The worth of a coalition is minus the test loss of the model that its members train by plain federated averaging, in
float32, with the seeds that they use in the job. 2**n jobs: for n ≤ 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import factorial

import numpy as np
from numpy.typing import NDArray

from benchmarks.simulate import Job, averaged

MOST = 8


def values(job: Job) -> NDArray[np.float64]:
    """(players,) each one's Shapley value, in units of test loss."""
    n = len(job.players)
    if n > MOST:
        raise ValueError(f"{n} players: 2**{n} jobs")
    worth = {s: job.world.likelihood(averaged(job, s)) for size in range(n + 1) for s in combinations(range(n), size)}
    found = np.zeros(n)
    for coalition, value in worth.items():
        size = len(coalition)
        for i in range(n):
            if i not in coalition:
                joined = worth[tuple(sorted((*coalition, i)))]
                found[i] += factorial(size) * factorial(n - size - 1) / factorial(n) * (joined - value)
    return found


def spearman(a: Sequence[float], b: Sequence[float]) -> float:
    """Rank correlation, equal values sharing a rank; 0 where one side is all equal."""
    x, y = _ranks(a), _ranks(b)
    if x.std() == 0 or y.std() == 0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def shares(found: Sequence[float]) -> NDArray[np.float64]:
    """Positive parts as parts of 1."""
    positive = np.maximum(np.asarray(found, float), 0)
    return np.asarray(positive / max(positive.sum(), 1e-300))


def distance(a: Sequence[float], b: Sequence[float]) -> float:
    """How much of the pay would have to change hands, 0 to 1."""
    return float(np.abs(shares(a) - shares(b)).sum() / 2)


def _ranks(found: Sequence[float]) -> NDArray[np.float64]:
    array = np.asarray(found, float)
    return np.array([(array < x).sum() + ((array == x).sum() - 1) / 2 for x in array])
