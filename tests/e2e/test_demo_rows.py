"""`hansa demo` of a task that brings no rows: each trainer's and the validators' are named, or it refuses at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import warm_command

ROOT = Path(__file__).resolve().parents[2]
TASK = """
import numpy as np

from hansa import FatalError, Rows, TorchTask, mean_loss, read_table


class Slope(TorchTask):
    name = "slope"
    batch = 8
    learning_rate = 0.05

    def __init__(self, settings, seed):
        pass

    def model(self):
        return {"w": np.zeros(2, np.float32)}

    def load(self, source):
        table = read_table(source, ("a", "b", "y"))
        return Rows(table[:, :2], table[:, 2])

    def validation(self, seat, seats, source):
        return self.load(source).take(slice(seat, None, seats))

    def loss(self, params, inputs, labels):
        return ((inputs @ params["w"] - labels) ** 2).mean()

    def metric(self, params, data):
        return -mean_loss(self, params, data)
"""
FAILS = """
    def train(self, params, data, *, steps, loss_threshold, seed):
        if steps > 3:  # not when it is rehearsed
            raise FatalError("this machine can't train")
        return super().train(params, data, steps=steps, loss_threshold=loss_threshold, seed=seed)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    random = np.random.default_rng(1)
    for number, name in enumerate(("one", "two", "validation")):
        inputs = random.normal(number, 1, (60, 2))
        table = np.column_stack([inputs, inputs @ [1.0, -0.5]])
        np.savetxt(tmp_path / f"{name}.csv", table, "%.4f", ",", header="a,b,y", comments="")
    (tmp_path / "slope.py").write_text(TASK)
    return tmp_path


def demo(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [*warm_command(), "demo", "--task", "slope.py:Slope", "--rounds", "2", *words]
    environment = {"PATH": str(Path(sys.executable).parent), "PYTHONPATH": str(ROOT), "HOME": str(folder)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
    )


def test_demo__of_rows_that_are_named__trains_on_them(folder: Path) -> None:
    done = demo(folder, "--data", "one.csv", "--data", "two.csv", "--validation", "validation.csv", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [len(found["rounds"]), len(found["rewards"])] == [2, 2]
    assert sum(int(row["pay"]) for row in found["rewards"]) > 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            [],
            "task slope.py:Slope brings no rows for trainer-1: it can't load '0'; name a file for each",
        ),
        (["--data", "one.csv", "--data", "two.csv"], "asks where its validation rows are; add --validation FILE"),
        (["--data", "one.csv", "--trainers", "3"], "--data is given 1 times for 3 trainers"),
        (["--data", "one.csv", "--data", "gone.csv", "--validation", "validation.csv"], "gone.csv can't be read"),
    ],
)
def test_demo__without_rows_for_somebody__refuses_before_it_starts_anything(
    folder: Path, words: list[str], said: str
) -> None:
    done = demo(folder, *words)
    assert done.returncode == 1
    assert said in done.stderr and done.stderr.count("\n") == 1
    assert not (folder / ".hansa").exists()


@pytest.mark.slow
def test_demo__that_no_trainer_is_left_in__ends(folder: Path) -> None:
    (folder / "slope.py").write_text(TASK + FAILS)
    done = demo(folder, "--data", "one.csv", "--data", "two.csv", "--validation", "validation.csv")
    assert done.returncode == 1
    assert "hansa: no trainer is left: trainer-1 ended with code 1: FatalError: " in done.stderr, done.stderr
    assert "this machine can't train" in done.stderr


def test_demo__of_a_task_that_can_not_train__ends_before_anything_is_posted(folder: Path) -> None:
    (folder / "slope.py").write_text(TASK + FAILS.replace("steps > 3", "steps"))
    done = demo(folder, "--data", "one.csv", "--data", "two.csv", "--validation", "validation.csv")
    assert (done.returncode, done.stderr) == (1, "hansa: this machine can't train\n")
    assert "rehearsing the task" in done.stdout and "posting the job" not in done.stdout
