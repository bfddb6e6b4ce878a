"""Machines about to fail: rows, average precision, and the figures that README gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hansa.protocol.errors import FatalError
from hansa.tasks import defaults
from hansa.tasks.maintenance import FILE, Maintenance, average_precision
from hansa.tasks.rehearsal import check, federate


@pytest.fixture(scope="module")
def task() -> Maintenance:
    return Maintenance({}, seed=1)


def test_rows__three_types__all_rows_once(task: Maintenance) -> None:
    sizes = {p.name: len(p.train) + len(p.held) + len(p.test) for p in task.everyone}
    assert sizes == {"type-L": 6000, "type-M": 2997, "type-H": 1003}
    assert sum(int(rows.labels.sum()) for p in task.everyone for rows in (p.train, p.held, p.test)) == 339


def test_test_rows__any_seed__are_the_same(task: Maintenance) -> None:
    other = Maintenance({}, seed=2)
    for name in task.parties():
        assert task.test(name).inputs.tobytes() == other.test(name).inputs.tobytes()
        assert task.load(name).inputs.tobytes() != other.load(name).inputs.tobytes()


def test_check__keeps_the_rules(task: Maintenance) -> None:
    assert len(list(check(task, "type-H", 3))) == 5


def test_parties__ten__share_failures_evenly() -> None:
    task = Maintenance({"parties": 10}, seed=1)
    assert {int(p.test.labels.sum()) for p in task.everyone} <= {10, 11}


@pytest.mark.parametrize(
    ("scores", "labels", "value"),
    [
        ([3, 2, 1, 0], [1, 1, 0, 0], 1.0),
        ([3, 2, 1, 0], [0, 1, 0, 1], (1 / 2 + 2 / 4) / 2),
        ([0, 0, 0, 0], [0, 1, 0, 0], 1 / 4),  # equal scores count together: chance
        ([1, 1, 0, 0], [0, 1, 0, 1], (1 / 2 + 2 / 4) / 2),
        ([3, 2], [0, 0], 0.0),
        ([], [], 0.0),
    ],
)
def test_average_precision__by_hand(scores: list[float], labels: list[int], value: float) -> None:
    assert average_precision(np.array(scores, float), np.array(labels, float)) == pytest.approx(value)


def test_average_precision__against_its_definition() -> None:
    random = np.random.RandomState(1)
    for _ in range(50):
        scores, labels = random.randint(0, 8, 30).astype(float), (random.random(30) < 0.3).astype(float)
        if not labels.any():
            continue
        naive = [labels[scores >= s].mean() for s in scores[labels > 0]]
        assert average_precision(scores, labels) == pytest.approx(np.mean(naive))


def test_load__own_file__checks_the_type(task: Maintenance, tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    lines = FILE.read_text().splitlines()[:5]
    own.write_text("\n".join(lines))
    assert len(task.load(str(own))) == 4
    own.write_text("\n".join([*lines, "X,298.1,308.6,1551,42.8,0,0"]))
    with pytest.raises(FatalError, match="line 6 can't be used: ValueError: type 'X'"):
        task.load(str(own))


def test_figures__federated_beats_own_models_on_everybody_and_no_model() -> None:
    setup = defaults("maintenance")
    task = Maintenance(setup["settings"], 0)
    params = federate(task, task.parties(), setup["rounds"], setup["steps"])
    lines = task.baselines(steps=setup["rounds"] * setup["steps"], seed=0)
    assert set(lines) == {"local_own", "local_all", "pooled", "torque", "chance"}
    assert task.scores(params).mean > lines["local_all"].mean + 0.05
    assert lines["local_all"].mean > lines["torque"].mean > lines["chance"].mean
