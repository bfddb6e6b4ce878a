"""Heart disease in four hospitals: logistic regression on UCI's data, FLamby's rows and split.

Inputs are scaled by fixed clinical constants: no hospital has to tell its averages, and base rates stay visible.
Model 0 is all zeros. README.md has the data, its licence and what the figures mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hansa.tasks.base import Params
from hansa.tasks.rows import Party, Rows, number, read_lines, regrouped, rows_of
from hansa.tasks.settings import Settings
from hansa.tasks.study import Classifier

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
COLUMNS = (*SCALES, "cp", "restecg", "disease")
FEATURES = len(SCALES) + len(DUMMIES)


class Heart(Classifier):
    """Settings: `parties` (4 are the hospitals; another number deals all rows out by the seed), `batch`,
    `learning_rate`, and `metric`: `likelihood`, which `defaults` recommends, since it rises round by round, or
    `accuracy`, which moves in steps of a row in thirty. The table shows accuracy.
    """

    name = "heart"

    def __init__(self, values: Mapping[str, object], seed: int) -> None:
        settings = Settings(self.name, values)
        parties = settings.integer("parties", 4, low=1, high=100)
        self.batch = settings.integer("batch", 4, low=1, high=1000)
        self.learning_rate = settings.decimal("learning_rate", "0.01", high="1")
        metric = settings.choice("metric", ("accuracy", "likelihood"))
        settings.done()
        super().__init__(_parties(parties, seed), seed, metric)

    @staticmethod
    def defaults() -> dict[str, Any]:
        return {"rounds": 15, "steps": 100, "bits": 8, "parties": 4, "settings": {"parties": 4, "metric": "likelihood"}}

    def model(self) -> Params:
        return {"bias": np.zeros(1, np.float32), "weight": np.zeros(FEATURES, np.float32)}

    def loss(self, params: Mapping[str, Tensor], inputs: Tensor, labels: Tensor) -> Tensor:
        from torch.nn.functional import binary_cross_entropy_with_logits

        return binary_cross_entropy_with_logits(inputs @ params["weight"] + params["bias"], labels)

    def measured(self, params: Params, data: Rows) -> float:
        logits = data.inputs @ params["weight"] + params["bias"]
        return float(np.mean((logits > 0) == (data.labels > 0.5)))

    def predict(self, params: Params, source: str) -> list[dict[str, float]]:
        """The probability of disease of each patient of a CSV file, which needs no column `disease`."""
        inputs = np.array([_features(line) for line in read_lines(Path(source), COLUMNS[:-1])], np.float32)
        logits = inputs.reshape(-1, FEATURES) @ params["weight"] + params["bias"]
        return [{"disease": round(float(value), 4)} for value in 1 / (1 + np.exp(-logits))]

    def read(self, path: Path) -> Rows:
        """A hospital's own CSV file, with the columns of heart.csv but `hospital` and `set`."""
        return rows_of(read_lines(path, COLUMNS), _features, "disease", COLUMNS)


def _parties(count: int, seed: int) -> list[Party]:
    lines = list(read_lines(FILE))
    train, test = ([_of(lines, hospital, part) for hospital in HOSPITALS] for part in ("train", "test"))
    return regrouped("heart", seed, train, test, HOSPITALS, count)


def _of(lines: list[dict[str, str]], hospital: str, part: str) -> Rows:
    return rows_of(
        (line for line in lines if (line["hospital"], line["set"]) == (hospital, part)), _features, "disease", COLUMNS
    )


def _features(line: dict[str, str]) -> list[float]:
    """The scaled columns, then cp and restecg as dummies."""
    scaled = [(number(line, name) - offset) / scale for name, (offset, scale) in SCALES.items()]
    return scaled + [float(number(line, name, whole=True) == code) for name, code in DUMMIES]
