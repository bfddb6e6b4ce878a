"""Noise on the integers: its distribution, where it comes from; clipping on the same lattice."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
import torch

from client.privacy.clipping import FINENESS, clipped, lattice_unit
from client.privacy.noise import discrete_gaussian, lattice_noise, normals


def test_normals__have_a_normal_s_moments_and_quantiles() -> None:
    values = normals(400_001)
    assert len(values) == 400_001
    for power, expected, spread in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert np.mean(values**power) == pytest.approx(expected, abs=6 * math.sqrt(spread / len(values)))
    for quantile in (-3, -1.5, -0.1, 0, 0.7, 2.5):
        part = math.erfc(-quantile / math.sqrt(2)) / 2
        assert np.mean(values < quantile) == pytest.approx(part, abs=6 * math.sqrt(part * (1 - part) / len(values)))


def test_normals__of_one_pair__are_uncorrelated() -> None:
    values = normals(200_000)
    half = len(values) // 2
    assert abs(np.mean(values[:half] * values[half:])) < 6 / math.sqrt(half)
    assert abs(np.mean(values[:half] ** 2 * values[half:] ** 2) - 1) < 6 * math.sqrt(8 / half)


def test_discrete_gaussian__has_its_probabilities() -> None:
    count, deviation = 30_000, 2.5
    values = discrete_gaussian(count, deviation, random.Random(1).randrange)
    places = np.arange(-60, 61)
    weights = np.exp(-(places**2) / (2 * deviation**2))
    expected = count * weights / weights.sum()
    found = np.array([np.sum(values == place) for place in places])
    chosen = expected >= 20
    misfit = np.sum((found[chosen] - expected[chosen]) ** 2 / expected[chosen])
    assert misfit < chosen.sum() + 4 * math.sqrt(2 * chosen.sum())
    assert found.sum() == count


@pytest.mark.parametrize("exact", [True, False], ids=["exact", "rounded"])
def test_lattice_noise__is_of_integers_as_wide_as_asked(exact: bool) -> None:
    deviation = 7.72 * FINENESS
    values = lattice_noise(3000, deviation, exact=exact)
    assert values.dtype == np.int64
    assert values.std() == pytest.approx(deviation, rel=0.08)
    assert abs(values.mean()) < 5 * deviation / math.sqrt(3000)
    assert len(np.unique(values & 1023)) > 900, "its low bits are as good as any"


@pytest.mark.parametrize("exact", [True, False], ids=["exact", "rounded"])
def test_lattice_noise__asks_no_generator_that_a_seed_decides(exact: bool) -> None:
    def seeded() -> list[int]:
        torch.manual_seed(7)
        np.random.seed(7)
        random.seed(7)
        before = torch.get_rng_state().clone(), np.random.get_state()[2], random.getstate()
        drawn = lattice_noise(8, FINENESS, exact=exact).tolist()
        assert torch.equal(torch.get_rng_state(), before[0])
        assert (np.random.get_state()[2], random.getstate()) == before[1:]
        return drawn

    assert seeded() != seeded()


@pytest.mark.parametrize("deviation", [0.0, -1.0, math.inf, math.nan])
def test_lattice_noise__of_no_width__is_refused(deviation: float) -> None:
    with pytest.raises(ValueError, match="out of range"):
        lattice_noise(1, deviation, exact=True)


def test_clipped__is_never_longer_than_the_clip_and_short_vectors_stay() -> None:
    random_ = np.random.default_rng(0)
    vectors = random_.normal(size=(500, 37)) * 10.0 ** random_.uniform(-12, 12, size=(500, 1))
    integers, counts = clipped(vectors, 0.7)
    assert counts.all()
    assert max(sum(int(value) ** 2 for value in row) for row in integers) <= int(FINENESS) ** 2
    norms = np.linalg.norm(vectors, axis=1)
    expected = vectors * np.minimum(1, 0.7 / norms)[:, None]
    assert np.abs(integers * lattice_unit(0.7) - expected).max() <= 2 * lattice_unit(0.7)


@pytest.mark.parametrize("scale", [1.0, 1 + 2**-52, 3.0, 1e-300, 1e300])
def test_clipped__of_a_single_large_value__fills_the_clip_and_not_more(scale: float) -> None:
    integers, _ = clipped(np.array([[scale, 0.0]]), 1.0)
    assert 0 <= integers[0, 0] <= FINENESS
    if 1 <= scale < 1e150:
        assert integers[0, 0] >= FINENESS - 1


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, 1e200])
def test_clipped__without_a_finite_norm__counts_as_nothing(wrong: float) -> None:
    integers, counts = clipped(np.array([[1.0, 0.0], [wrong, 1.0]]), 1.0)
    assert counts.tolist() == [True, False]
    assert not integers[1].any()
