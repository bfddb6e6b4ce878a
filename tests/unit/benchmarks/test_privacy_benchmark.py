"""The attacks of `python -m benchmarks privacy`, where the answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks import accounts
from benchmarks.accounts import INSTALL, bounds
from benchmarks.inversion import patient, psnr, sent, step_delta
from benchmarks.membership import auc
from benchmarks.private import DELTA, under_budget
from benchmarks.regrouping import difference, drawn_anew, guessed, kept
from benchmarks.simulate import Job, Player, play
from benchmarks.worlds import heart
from client.privacy.accountant import mu_squared_of, sigma_for
from hansa.tasks import load_task


def test_patient__is_the_row_that_one_step_was_made_of() -> None:
    task: Any = load_task("heart", {}, 0)
    row = task.load("1").take(slice(5, 6))
    delta = step_delta(task, task.model(), row, 1, 0)
    np.testing.assert_allclose(patient(delta), row.inputs[0], atol=1e-6)
    np.testing.assert_allclose(patient(sent(delta)), row.inputs[0], atol=0.1)


def test_auc__is_one_where_all_members_are_above_and_a_half_where_nothing_tells() -> None:
    assert auc(np.array([3.0, 2.0]), np.array([1.0, 0.0])) == 1.0
    assert auc(np.ones(3), np.ones(4)) == 0.5


def test_psnr__of_a_tenth_away_everywhere__is_twenty() -> None:
    assert psnr(np.zeros((1, 4, 4)), np.full((1, 4, 4), 0.1)) == pytest.approx([20.0])


def test_regrouping__finds_updates_that_stay_and_one_group_does_not() -> None:
    updates = [np.random.default_rng(0).normal(size=(6, 40))] * 30
    assert guessed(updates, drawn_anew, 3, 0) == pytest.approx((1.0, 1.0))
    _, own = guessed([each + np.random.default_rng(1).normal(size=each.shape) for each in updates[:3]], kept, 6, 0)
    assert own < 0.9


def test_two_openings__tell_the_update_that_one_lacks() -> None:
    random = np.random.default_rng(0)
    updates = [{"a": random.integers(-127, 128, 20).astype(np.int8)} for _ in range(5)]
    assert difference(updates, 2) == 0


def test_job_under_a_budget__is_another_and_learns() -> None:
    world = heart(1)
    players = tuple(Player(name, rows) for name, rows in zip(world.task.parties(), world.rows, strict=True))
    job = Job(world, players, 4, 100, 1)
    final = play(under_budget(job, 8.0)).models[-1].tensors
    assert world.likelihood(final) > world.likelihood(world.task.model())


@pytest.mark.parametrize("epsilon", [1.0, 2.0, 4.0, 8.0])
def test_epsilon__is_at_most_what_opacus_bounds_it_by(epsilon: float) -> None:
    found = bounds(sigma_for(mu_squared_of(epsilon, DELTA), 15), 15, DELTA)
    if found is None:
        pytest.skip("opacus is not installed")
    assert epsilon <= found["PRV"] < epsilon + 0.02
    assert epsilon <= found["RDP"] < 1.15 * epsilon


def test_account__without_opacus__names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "offered", lambda name: None)
    made = accounts.section((2.0,), 15, DELTA)
    assert made.rows[0][2:] == [pytest.approx(2.0), None, None] and INSTALL in made.notes[-1]
