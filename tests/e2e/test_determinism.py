"""One seed, one sequence of models: whatever the order of starting, and however many threads torch has."""

from __future__ import annotations

from pathlib import Path

from federations import attendance, check_logs, check_once, federation, finish, models, verdicts

from protocol.types import Code

ROUNDS = 3


def run(directory: Path, **setup: object) -> list[str]:
    with federation(directory, rounds=ROUNDS, **setup) as lab:
        lab.start_all()
        view = finish(lab)
        check_once(lab)
        check_logs(lab)
        for name in ("trainer-1", "trainer-2", "trainer-3", "trainer-4"):
            assert verdicts(lab, view, name) == [Code.OK] * ROUNDS
        for name in ("validator-1", "validator-2", "validator-3"):
            assert attendance(lab, view, name) == (ROUNDS, 0, 0)
        return models(view)


def test_same_seed__any_start_order_and_threads__gives_the_same_models(tmp_path: Path) -> None:
    plain = run(tmp_path / "plain", seed=3)
    shuffled = run(tmp_path / "shuffled", seed=3, shuffle=1, validator_threads=(1, 2))
    assert len(set(plain)) == ROUNDS
    assert shuffled == plain


def test_another_seed__gives_other_models(tmp_path: Path) -> None:
    assert run(tmp_path / "a", seed=4) != run(tmp_path / "b", seed=5)
