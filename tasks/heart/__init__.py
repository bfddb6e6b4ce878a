"""Heart disease in four hospitals: logistic regression on UCI's data, FLamby's rows and split.

Inputs are scaled by fixed clinical constants: no hospital has to tell its averages, and base rates stay visible.
Model 0 is all zeros. README.md has the data, its licence and what the figures mean.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from protocol.errors import FatalError
from tasks.base import Params, Scores
from tasks.learning import mean_over_rows
from tasks.rows import Party, Rows, concat, deal_out, hold_back
from tasks.settings import Settings
from tasks.study import Own, PartyTask, majority

if TYPE_CHECKING:
    from torch import Tensor

HOSPITALS = ("cleveland", "hungary", "switzerland", "va")
FILE = Path(__file__).with_name("heart.csv")

SCALES = {  # column: (subtract, divide by)
    "age": (50.0, 10.0),
    "sex": (0.5, 0.5),
    "trestbps": (130.0, 20.0),
    "chol": (200.0, 100.0),
    "fbs": (0.0, 0.5),
    "thalch": (140.0, 25.0),
    "exang": (0.5, 0.5),
    "oldpeak": (0.0, 1.0),
}
DUMMIES = (("cp", 2), ("cp", 3), ("cp", 4), ("restecg", 1), ("restecg", 2))
COLUMNS = (*SCALES, "cp", "restecg")
FEATURES = len(SCALES) + len(DUMMIES)


class Heart(PartyTask):
    """Settings: `parties` (4 are the hospitals; another number deals all rows out by the seed), `batch`,
    `learning_rate`, and `metric`: `accuracy`, or `likelihood`, the mean probability (geometric) given to the truth.

    Accuracy is what a sponsor understands and the table shows, but on a few dozen rows it moves in large steps; a job
    with `patience` should use `likelihood`, which also rises while nothing crosses one half.
    """

    name = "heart"
    measure = "accuracy"

    def __init__(self, values: Mapping[str, object], seed: int) -> None:
        settings = Settings(self.name, values)
        parties = settings.integer("parties", 4, low=1, high=100)
        self.batch = settings.integer("batch", 4, low=1, high=1000)
        self.learning_rate = settings.decimal("learning_rate", "0.01", high="1")
        self._metric = settings.choice("metric", ("accuracy", "likelihood"))
        settings.done()
        super().__init__(_parties(parties, seed), seed)

    @staticmethod
    def defaults() -> dict[str, Any]:
        return {"rounds": 15, "steps": 100, "bits": 8, "parties": 4, "settings": {"parties": 4}}

    def model(self) -> Params:
        return {"bias": np.zeros(1, np.float32), "weight": np.zeros(FEATURES, np.float32)}

    def loss(self, params: Mapping[str, Tensor], inputs: Tensor, labels: Tensor) -> Tensor:
        from torch.nn.functional import binary_cross_entropy_with_logits

        return binary_cross_entropy_with_logits(inputs @ params["weight"] + params["bias"], labels)

    def metric(self, params: Params, data: Rows) -> float:
        if self._metric == "likelihood":
            return float(np.exp(-mean_over_rows(self, params, data)))
        return self.measured(params, data)

    def measured(self, params: Params, data: Rows) -> float:
        """Accuracy, always."""
        logits = data.inputs @ params["weight"] + params["bias"]
        return float(np.mean((logits > 0) == (data.labels > 0.5)))

    def baseline_makers(self) -> dict[str, Callable[[Own], Scores]]:
        return {**super().baseline_makers(), "majority": majority}

    def read(self, path: Path) -> Rows:
        """A hospital's own CSV file, with the columns of heart.csv but `hospital` and `set`."""
        return _rows(_lines(path))


def _parties(count: int, seed: int) -> list[Party]:
    hospitals = {name: list(_lines(FILE, hospital=name)) for name in HOSPITALS}
    train = [_rows(line for line in hospitals[name] if line["set"] == "train") for name in HOSPITALS]
    test = [_rows(line for line in hospitals[name] if line["set"] == "test") for name in HOSPITALS]
    names = list(HOSPITALS)
    if count != len(HOSPITALS):
        names = [f"party-{number}" for number in range(count)]
        train = _dealt(train, count, "train", seed)
        test = _dealt(test, count, "test", seed)
    parties = []
    for index, name in enumerate(names):
        kept, held = hold_back(train[index], train[index].labels, "heart", seed, index)
        parties.append(Party(name, kept, held, test[index]))
    return parties


def _dealt(parts: list[Rows], count: int, part: str, seed: int) -> list[Rows]:
    rows = concat(parts)
    return deal_out(rows, rows.labels, count, "heart", part, seed)


def _lines(path: Path, hospital: str | None = None) -> Iterator[dict[str, str]]:
    """The file's lines by column; FatalError names the first that can't be used."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for number, line in enumerate(csv.DictReader(file), 2):
                if hospital is None or line["hospital"] == hospital:
                    yield line | {"line": f"{path}, line {number}"}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FatalError(f"{path} can't be read", cause=error) from error


def _rows(lines: Iterable[dict[str, str]]) -> Rows:
    inputs, labels = [], []
    for line in lines:
        try:
            inputs.append(_features(line))
            labels.append({"0": 0.0, "1": 1.0}[line["disease"]])
        except (KeyError, ValueError, TypeError) as error:
            raise FatalError(
                f"{line['line']} can't be used",
                cause=f"{type(error).__name__}: {error}",
                next_step=f"it needs numbers in {', '.join(COLUMNS)} and 0 or 1 in disease",
            ) from error
    if not labels:
        raise FatalError("a heart file without rows", next_step="give one with at least one patient")
    return Rows(np.array(inputs, np.float32), np.array(labels, np.float32))


def _features(line: dict[str, str]) -> list[float]:
    """The scaled columns, then cp and restecg as dummies."""
    scaled = [(float(line[name]) - offset) / scale for name, (offset, scale) in SCALES.items()]
    values = scaled + [float(int(line[name]) == code) for name, code in DUMMIES]
    if not np.isfinite(values).all():
        raise ValueError("not a finite number")
    return values
