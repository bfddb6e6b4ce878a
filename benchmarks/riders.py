"""Players who want pay without work, and honest ones who are not always there.

Delta and delta with noise: Lin et al. 2019, "Free-riders in Federated Learning: Attacks and Defenses", section 3, and
Fraboni et al. 2021, "Free-rider Attacks on Model Aggregation in Federated Learning", section 3. None of them has a row.
What they cannot know in round 1, a length to imitate, they guess: a thousandth of the model's, at least 0.01.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np

from benchmarks.deltas import Vector, flat, length, like, noise
from benchmarks.simulate import Behaviour, Delta, View

DISGUISE = 0.3
"""Noise on a disguised copy, as a part of its length: enough for a cosine of 0.96, below the duplicate's 0.98."""


def zero(view: View) -> Delta | None:
    return {name: np.zeros_like(value) for name, value in view.model.tensors.items()}


def random_noise(view: View) -> Delta | None:
    """A random direction, as long as the last change of the model."""
    return _sent(view, _noise(view, _length(view)))


def delta(view: View) -> Delta | None:
    """The last change of the model again."""
    return view.change if view.previous is not None else random_noise(view)


def delta_noise(view: View) -> Delta | None:
    return _sent(view, flat(view.change) + _noise(view, DISGUISE * _length(view)))


def momentum(view: View) -> Delta | None:
    """A running average of the model's changes, 0.9 of the old one each round, disguised."""
    average = 0.9 * view.memory.get("average", 0.0) + 0.1 * flat(view.change)
    view.memory["average"] = average
    return _sent(view, _scaled(average, _length(view)) + _noise(view, DISGUISE * _length(view)))


def older(back: int, part: float = 0.5) -> Behaviour:
    """Knows how news is measured: the last change, and a part of the one `back` changes ago that neither a later one
    nor the model's whole way shows. Three times as long as the last change: what is too long is clipped."""

    def act(view: View) -> Delta | None:
        models: list[Vector] = view.memory.setdefault("models", [])
        models.append(flat(view.model.tensors))
        if len(models) < back + 2:
            return random_noise(view)
        steps = [new - old for old, new in zip(models[-back - 1 : -1], models[-back:], strict=True)]
        kept, norm = _rest(steps[0], [*steps[1:], models[-1] - models[0]]), _length(view)
        sent = _scaled(steps[-1], norm) + part * _scaled(kept, norm)
        return _sent(view, _scaled(sent, 3 * norm) + _noise(view, DISGUISE * norm))

    return act


def stale(view: View) -> Delta | None:
    """Honest work once, in round 1; the same update again ever after, with a little noise."""
    if "first" not in view.memory:
        view.memory["first"] = flat(view.train())
    first: Vector = view.memory["first"]
    return _sent(view, first + _noise(view, 0.05 * length(first)))


def retired(view: View) -> Delta | None:
    """Honest in round 1, a rider with delta and noise ever after."""
    return view.train() if view.round == 1 else delta_noise(view)


def mixed(part: float) -> Behaviour:
    """Honest in round 1; ever after the model's last change with `part` times as much of that work, disguised: it
    knows that pay asks for a difference from the model's course, and makes one."""

    def act(view: View) -> Delta | None:
        if "first" not in view.memory:
            view.memory["first"] = flat(view.train())
            return like(view.memory["first"], view.model.tensors)
        first, change, norm = view.memory["first"], flat(view.change), _length(view)
        sent = _scaled(change, norm) + part * _scaled(first, norm) + _noise(view, DISGUISE * norm)
        return _sent(view, _scaled(sent, norm))

    return act


def copier(view: View) -> Delta | None:
    """Sends what the first honest player of the round sent, with noise that leaves a cosine of 0.99; it comes later."""
    first = flat(next(iter(view.others.values())))
    return _sent(view, first + _noise(view, 0.1 * length(first)))


def in_rounds(chosen: Callable[[int], bool], otherwise: Behaviour | None = None) -> Behaviour:
    """Honest in the chosen rounds, absent (or something else) in the others."""

    def act(view: View) -> Delta | None:
        if chosen(view.round):
            return view.train()
        return otherwise(view) if otherwise is not None else None

    return act


def only(rounds: Collection[int]) -> Behaviour:
    return in_rounds(lambda number: number in rounds)


RIDERS: dict[str, Behaviour] = {
    "zero": zero,
    "noise": random_noise,
    "delta": delta,
    "delta + noise": delta_noise,
    "momentum": momentum,
    "an older step": older(2),
    "an even older step": older(4),
    "copier": copier,
}


def _length(view: View) -> float:
    change = length(flat(view.change))
    return change if change > 0 else max(0.01, length(flat(view.model.tensors)) / 1000)


def _scaled(vector: Vector, norm: float) -> Vector:
    now = length(vector)
    return vector * (norm / now) if now else vector


def _rest(vector: Vector, others: Sequence[Vector]) -> Vector:
    """What of a vector others don't span."""
    spanned = np.stack(others, axis=1)
    return vector - spanned @ np.linalg.lstsq(spanned, vector, rcond=None)[0]


def _noise(view: View, norm: float) -> Vector:
    return noise(view.random, view.model.size, norm)


def _sent(view: View, vector: Vector) -> Delta:
    return like(vector, view.model.tensors)
