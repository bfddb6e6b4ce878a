"""What a trainer may give away: its budget, and how much noise that leaves for a release."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from client.privacy.accountant import (
    LARGEST_EPSILON,
    Cost,
    Unit,
    cost_of,
    epsilon_of,
    mu_squared_of,
    sigma_for,
    spread_sigma,
)
from client.privacy.clipping import FINENESS
from client.privacy.noise import LARGEST_DEVIATION
from hansa.protocol.errors import FatalError, described

SMALLEST_EPSILON = 0.001
DELTAS = (1e-15, 0.01)
CLIPS = (1e-9, 1e9)
SPENT = 1e-4
"""The part of a budget's μ² that is too little to train with."""


class BudgetSpent(FatalError):
    """A release that would exceed what its trainer allows itself."""


@dataclass(frozen=True)
class PrivacySettings:
    """What a trainer asks for.

    file: where what is spent is kept. unit: what counts as one: a row, or all that this trainer gives.
    clip: the longest gradient of a row (or update of a party). rounds: that the budget shall last; None: the job's.
    steps: full-batch steps a round. colluders: in a masked job, how many of the group may tell their noise, the rest
    of which each trainer adds a part of; None: all noise is one's own. slow: one row's gradient after the other.
    """

    file: Path
    epsilon: float
    delta: float = 1e-5
    clip: float = 1.0
    unit: Unit = "row"
    rounds: int | None = None
    steps: int = 1
    colluders: int | None = None
    slow: bool = False

    @property
    def terms(self) -> str:
        """What, beside the job, decides what noise costs."""
        return f"{self.unit}, {self.steps} steps, clip {self.clip!r}, {self.colluders} colluders"

    def __post_init__(self) -> None:
        """FatalError for a budget that is none."""
        _check("--epsilon", self.epsilon, SMALLEST_EPSILON, LARGEST_EPSILON)
        _check("--delta", self.delta, *DELTAS)
        _check("--clip", self.clip, *CLIPS)
        if self.unit not in ("row", "party"):
            raise FatalError(f"--unit {self.unit!r} is no unit", next_step="use row or party")
        if self.unit == "party" and self.steps != 1:
            raise FatalError(
                f"--dp-steps {self.steps} is of no use to --unit party",
                cause="an update is clipped as a whole, however it was trained",
                next_step="leave it out",
            )


def _check(option: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise FatalError(f"{option} {value:g} is out of range", next_step=f"use {low:g} to {high:g}")


@dataclass(frozen=True)
class Noise:
    """One release's noise, in clips: `sigma` all that counts, `own` what this trainer adds of it."""

    unit: Unit
    steps: int
    sigma: float
    own: float
    masked: bool = False

    @property
    def cost(self) -> Cost:
        return cost_of(self.unit, self.sigma, self.steps, masked=self.masked, own_sigma=self.own)

    def encode(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: str | bytes) -> Noise:
        """FatalError for what `encode` does not write."""
        try:
            found = cls(**json.loads(text))
            numbers = (found.steps, found.sigma, found.own)
            if found.unit not in ("row", "party") or type(found.masked) is not bool or type(found.steps) is not int:
                raise ValueError("it has other values")
            if not all(math.isfinite(value) and value > 0 for value in numbers):
                raise ValueError("a number of it is not above 0")
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise FatalError("a release's noise can't be read", cause=described(error)) from error
        return found


@dataclass(frozen=True)
class Setting:
    """What of a job and a round decides the noise.

    rounds: to come, this one included. group: least updates in an opened sum; 0: each update is opened.
    step: the coarsest quantisation step of an update, and `reach` what one clip of noise is in it.
    """

    rounds: int
    group: int = 0
    step: float = 0.0
    reach: float = 0.0


def noise_for(settings: PrivacySettings, setting: Setting, spent: float) -> Noise:
    """The noise of a round's release, of what `spent` (μ², in the settings' unit) has left. BudgetSpent where that is
    nothing."""
    total = mu_squared_of(settings.epsilon, settings.delta)
    left = total - spent
    if setting.rounds < 1 or left <= SPENT * total:
        raise spent_out(settings, spent, is_over=setting.rounds < 1)
    masked = setting.group > 0
    reach = 2.0 if settings.unit == "party" and not masked else 1.0
    sigma = _on_lattice(sigma_for(left / setting.rounds, settings.steps, reach))
    noise = Noise(settings.unit, settings.steps, sigma, sigma, masked)
    return noise if settings.colluders is None else _spread(settings, setting, noise)


def spent_out(settings: PrivacySettings, spent: float, *, is_over: bool = False) -> BudgetSpent:
    used = epsilon_of(spent, settings.delta)
    if is_over:
        why = f"its {settings.rounds} rounds are done"
    elif math.isinf(spent):
        why = "they were used with --unit row, which bounds no whole party"
    else:
        why = f"ε {used:.3g} of {settings.epsilon:g} is spent (δ {settings.delta:g}, unit {settings.unit})"
    return BudgetSpent(
        "no further update of these rows is given away: the privacy budget is at its end",
        cause=why,
        next_step="`hansa wallet claim` takes out what was earned; other rows, or a larger --epsilon, can go on",
    )


def _spread(settings: PrivacySettings, setting: Setting, noise: Noise) -> Noise:
    """Noise that the group adds together. All of it is one's own again where an update's integers are so coarse that
    rounding would swallow the parts."""
    most = setting.group - 2
    if not 0 <= (settings.colluders or 0) <= most or noise.steps > 1:
        raise FatalError(
            f"--colluders {settings.colluders} can't be used",
            cause=f"noise is spread in a masked job, with --dp-steps 1 and 0 to {max(most, 0)} colluders",
            next_step="leave it out: then all noise is your own",
        )
    own = _on_lattice(spread_sigma(noise.sigma, setting.group, settings.colluders or 0))
    if setting.step > 2 * own * setting.reach:
        return noise
    return Noise(noise.unit, noise.steps, noise.sigma, own, noise.masked)


def _on_lattice(sigma: float) -> float:
    """The next deviation that is a whole number of lattice units."""
    units = math.ceil(sigma * FINENESS)
    if units > LARGEST_DEVIATION:
        raise FatalError(f"noise of {sigma:.3g} clips is more than can be drawn", next_step="raise --epsilon")
    return units / FINENESS
