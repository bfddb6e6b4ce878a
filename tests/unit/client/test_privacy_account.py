"""The account of Gaussian noise, against integrals of the privacy loss."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from client.privacy.accountant import (
    cost_of,
    delta_of,
    epsilon_of,
    mu_squared_of,
    sigma_for,
    spread_sigma,
)

DELTA = 1e-5


def composed_delta(sigmas: list[float], epsilon: float, step: float = 2e-3, reach: float = 40.0) -> float:
    """δ(ε) of Gaussian steps one after another: their privacy losses, each N(1/2σ², 1/σ²) on a grid, convolved."""
    places = np.arange(-reach, reach, step)
    spectrum = np.ones(len(places), complex)
    for sigma in sigmas:
        density = np.exp(-((places - 0.5 / sigma**2) ** 2) * sigma**2 / 2) * sigma / math.sqrt(2 * math.pi)
        spectrum *= np.fft.fft(np.fft.ifftshift(density * step))
    masses = np.fft.fftshift(np.fft.ifft(spectrum).real)
    return float(np.sum(masses * np.maximum(0.0, 1 - np.exp(epsilon - places))))


@pytest.mark.parametrize(("epsilon", "sigma"), [(1, 14.45), (2, 7.72), (4, 4.19), (8, 2.32)])
def test_sigma__for_fifteen_steps__is_the_exact_one(epsilon: float, sigma: float) -> None:
    assert sigma_for(mu_squared_of(epsilon, DELTA), 15) == pytest.approx(sigma, abs=0.006)


@pytest.mark.parametrize("mu", [0.05, 0.5, 1.0, 3.0, 8.0])
@pytest.mark.parametrize("epsilon", [0.0, 0.3, 2.0, 8.0])
def test_delta__is_the_integral_of_what_one_density_has_more_than_the_other(mu: float, epsilon: float) -> None:
    edge = epsilon / mu + mu / 2  # beyond it the shifted density is e^ε times as high
    with mpmath.workdps(30):
        shifted = mpmath.quad(lambda x: mpmath.npdf(x, mu, 1), [edge, edge + 2, edge + 40])
        still = mpmath.quad(lambda x: mpmath.npdf(x), [edge, edge + 2, edge + 40])
        expected = float(shifted - mpmath.exp(epsilon) * still)
    assert delta_of(mu, epsilon) == pytest.approx(expected, rel=1e-9, abs=1e-16)


@pytest.mark.parametrize(
    "sigmas", [[7.72] * 15, [2.0, 3.0, 5.0, 9.0], [1.0] * 4 + [20.0] * 30], ids=["alike", "mixed", "few and many"]
)
def test_epsilon__of_steps_of_any_noise__agrees_with_their_losses_composed_numerically(sigmas: list[float]) -> None:
    epsilon = epsilon_of(sum(sigma**-2 for sigma in sigmas), DELTA)
    assert composed_delta(sigmas, epsilon) == pytest.approx(DELTA, rel=1e-3)


@pytest.mark.parametrize("epsilon", [0.01, 0.5, 2.0, 50.0, 600.0])
@pytest.mark.parametrize("delta", [1e-9, 1e-5, 0.1])
def test_budget__and_its_epsilon__are_inverse(epsilon: float, delta: float) -> None:
    assert epsilon_of(mu_squared_of(epsilon, delta), delta) == pytest.approx(epsilon, rel=1e-9)


def test_epsilon__where_nothing_was_spent__is_zero_and_beyond_measure_is_infinite() -> None:
    assert epsilon_of(0.0, DELTA) == 0.0
    assert epsilon_of(1e6, DELTA) == math.inf
    assert delta_of(0.0, 0.0) == 0.0


def test_delta__falls_with_epsilon_and_rises_with_mu() -> None:
    by_epsilon = [delta_of(1.0, epsilon) for epsilon in np.linspace(0, 40, 200)]
    by_mu = [delta_of(mu, 2.0) for mu in np.linspace(0.01, 60, 200)]
    assert by_epsilon == sorted(by_epsilon, reverse=True)
    assert by_mu == sorted(by_mu)


def test_cost__of_a_row__says_nothing_of_a_party() -> None:
    cost = cost_of("row", 2.0, 5)
    assert (cost.row, cost.party, cost.alone) == (1.25, math.inf, 1.25)


def test_cost__of_a_party__covers_its_rows_and_is_a_quarter_where_only_sums_are_seen() -> None:
    open_, masked = cost_of("party", 2.0, 1), cost_of("party", 2.0, 1, masked=True)
    assert (open_.row, open_.party) == (1.0, 1.0)
    assert (masked.row, masked.party) == (1.0, 0.25)


def test_cost__of_spread_noise__is_larger_for_whoever_sees_one_update_alone() -> None:
    own = spread_sigma(6.0, group=5, colluders=1)
    assert own == pytest.approx(6.0 / math.sqrt(3))
    assert cost_of("row", 6.0, 1, own_sigma=own).alone == pytest.approx(3 / 36)
