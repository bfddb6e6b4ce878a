"""Machines that are about to fail: a small network on AI4I 2020, whose parties make three qualities of product.

3.4 % of the rows are failures, so the measure is average precision: accuracy would call 'never' a good answer.
README.md has the data, its licence and what the figures mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hansa.tasks.base import Params, Scores
from hansa.tasks.learning import predictions
from hansa.tasks.rows import Party, Rows, generator, hold_back, number, read_lines, regrouped, rows_of
from hansa.tasks.settings import Settings
from hansa.tasks.study import Own, PartyTask

if TYPE_CHECKING:
    from torch import Tensor

TYPES = ("L", "M", "H")  # low, medium, high quality
FILE = Path(__file__).with_name("machines.csv")
COLUMNS = ("type", "air", "process", "speed", "torque", "wear", "failure")
TORQUE = 3  # its place among the features
FEATURES = 11
HIDDEN = 16
TEST = 0.3


class Maintenance(PartyTask):
    """Settings: `parties` (3 are the product types; another number deals all rows out by the seed), `batch`,
    `learning_rate`.
    """

    name = "maintenance"
    measure = "average precision"

    def __init__(self, values: Mapping[str, object], seed: int) -> None:
        settings = Settings(self.name, values)
        parties = settings.integer("parties", 3, low=1, high=100)
        self.batch = settings.integer("batch", 32, low=1, high=1000)
        self.learning_rate = settings.decimal("learning_rate", "0.2", high="10")
        settings.done()
        super().__init__(_parties(parties, seed), seed)

    @staticmethod
    def defaults() -> dict[str, Any]:
        return {"rounds": 15, "steps": 200, "bits": 8, "parties": 3, "settings": {"parties": 3}}

    def model(self) -> Params:
        random = generator("maintenance", "model", self.seed)
        return {
            "hidden.bias": np.zeros(HIDDEN, np.float32),
            "hidden.weight": random.normal(0, FEATURES**-0.5, (FEATURES, HIDDEN)).astype(np.float32),
            "out.bias": np.full(1, -3, np.float32),  # failures are rare
            "out.weight": random.normal(0, HIDDEN**-0.5, HIDDEN).astype(np.float32),
        }

    def logits(self, params: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        hidden = (inputs @ params["hidden.weight"] + params["hidden.bias"]).relu()
        return hidden @ params["out.weight"] + params["out.bias"]

    def loss(self, params: Mapping[str, Tensor], inputs: Tensor, labels: Tensor) -> Tensor:
        from torch.nn.functional import binary_cross_entropy_with_logits

        return binary_cross_entropy_with_logits(self.logits(params, inputs), labels)

    def metric(self, params: Params, data: Rows) -> float:
        return average_precision(predictions(self.logits, params, data), data.labels)

    def baseline_makers(self) -> dict[str, Callable[[Own], Scores]]:
        return {**super().baseline_makers(), "torque": _by_torque, "chance": _by_chance}

    def read(self, path: Path) -> Rows:
        """A maker's own CSV file, with the columns of machines.csv."""
        return rows_of(read_lines(path, COLUMNS), _features, "failure", COLUMNS)


def average_precision(scores: NDArray[np.floating[Any]], labels: NDArray[Any]) -> float:
    """The mean, over the failures, of the precision at the threshold that just finds each; equal scores count together.

    0 where there is no failure to find.
    """
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(labels[order] > 0.5)
    if len(found) == 0 or found[-1] == 0:
        return 0.0
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)  # the last of each run of equal scores
    gained = np.diff(found[ends], prepend=0)
    return float(np.sum(gained * found[ends] / (ends + 1)) / found[-1])


def _by_torque(own: Own) -> Scores:
    return Scores(
        "no model: the machines with the highest torque first",
        {p.name: average_precision(p.test.inputs[:, TORQUE], p.test.labels) for p in own.task.everyone},
    )


def _by_chance(own: Own) -> Scores:
    return Scores(
        "no model: chance (the share of failures)",
        {p.name: float(np.mean(p.test.labels)) for p in own.task.everyone},
    )


def _parties(count: int, seed: int) -> list[Party]:
    """Every type's rows, 30 % of them test rows, the same ones in every job."""
    lines = list(read_lines(FILE))
    train, test = [], []
    for kind in TYPES:
        rows = rows_of((line for line in lines if line["type"] == kind), _features, "failure", COLUMNS)
        kept, held = hold_back(rows, "maintenance", "test", kind, part=TEST)
        train.append(kept)
        test.append(held)
    return regrouped("maintenance", seed, train, test, [f"type-{kind}" for kind in TYPES], count)


def _features(line: dict[str, str]) -> list[float]:
    """The five sensors, three products of them that wear a tool out, and the product's type; all about −2 to 2."""
    air, process, speed, torque, wear = (number(line, name) for name in COLUMNS[1:-1])
    if line["type"] not in TYPES:
        raise ValueError(f"type {line['type']!r}")
    power = torque * speed * 2 * np.pi / 60  # watts
    return [
        (air - 300) / 2,
        (process - 310) / 1.5,
        (speed - 1500) / 200,
        (torque - 40) / 10,
        (wear - 110) / 60,
        (process - air - 10) / 1,
        (power - 6300) / 1500,
        (wear * torque - 4300) / 2800,
        *(float(line["type"] == kind) for kind in TYPES),
    ]
