"""Players who want pay without work, and honest ones who are not always there.

Delta and delta with noise: Lin et al. 2019, "Free-riders in Federated Learning: Attacks and Defenses", section 3, and
Fraboni et al. 2021, "Free-rider Attacks on Model Aggregation in Federated Learning", section 3. None of them has a row.
What they cannot know in round 1, a length to imitate, they guess: a thousandth of the model's, at least 0.01.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from benchmarks.deltas import Delta, Vector, flat, length
from benchmarks.simulate import Behaviour, View

DISGUISE = 0.3
"""Noise on a disguised copy, as a part of its length: enough for a cosine of 0.96, below the duplicate's 0.99."""


def zero(view: View) -> Delta | None:
    return {name: np.zeros_like(value) for name, value in view.model.tensors.items()}


def random_noise(view: View) -> Delta | None:
    """A random direction, as long as the last change of the model."""
    return view.sent(view.noise(_length(view)))


def delta(view: View) -> Delta | None:
    """The last change of the model again."""
    return view.change if view.previous is not None else random_noise(view)


def delta_noise(view: View) -> Delta | None:
    return view.sent(flat(view.change) + view.noise(DISGUISE * _length(view)))


def momentum(view: View) -> Delta | None:
    """A running average of the model's changes, 0.9 of the old one each round, disguised."""
    average = 0.9 * view.memory.get("average", 0.0) + 0.1 * flat(view.change)
    view.memory["average"] = average
    return view.sent(_scaled(average, _length(view)) + view.noise(DISGUISE * _length(view)))


def older(back: int, view: View) -> Delta | None:
    """Knows how news is measured: the last change, and half of the one `back` changes ago that neither a later one
    nor the model's whole way shows. Three times as long as the last change: what is too long is clipped."""
    models: list[Vector] = view.memory.setdefault("models", [])
    models.append(flat(view.model.tensors))
    if len(models) < back + 2:
        return random_noise(view)
    steps = [new - old for old, new in zip(models[-back - 1 : -1], models[-back:], strict=True)]
    kept, norm = _rest(steps[0], [*steps[1:], models[-1] - models[0]]), _length(view)
    sent = _scaled(steps[-1], norm) + 0.5 * _scaled(kept, norm)
    return view.sent(_scaled(sent, 3 * norm) + view.noise(DISGUISE * norm))


def stale(view: View) -> Delta | None:
    """Honest work once, in round 1; the same update again ever after, with a little noise."""
    if "first" not in view.memory:
        view.memory["first"] = flat(view.train())
    first: Vector = view.memory["first"]
    return view.sent(first + view.noise(0.05 * length(first)))


def mixed(part: float, view: View) -> Delta | None:
    """Honest in round 1; ever after the model's last change with `part` times as much of that work, disguised: it
    knows that pay asks for a difference from the model's course, and makes one."""
    if "first" not in view.memory:
        view.memory["first"] = flat(view.train())
        return view.sent(view.memory["first"])
    first, change, norm = view.memory["first"], flat(view.change), _length(view)
    sent = _scaled(change, norm) + part * _scaled(first, norm) + view.noise(DISGUISE * norm)
    return view.sent(_scaled(sent, norm))


def copier(view: View) -> Delta | None:
    """Sends what the first honest player of the round sent, with noise that leaves a cosine of 0.99; it comes later."""
    first = flat(next(iter(view.others.values())))
    return view.sent(first + view.noise(0.1 * length(first)))


def in_rounds(chosen: Callable[[int], bool], otherwise: Behaviour | None = None) -> Behaviour:
    """Honest in the chosen rounds, absent (or something else) in the others."""

    def act(view: View) -> Delta | None:
        if chosen(view.round):
            return view.train()
        return otherwise(view) if otherwise is not None else None

    return act


RIDERS: dict[str, Behaviour] = {
    "zero": zero,
    "noise": random_noise,
    "delta": delta,
    "delta + noise": delta_noise,
    "momentum": momentum,
    "an older step": partial(older, 2),
    "an even older step": partial(older, 4),
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
