"""What sums of groups give away: least squares over rounds, and the difference of two openings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.simulate import Integers

Groups = list[list[int]]
Matrix = NDArray[np.float64]


def drawn_anew(trainers: int, size: int, random: np.random.Generator) -> Groups:
    order = random.permutation(trainers)
    return [order[start : start + size].tolist() for start in range(0, trainers, size)]


def kept(trainers: int, size: int, random: np.random.Generator) -> Groups:
    """The same groups every round; each trainer is away in a tenth of them."""
    there = random.random(trainers) >= 0.1
    groups = [list(range(start, start + size)) for start in range(0, trainers, size)]
    return [present for group in groups if (present := [place for place in group if there[place]])]


def guessed(
    updates: Sequence[Matrix], draw: Callable[[int, int, np.random.Generator], Groups], size: int, seed: int
) -> tuple[float, float]:
    """How near each trainer's mean update is found, as a cosine (mean over trainers): least squares over all rounds'
    open sums, as if everybody sent the same every round; as it is, and without what all have in common.

    updates: by round, (trainers, parameters).
    """
    random, (trainers, _) = np.random.default_rng(seed), updates[0].shape
    who, sums = [], []
    for each in updates:
        for group in draw(trainers, size, random):
            row = np.zeros(trainers)
            row[group] = 1
            who.append(row)
            sums.append(each[group].sum(axis=0))
    found = np.linalg.lstsq(np.array(who), np.array(sums), rcond=None)[0]
    true = np.mean(updates, axis=0)
    return _likeness(found, true), _likeness(found - found.mean(axis=0), true - true.mean(axis=0))


def _likeness(found: Matrix, true: Matrix) -> float:
    return float(np.mean([_cosine(a, b) for a, b in zip(found, true, strict=True)]))


def _cosine(one: Matrix, other: Matrix) -> float:
    return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-30))


def difference(updates: Sequence[Integers], missing: int) -> int:
    """Integers of the missing update that a second opening without it does not tell: of S − S', exactly."""
    whole = _sum(updates)
    less = _sum([update for place, update in enumerate(updates) if place != missing])
    return sum(int((whole[name] - less[name] != values).sum()) for name, values in updates[missing].items())


def _sum(updates: Sequence[Integers]) -> dict[str, NDArray[np.int64]]:
    return {name: np.sum([each[name].astype(np.int64) for each in updates], axis=0) for name in updates[0]}
