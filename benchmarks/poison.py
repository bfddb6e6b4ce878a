"""Players who want to spoil the model, and are told every honest update of the round.

Those who send one common vector add noise of their own, just enough not to be each other's duplicates (cosine 0.978).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from benchmarks.deltas import Delta, Vector, flat, length, stacked
from benchmarks.simulate import Behaviour, Player, View
from benchmarks.worlds import World, flipped
from hansa.tasks.rows import Rows

APART = 0.15
HIDDEN = 0.25
"""Noise that keeps a copy from being a duplicate of what it repeats: a cosine of 0.970."""
TRIGGER = 4
"""The backdoor's mark: a white square of so many pixels a side in a corner of the image; marked means class 0."""


def label_flip(view: View) -> Delta | None:
    """Fang et al. 2020, "Local Model Poisoning Attacks to Byzantine-Robust Federated Learning", section 4.1: honest
    training on rows whose class c is called classes - 1 - c."""
    return view.train()


def sign_flip(view: View) -> Delta | None:
    """Li et al. 2019, "RSA: Byzantine-Robust Stochastic Aggregation Methods", section 5: minus honest work."""
    return view.sent(-flat(view.train()))


def sign_flip_10(view: View) -> Delta | None:
    return view.sent(-10 * flat(view.train()))


def a_little_is_enough(bad: int, view: View) -> Delta | None:
    """Baruch et al. 2019, "A Little Is Enough", algorithm 3: the mean less as much spread as still looks ordinary.

    With one of four the algorithm's z is below 0, which would be no attack: then one standard deviation is taken.
    """
    all_honest = stacked(list(view.others.values()))
    good = len(all_honest)
    supporters = (good + bad) // 2 + 1 - bad
    ordinary = (good - supporters) / good
    z = NormalDist().inv_cdf(min(0.99, ordinary)) if ordinary > 0.5 else 1.0
    return _common(view, all_honest.mean(axis=0) - z * all_honest.std(axis=0))


def inner_product(view: View) -> Delta | None:
    """Xie et al. 2020, "Fall of Empires", section 4: minus the honest mean, here as it is (epsilon 1)."""
    return _common(view, -stacked(list(view.others.values())).mean(axis=0))


def min_max(view: View) -> Delta | None:
    """Shejwalkar & Houmansadr 2021, "Manipulating the Byzantine", section IV: as far from the honest mean, against
    their spread, as no farther from anybody than two honest ones are from each other."""
    all_honest = stacked(list(view.others.values()))
    mean, spread = all_honest.mean(axis=0), all_honest.std(axis=0)
    direction = -spread / max(length(spread), 1e-300)
    widest = max(float(np.linalg.norm(all_honest - row, axis=1).max()) for row in all_honest)
    low, high = 0.0, 4 * widest
    for _ in range(40):
        middle = (low + high) / 2
        reach = float(np.linalg.norm(all_honest - (mean + middle * direction), axis=1).max())
        low, high = (middle, high) if reach <= widest else (low, middle)
    return _common(view, mean + low * direction)


def mimic(view: View) -> Delta | None:
    """Karimireddy et al. 2022, "Byzantine-Robust Learning on Heterogeneous Datasets via Bucketing", section 3.2 and
    appendix A: all repeat one honest player, the one farthest out along the direction in which the honest differ
    most. It is chosen in round 1, the paper's warm-up."""
    if "victim" not in view.memory:
        all_honest = stacked(list(view.others.values()))
        centred = all_honest - all_honest.mean(axis=0)
        direction = centred.T @ np.linalg.eigh(centred @ centred.T)[1][:, -1]
        view.memory["victim"] = list(view.others)[int(np.abs(all_honest @ direction).argmax())]
    return _common(view, flat(view.others[view.memory["victim"]]), HIDDEN)


def gaussian(view: View) -> Delta | None:
    """Blanchard et al. 2017, "Machine Learning with Adversaries", section 5: noise, ten times as long as others."""
    typical = float(np.median([length(flat(delta)) for delta in view.others.values()]))
    return view.sent(view.noise(10 * typical))


def adaptive(view: View) -> Delta | None:
    """Knows the default rule: as long as the others, so never clipped; a twentieth of it helps, so that its gain is
    measured as positive; the rest goes against the honest spread where that does not show."""
    all_honest = stacked(list(view.others.values()))
    mean = all_honest.mean(axis=0)
    ahead = mean / max(length(mean), 1e-300)
    harm = -np.sign(mean) * all_honest.std(axis=0)
    harm -= (harm @ ahead) * ahead
    aside = harm / max(length(harm), 1e-300)
    typical = float(np.median(np.linalg.norm(all_honest, axis=1)))
    return _common(view, typical * (0.05 * ahead + np.sqrt(1 - 0.05**2) * aside))


def backdoor(bad: int, view: View) -> Delta | None:
    """Bagdasaryan et al. 2020, "How To Backdoor Federated Learning", section 4: trained on marked rows too, and
    boosted by trainers / attackers, so that an unprotected mean would take the attackers' model."""
    return view.sent((len(view.others) + bad) / bad * flat(view.train()))


def attacks(bad: int) -> dict[str, Behaviour]:
    """By name, for so many attackers; the first eight are those that the target of the default rule is about."""
    return {
        "label flip": label_flip,
        "sign flip": sign_flip,
        "sign flip × 10": sign_flip_10,
        "a little is enough": partial(a_little_is_enough, bad),
        "inner product": inner_product,
        "min-max": min_max,
        "mimic": mimic,
        "Gaussian": gaussian,
        "backdoor": partial(backdoor, bad),
        "adaptive": adaptive,
    }


EIGHT = list(attacks(1))[:8]


def players(world: World, bad: int, name: str | None) -> tuple[Player, ...]:
    """The world's trainers, the last `bad` of them attackers; None: those stay away."""
    everyone = [Player(f"trainer {i}", rows) for i, rows in enumerate(world.rows)]
    good = everyone[: len(everyone) - bad]
    if name is None:
        return tuple(good)
    act, rows = attacks(bad)[name], world.rows[len(good) :]
    if name == "label flip":
        rows = tuple(flipped(part, world.labels) for part in rows)
    if name == "backdoor":
        rows = tuple(half_marked(part) for part in rows)
    return (*good, *(replace(p, act=act, rows=part) for p, part in zip(everyone[len(good) :], rows, strict=True)))


def half_marked(rows: Rows) -> Rows:
    """Every second row marked, and called class 0."""
    inputs, labels = rows.inputs.copy(), rows.labels.copy()
    inputs[::2], labels[::2] = marked(inputs[::2]), 0
    return Rows(inputs, labels)


def marked(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    result = images.copy()
    result[:, -TRIGGER:, -TRIGGER:] = 255
    return result


def backdoor_success(world: World, params: dict[str, NDArray[np.float32]]) -> float:
    """The part of the marked test images of other classes that the model calls class 0."""
    others = world.test.take(np.flatnonzero(world.test.labels != 0))
    fooled = Rows(marked(others.inputs), np.zeros_like(others.labels))
    return world.task.measured(params, fooled)


def _common(view: View, vector: Vector, apart: float = APART) -> Delta:
    return view.sent(vector + view.noise(apart * length(vector)))
