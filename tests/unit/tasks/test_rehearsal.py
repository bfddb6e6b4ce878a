"""Rehearsing a task without a chain, and what docs/tutorial.md says of it, to the letter."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hansa.protocol.errors import FatalError
from hansa.tasks import Params, Trained, load_task, task_digest
from hansa.tasks.__main__ import main
from hansa.tasks.heart import Heart
from hansa.tasks.learning import TorchTask
from hansa.tasks.rehearsal import check, check_validation_rows, federate, table
from hansa.tasks.rows import Rows
from hansa.tasks.validation import validation_rows

PAGE = Path(__file__).parents[3] / "docs" / "tutorial.md"


@pytest.fixture
def energy(tmp_path: Path) -> Path:
    """The page's own task and data, in a folder of their own."""
    text = PAGE.read_text()
    made = text.split("<<'END'\n")[1].split("END\n")[0]
    subprocess.run([sys.executable, "-c", made], cwd=tmp_path, check=True)
    (tmp_path / "energy.py").write_text(text.split("```python title=energy.py\n")[1].split("```")[0])
    return tmp_path


def test_page__its_task__is_found_keeps_the_rules_and_learns(energy: Path) -> None:
    file = energy / "energy.py"
    task = load_task("energy.py:Energy", {}, 1, task_digest=task_digest(file), allowed=[str(file)])
    sources = [str(energy / f"{name}.csv") for name in ("north", "middle", "south")]
    assert len(list(check(task, sources[0], 3, str(energy / "validation.csv")))) == 5
    lines = table(task, federate(task, sources, 5, 50), steps=250, seats=3, validation=str(energy / "validation.csv"))
    assert lines["federated, on the validation rows"] == pytest.approx(-0.09, abs=0.01)
    with pytest.raises(FatalError, match="gone.csv can't be read"):
        task.load("gone.csv")


def test_page__its_command__prints_what_the_page_shows(energy: Path) -> None:
    command = [sys.executable, "-m", "hansa.tasks", "energy.py:Energy"]
    for name in ("north", "middle", "south"):
        command += ["--data", f"{name}.csv"]
    command += ["--validation", "validation.csv"]
    printed = subprocess.run(command, cwd=energy, capture_output=True, text=True, check=True).stdout
    shown = re.findall(r"```text\n(  device: .*?)```", PAGE.read_text(), re.DOTALL)[0]
    for line in ("model", "rows", "train", "metric"):
        found = re.findall(rf"^  {line}: .*$", shown, re.MULTILINE)
        assert found and found[0] in printed


def test_page__a_row_that_is_not_finite__is_named_before_anything_is_paid(energy: Path) -> None:
    lines = (energy / "north.csv").read_text().splitlines()
    lines[2] = "nan,100,3.0"
    (energy / "north.csv").write_text("\n".join(lines))
    told = rehearsed(energy, "north.csv", "validation.csv")
    assert "north.csv, line 3, column degrees: 'nan' is not a finite number; leave the line out" in told
    (energy / "validation.csv").write_text("\n".join(lines))
    assert "validation.csv, line 3, column degrees" in rehearsed(energy, "south.csv", "validation.csv")


def test_page__validation_rows_that_nobody_named__are_asked_for(energy: Path) -> None:
    assert rehearsed(energy, "south.csv") == ("task energy asks where its validation rows are; add --validation FILE\n")


def test_variable__that_a_task_reads_its_rows_from__works_and_is_named_where_it_is_missing(
    energy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = 'self.load(__import__("os").environ["ENERGY_VALIDATION"]).take(slice(seat, None, seats))'
    with (energy / "energy.py").open("a") as file:
        file.write(f"\n    def validation(self, seat, seats):\n        return {own}\n")
    told = rehearsed(energy, "south.csv")
    assert told == (
        "task energy failed while reading the validation rows: the environment variable ENERGY_VALIDATION is not set; "
        "set it, as in `export ENERGY_VALIDATION=…`\n"
    )
    monkeypatch.setenv("ENERGY_VALIDATION", "validation.csv")
    command = [sys.executable, "-m", "hansa.tasks", "energy.py:Energy", "--data", "south.csv"]
    subprocess.run(command, cwd=energy, capture_output=True, check=True)
    assert "energy takes no --validation FILE" in rehearsed(energy, "south.csv", "validation.csv")


def test_task__that_brings_its_validation_rows__takes_no_file_of_them() -> None:
    with pytest.raises(FatalError, match=r"heart takes no --validation FILE.*leave the option out"):
        validation_rows(Heart({}, 0), 0, 3, "mine.csv")


@pytest.mark.parametrize(
    "words", ["--rounds -1", "--rounds 0", "--steps 0", "--seeds 0", "--seats 0", "--seed -1", "--threads 0"]
)
def test_number_that_makes_no_sense__is_a_sentence(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["hansa.tasks", "heart", *words.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    assert str(ended.value).startswith(f"{words} is out of range: it may be ")


@pytest.mark.parametrize(
    ("error", "said"), [(KeyboardInterrupt(), "interrupted"), (OSError("x"), "unexpected: OSError: x")]
)
def test_end_that_nobody_foresaw__has_no_traceback(
    error: BaseException, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(sys, "argv", ["hansa.tasks", "heart"])
    monkeypatch.setattr("hansa.tasks.__main__._run", fail)
    with pytest.raises(SystemExit, match=f"^{said}$"):
        main()


def rehearsed(folder: Path, data: str, *validation: str) -> str:
    """What the rehearsal that fails says."""
    command = [sys.executable, "-m", "hansa.tasks", "energy.py:Energy", "--data", data]
    command += [word for name in validation for word in ("--validation", name)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


class Line(TorchTask):
    """y = w·x; breaks no rule."""

    name = "line"
    batch = 2
    learning_rate = 0.1

    def model(self) -> Params:
        return {"w": np.ones(1, np.float32)}

    def load(self, source: str) -> Rows:
        return Rows(np.arange(40, dtype=np.float32) / 40, np.zeros(40, np.float32))

    def validation(self, seat: int, seats: int) -> Rows:
        return self.load("").take(slice(seat, None, seats))

    def loss(self, params: Mapping[str, Any], inputs: Any, labels: Any) -> Any:
        return ((params["w"] * inputs - labels) ** 2).mean()

    def metric(self, params: Params, data: Rows) -> float:
        return 0.0


class Restless(Line):
    def model(self) -> Params:
        return {"w": np.random.random(1).astype(np.float32)}


class Wide(Line):
    def model(self) -> Params:
        return {"w": np.ones(1)}  # type: ignore[dict-item]


class Greedy(Line):
    def train(self, params: Params, data: Rows, *, steps: int, loss_threshold: float | None, seed: int) -> Trained:
        trained = super().train(params, data, steps=steps, loss_threshold=loss_threshold, seed=seed)
        return Trained({**trained.params, "v": np.zeros(1, np.float32)}, trained.steps, trained.loss)


class Lucky(Line):
    def train(self, params: Params, data: Rows, *, steps: int, loss_threshold: float | None, seed: int) -> Trained:
        return super().train(params, data, steps=steps, loss_threshold=None, seed=np.random.randint(2**30))


class Backward(Line):
    def gradient(self, params: Mapping[str, Any], data: Rows) -> tuple[float, dict[str, Any]]:
        loss, gradient = super().gradient(params, data)
        return loss, {name: -value for name, value in gradient.items()}


class Blind(Line):
    def metric(self, params: Params, data: Rows) -> float:
        return float("nan")


class Idle(Line):
    def model(self) -> Params:
        return {"v": np.ones(1, np.float32), "w": np.ones(1, np.float32)}


class Deaf(Line):
    def loss(self, params: Mapping[str, Any], inputs: Any, labels: Any) -> Any:
        return (labels**2).mean()


class Explosive(Line):
    learning_rate = 1e30

    def loss(self, params: Mapping[str, Any], inputs: Any, labels: Any) -> Any:
        return super().loss(params, inputs, labels) * 1e30


class Bottomless(Line):
    def gradient(self, params: Mapping[str, Any], data: Rows) -> tuple[float, dict[str, Any]]:
        loss, gradient = super().gradient(params, data)
        return loss, {name: value * np.nan for name, value in gradient.items()}


class Coarse(Line):
    kind: type[np.floating[Any]] = np.float16

    def gradient(self, params: Mapping[str, Any], data: Rows) -> tuple[float, dict[str, Any]]:
        loss, gradient = super().gradient(params, data)
        return loss, {name: value.astype(self.kind) for name, value in gradient.items()}


class Single(Coarse):
    kind = np.float32


class Unlucky(Line):
    def metric(self, params: Params, data: Rows) -> float:
        raise IndexError("no such row")


@pytest.mark.parametrize("kind", [Line, Single])
def test_check__a_good_task__says_five_things(kind: type[Line]) -> None:
    assert len(list(check(kind(), "", 2))) == 5


@pytest.mark.parametrize(
    ("kind", "seats", "reason"),
    [
        (Restless, 2, "w differs from call to call"),
        (Wide, 2, "w is float64; make it float32"),
        (Greedy, 2, "other tensors"),
        (Lucky, 2, "w differs from run to run"),
        (Backward, 2, "not the slope of the loss"),
        (Blind, 2, "metric is not a finite number"),
        (Line, 50, "somebody has no rows"),
        (Idle, 2, r"loss\(\) does not depend on v of model\(\); use it there, or leave it out of the model"),
        (Deaf, 2, r"loss\(\) does not depend on w of model\(\)"),
        (Explosive, 2, "w is not finite after 3 steps on mine"),
        (Bottomless, 2, "not the slope of the loss"),
        (Coarse, 2, r"gradient\(\): w is float16 \(1,\) for a tensor of shape \(1,\); return it as float32 or float64"),
        (Unlucky, 2, "task line failed while measuring model 0: IndexError: no such row"),
    ],
)
def test_check__a_broken_rule__is_named(kind: type[Line], seats: int, reason: str) -> None:
    with pytest.raises(FatalError, match=reason):
        list(check(kind(), "mine", seats))


def test_validation_rows__without_a_finite_slope__are_refused() -> None:
    task = Bottomless()
    with pytest.raises(FatalError, match="the gradient of w is not finite on the validation rows; look for numbers"):
        check_validation_rows(task, task.model(), task.validation(0, 2))


def test_gradient__without_a_tensor__is_a_sentence() -> None:
    with pytest.raises(FatalError, match=r"does not depend on v"):
        Idle().gradient(Idle().model(), Idle().load(""))


def test_table__a_study__has_its_baselines() -> None:
    task = Heart({}, seed=1)
    lines = table(task, task.model(), steps=1, seats=3)
    assert list(lines)[0] == "federated (accuracy)"
    assert len(lines) == 5
