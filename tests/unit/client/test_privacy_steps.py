"""Full-batch steps on clipped gradients of single rows, with noise."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import nn

from client.privacy.budget import Noise
from client.privacy.clipping import FINENESS
from client.privacy.steps import party_update, row_steps
from hansa import ModuleTask
from hansa.tasks import load_task
from hansa.tasks.rows import Rows

HEART = load_task("heart", {}, 0)
DATA = HEART.load("va")
SILENT = Noise("row", 1, 2**-20, 2**-20)  # one lattice unit


def stepped(noise: Noise = SILENT, clip: float = 1.0, data: Any = DATA, **options: Any) -> Any:
    usual = {"clip": clip, "rate": 1.0, "seed": 0, "exact": True, "slow": False}
    return row_steps(cast(Any, HEART), HEART.model(), data, noise, **{**usual, **options})


def test_step__with_almost_no_noise__is_gradient_descent_on_clipped_gradients() -> None:
    trained, params = stepped(clip=0.5), HEART.model()
    expected = {name: np.zeros(value.shape) for name, value in params.items()}
    for place in range(len(DATA)):
        slope = cast(Any, HEART).gradient(params, DATA.take(np.array([place])))[1]
        norm = math.sqrt(sum(float((part**2).sum()) for part in slope.values()))
        for name, part in slope.items():
            expected[name] -= part * min(1, 0.5 / norm) / len(DATA)
    for name, value in expected.items():
        np.testing.assert_allclose(trained.delta[name], value, atol=1e-6)
    assert trained.loss == pytest.approx(math.log(2), rel=1e-6)


def test_steps__of_many__go_on_from_one_another() -> None:
    two = stepped(replace(SILENT, steps=2), rate=0.5)
    first = stepped(rate=0.5).delta
    half = {name: HEART.model()[name] + first[name] for name in first}
    second = row_steps(cast(Any, HEART), half, DATA, SILENT, clip=1.0, rate=0.5, seed=1, exact=True, slow=False).delta
    for name in first:
        np.testing.assert_allclose(two.delta[name], first[name] + second[name], atol=1e-5)


def test_step__adds_noise_as_wide_as_it_says() -> None:
    quiet, deltas = stepped().delta, [stepped(Noise("row", 1, 3.0, 3.0)).delta for _ in range(150)]
    away = np.array([np.concatenate([(d[name] - quiet[name]).ravel() for name in quiet]) for d in deltas])
    assert away.std() == pytest.approx(3.0 / len(DATA), rel=6 / math.sqrt(2 * away.size))
    assert abs(away.mean()) < 6 * 3.0 / len(DATA) / math.sqrt(away.size)


def test_row__away__moves_a_step_by_a_clip_at_most() -> None:
    """In lattice units, before the noise: exactly."""
    task = cast(Any, HEART)

    class Without:
        """The task, one row's gradient counting as nothing."""

        learning_rate = 1.0

        def row_gradients(self, params: Any, data: Any, *, seed: int, slow: bool = False) -> Any:
            for losses, slopes in task.row_gradients(params, data, seed=seed):
                yield losses, {name: np.concatenate([0 * value[:1], value[1:]]) for name, value in slopes.items()}

    with_it, without = (
        stepped(),
        row_steps(Without(), HEART.model(), DATA, SILENT, clip=1.0, rate=1.0, seed=0, exact=True, slow=False),
    )
    away = np.concatenate([(with_it.delta[name] - without.delta[name]).ravel() for name in with_it.delta])
    assert np.linalg.norm(away) * len(DATA) <= 1 + 20 / FINENESS


def test_row__without_a_finite_gradient__is_named_and_counts_as_nothing() -> None:
    inputs = DATA.inputs.copy()
    inputs[3] = 3e38
    inputs[3, 0] = -3e38
    wild = Rows(inputs, DATA.labels)
    params = {name: np.full_like(value, 1e30) for name, value in HEART.model().items()}
    trained = row_steps(cast(Any, HEART), params, wild, SILENT, clip=1.0, rate=1.0, seed=0, exact=True, slow=False)
    assert all(np.isfinite(value).all() for value in trained.delta.values())
    broken = Rows(DATA.inputs.copy(), DATA.labels)
    broken.inputs[5] = np.nan
    assert stepped(data=broken).ignored == (5,)


def test_party_update__is_clipped_as_a_whole() -> None:
    delta = {"b": np.float32([3.0]), "a": np.float32([[0.0, 4.0]])}
    found = party_update(delta, SILENT, clip=1.0, exact=True)
    np.testing.assert_allclose(found["a"], [[0.0, 0.8]], atol=1e-5)
    np.testing.assert_allclose(found["b"], [0.6], atol=1e-5)


def test_noise__is_no_function_of_any_seed(tmp_path: Path) -> None:
    def delta() -> bytes:
        torch.manual_seed(1)
        np.random.seed(1)
        random.seed(1)
        return stepped(Noise("row", 1, 3.0, 3.0)).delta["weight"].tobytes()

    assert delta() != delta()


class Line(ModuleTask):
    module_of: Any = staticmethod(lambda: nn.Linear(3, 1))

    def module(self) -> nn.Module:
        return self.module_of()

    def load(self, source: str) -> Rows:
        inputs = np.random.default_rng(1).normal(size=(64, 3)).astype(np.float32)
        return Rows(inputs, inputs.sum(axis=1))

    def loss(self, module: nn.Module, batch: Any) -> Any:
        return ((module(batch[0]).squeeze(1) - batch[1]) ** 2).mean()

    def metric(self, module: nn.Module, data: Any) -> float:
        return -self.mean(module, data)


@pytest.mark.parametrize("slow", [False, True])
def test_module__of_torch__is_trained_as_a_task_of_named_arrays_is(tmp_path: Path, slow: bool) -> None:
    task = Line({}, 1)
    data, params = task.load("a"), task.model()
    taken = row_steps(task, params, data, SILENT, clip=100.0, rate=0.5, seed=0, exact=True, slow=slow)
    _, slope = task.gradient(params, data)
    for name, value in slope.items():
        np.testing.assert_allclose(taken.delta[name], -0.5 * value, atol=1e-3)
    noisy = row_steps(task, params, data, Noise("row", 3, 1.0, 1.0), clip=1.0, rate=0.5, seed=0, exact=False, slow=slow)
    assert all(np.isfinite(value).all() and value.any() for value in noisy.delta.values())
