"""Gain and news of updates: by gradients, and by losses where a task has none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from aggregator.measure import Measurement, measure, measure_sum
from hansa.protocol.model import Model, initial_model

RANDOM = np.random.default_rng(5)
TARGET = {"a": RANDOM.normal(size=3), "b": RANDOM.normal(size=(2, 2))}
UPDATES = [{n: RANDOM.integers(-127, 127, t.shape).astype(np.int8) for n, t in TARGET.items()} for _ in range(5)]
WEIGHTS = [1, 2, 1, 3, 1]


def loss(params: Any) -> float:
    """A bowl: there the trapezoid rule along a step is exact, and so is the half sum."""
    return float(sum(np.sum((params[name].astype(np.float64) - TARGET[name]) ** 2) for name in TARGET))


def model(seed: int) -> Model:
    random = np.random.default_rng(seed)
    return initial_model({name: random.normal(size=t.shape).astype(np.float32) for name, t in TARGET.items()}, 8)


def measured(task: Any, previous: Model | None) -> list[Measurement]:
    return measure(cast(Any, task), cast(Any, None), model(1), [] if previous is None else [previous], UPDATES, WEIGHTS)


with_gradients = SimpleNamespace(
    gradient=lambda params, data: (loss(params), {n: 2 * (params[n].astype(np.float64) - t) for n, t in TARGET.items()})
)
without = SimpleNamespace(metric=lambda params, data: -loss(params))


@pytest.mark.parametrize("previous", [None, model(2)])
def test_measure__by_losses__is_what_gradients_say_of_a_bowl(previous: Model | None) -> None:
    ours, theirs = measured(without, previous), measured(with_gradients, previous)
    for found, expected in zip(ours, theirs, strict=True):
        assert abs(expected.gain) > 10**6, "far more than the rounding of float32"
        assert found.gain == pytest.approx(expected.gain, abs=10_000)
        assert found.news == pytest.approx(expected.news, abs=10_000)
        assert found.news <= found.gain
    assert any(found.news < found.gain for found in ours) == (previous is not None)


def test_measure__by_losses__takes_four_a_update_and_two_more() -> None:
    asked: list[Any] = []

    def metric(params: Any, data: Any) -> float:
        asked.append(params)
        return 0.0

    assert measured(SimpleNamespace(metric=metric), model(2)) == [Measurement(0, 0)] * len(UPDATES)
    assert len(asked) == 4 * len(UPDATES) + 2
    assert all(value.dtype == np.float32 for params in asked for value in params.values())


@pytest.mark.parametrize("previous", [None, model(2)])
def test_measure__a_tensor_without_a_slope__is_worth_nothing(previous: Model | None) -> None:
    """BatchNorm's statistics: as if neither the updates nor the last models had them."""

    def without_b(params: Any, data: Any) -> Any:
        found, slopes = with_gradients.gradient({**params, "b": TARGET["b"]}, data)
        return found, {"a": slopes["a"]}

    def flat(params: Any, data: Any) -> Any:
        found, slopes = with_gradients.gradient(params, data)
        return found, {"a": slopes["a"], "b": np.zeros((2, 2))}

    ours = measured(SimpleNamespace(gradient=without_b), previous)
    theirs = measured(SimpleNamespace(gradient=flat), previous)
    assert [found.gain for found in ours] == [found.gain for found in theirs]
    assert any(found.gain for found in ours)
    assert [found.news for found in ours] != [found.gain for found in ours] or previous is None


def test_measure__losses_that_are_not_finite__are_worth_nothing() -> None:
    assert (
        measured(SimpleNamespace(metric=lambda params, data: float("nan")), None)
        == [Measurement(0, 0, finite=False)] * 5
    )


@pytest.mark.parametrize("previous", [None, model(2)])
def test_measure_sum__is_what_the_updates_come_to_together(previous: Model | None) -> None:
    """Of updates that are as long as each other nothing is clipped, and gains add up."""
    task = with_gradients
    alike = [{name: np.roll(values, turn) for name, values in UPDATES[0].items()} for turn in range(3)]
    before, earlier = model(1), [] if previous is None else [previous]
    each = measure(cast(Any, task), cast(Any, None), before, earlier, alike, [1] * 3)
    total = {name: np.sum([one[name] for one in alike], axis=0, dtype=np.int16) for name in TARGET}
    found = measure_sum(cast(Any, task), cast(Any, None), before, earlier, total, 3)
    assert found.gain == pytest.approx(sum(one.gain for one in each), abs=30_000)
    assert sum(one.news for one in each) <= found.news + 30_000
    assert found.news <= found.gain and (found.news < found.gain) == (previous is not None)
    by_losses = measure_sum(cast(Any, without), cast(Any, None), before, earlier, total, 3)
    assert by_losses.gain == pytest.approx(found.gain, abs=30_000)
    assert by_losses.news == pytest.approx(found.news, abs=30_000)
