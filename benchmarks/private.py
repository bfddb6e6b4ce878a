"""Trainers under a privacy budget in a job without a chain: the client's own steps, noise and account."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

from benchmarks.deltas import Delta
from benchmarks.simulate import Behaviour, Job, Player, View
from client.privacy.budget import Noise, PrivacySettings, Setting, noise_for
from client.privacy.steps import party_update, row_steps
from client.private import step_rate
from hansa.tasks.base import RowDifferentiable
from hansa.tasks.rows import Rows

DELTA = 1e-5


def under_budget(job: Job, epsilon: float, unit: str = "row") -> Job:
    """The same job, every player keeping a budget of its own over all rounds."""
    settings = PrivacySettings(Path("nowhere"), epsilon, DELTA, unit=unit)  # type: ignore[arg-type]
    return replace(job, players=tuple(replace(player, act=_acting(job, player, settings)) for player in job.players))


def _acting(job: Job, player: Player, settings: PrivacySettings) -> Behaviour:
    assert player.rows is not None
    spent, rows, rate = 0.0, player.rows, step_rate(cast(RowDifferentiable, job.world.task), job.steps, 1)

    def act(view: View) -> Delta | None:
        nonlocal spent
        noise = noise_for(settings, Setting(job.rounds - view.round + 1), spent)
        spent += noise.cost.of(settings.unit)
        if settings.unit == "party":
            return party_update(view.train(), noise, clip=settings.clip, exact=True)
        return noisy_delta(job, view.model.tensors, rows, noise, rate)

    return act


def noisy_delta(job: Job, params: Delta, rows: Rows, noise: Noise, rate: float, clip: float = 1.0) -> Delta:
    """rate: of one step."""
    task = cast(RowDifferentiable, job.world.task)
    exact = sum(value.size for value in params.values()) * noise.steps <= 10_000
    return row_steps(task, params, rows, noise, clip=clip, rate=rate, seed=0, exact=exact, slow=False).delta
