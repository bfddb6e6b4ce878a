"""The exact account of Gaussian noise: full-batch steps compose into one Gaussian, whatever noise each had.

A step whose sum moves by at most `s` noise deviations where one unit of data changes has μ = s; steps add their μ². For
the whole, δ(ε) = Φ(−ε/μ + μ/2) − e^ε·Φ(−ε/μ − μ/2) (Balle and Wang, Improving the Gaussian Mechanism, ICML 2018,
theorem 8; Dong, Roth and Su, Gaussian Differential Privacy, 2022, corollary 1): no bound, but the very value.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Unit = Literal["row", "party"]
LARGEST_EPSILON = 1000.0
_LARGEST_MU = 200.0
_HALVINGS = 200  # until no number lies between


def delta_of(mu: float, epsilon: float) -> float:
    """The least δ at which Gaussian noise of sensitivity `mu` (in deviations) is (ε, δ)-private."""
    if mu <= 0:
        return 0.0
    near, far = epsilon / mu - mu / 2, epsilon / mu + mu / 2
    return max(0.0, _tail(near) - math.exp(epsilon + _log_tail(far)))


def epsilon_of(mu_squared: float, delta: float) -> float:
    """The least ε of steps whose μ² add up to `mu_squared`; infinite beyond `LARGEST_EPSILON`."""
    mu = math.sqrt(mu_squared)
    if delta_of(mu, 0.0) <= delta:
        return 0.0
    if delta_of(mu, LARGEST_EPSILON) > delta:
        return math.inf
    return _least(lambda epsilon: delta_of(mu, epsilon) <= delta, LARGEST_EPSILON)


def mu_squared_of(epsilon: float, delta: float) -> float:
    """The largest sum of μ² that (ε, δ) leaves room for."""
    return _least(lambda mu: delta_of(mu, epsilon) > delta, _LARGEST_MU) ** 2


def sigma_for(mu_squared: float, steps: int, sensitivity: float = 1.0) -> float:
    """The noise multiplier (deviations in units of the clip) at which `steps` steps use up `mu_squared`."""
    return sensitivity * math.sqrt(steps / mu_squared)


@dataclass(frozen=True)
class Cost:
    """μ² of one release, as each kind of neighbour sees it; `party` is infinite where nothing bounds a whole update.

    row: one row's gradient counts as nothing (the number of rows stays). party: the whole update is another, or none.
    alone: `row` or `party`, whichever is the unit, with no noise but the trainer's own.
    """

    row: float
    party: float
    alone: float

    def of(self, unit: Unit) -> float:
        return self.row if unit == "row" else self.party


def cost_of(unit: Unit, sigma: float, steps: int, *, masked: bool = False, own_sigma: float | None = None) -> Cost:
    """What a release of `steps` steps costs.

    sigma: the noise's deviation in clips, the group's together where it is spread; own_sigma: the trainer's own part.
    masked: only a sum of updates is seen, so that a party's neighbour is a sum without it: 1 clip away, not 2.
    """
    own = sigma if own_sigma is None else own_sigma
    if unit == "row":
        return Cost(steps / sigma**2, math.inf, steps / own**2)
    reach = 1 if masked else 4  # the square of how far a party's neighbour is, in clips
    return Cost(4 / sigma**2, reach / sigma**2, reach / own**2)


def spread_sigma(sigma: float, group: int, colluders: int) -> float:
    """What each of a group adds, so that all but `colluders` and one more have `sigma` together."""
    return sigma / math.sqrt(group - 1 - colluders)


def _least(is_enough: Callable[[float], bool], largest: float) -> float:
    """The least number up to `largest` that is enough, from above."""
    low, high = 0.0, largest
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def _tail(value: float) -> float:
    """Φ(−value)."""
    return math.erfc(value / math.sqrt(2)) / 2


def _log_tail(value: float) -> float:
    """log Φ(−value), also where Φ underflows."""
    if value < 25:
        return math.log(_tail(value))
    inverse = value**-2
    series = 1 - inverse * (1 - 3 * inverse * (1 - 5 * inverse * (1 - 7 * inverse)))
    return -(value**2) / 2 - math.log(value * math.sqrt(2 * math.pi)) + math.log(series)
