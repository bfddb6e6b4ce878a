"""How many people will walk past in the next hour? A small network on the counts of 21 street sensors in Auckland.

A row is one sensor and one hour: what it counted in the hours, on the day and in the week before, the hour of the day
and the day of the week; its label is the count. README.md has the data, its licence and what the figures mean.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hansa.protocol.errors import FatalError
from hansa.tasks.base import Params, Scores
from hansa.tasks.learning import predictions
from hansa.tasks.rows import Party, Rows, concat, generator, number, read_lines
from hansa.tasks.settings import Settings
from hansa.tasks.study import Own, PartyTask

if TYPE_CHECKING:
    from torch import Tensor

FILE = Path(__file__).with_name("counts.csv")
SENSORS = 21
START = 6  # the first row's hour, on a Monday
WEEK = 7 * 24
TEST = 12  # weeks at the end
HELD = 0.2  # of the other weeks
LAGS = (1, 2, 3, 24, 25, 48, WEEK - 1, WEEK, WEEK + 1)  # hours back
HISTORY = max(LAGS)
FEATURES = len(LAGS) + 24 + 7
HIDDEN = 32
LOG = 6.0
"""Counts enter as log(1 + count) / LOG − 0.8: about −0.8 to 0.6, by a constant that needs nobody's statistics."""
BETA = 0.1
"""Errors above this count in proportion, smaller ones squared."""


class Traffic(PartyTask):
    """Settings: `parties` (21 are the sensors; fewer share them out in the order of their names), `batch`,
    `learning_rate`.
    """

    name = "traffic"
    measure = "forecast accuracy"

    def __init__(self, values: Mapping[str, object], seed: int) -> None:
        settings = Settings(self.name, values)
        parties = settings.integer("parties", 7, low=1, high=SENSORS)
        self.batch = settings.integer("batch", 32, low=1, high=1000)
        self.learning_rate = settings.decimal("learning_rate", "0.05", high="10")
        settings.done()
        super().__init__(_parties(parties, seed), seed)

    @staticmethod
    def defaults() -> dict[str, Any]:
        return {"rounds": 15, "steps": 200, "bits": 8, "parties": 7, "settings": {"parties": 7}}

    def model(self) -> Params:
        """It forecasts what the same hour last week had, nearly: what it knows beyond that, it has learnt."""
        random = generator("traffic", "model", self.seed)
        direct = np.zeros(FEATURES, np.float32)
        direct[LAGS.index(WEEK)] = 1
        return {
            "direct": direct,
            "hidden.bias": np.zeros(HIDDEN, np.float32),
            "hidden.weight": random.normal(0, 0.3, (FEATURES, HIDDEN)).astype(np.float32),
            "out.bias": np.zeros(1, np.float32),
            "out.weight": random.normal(0, 0.1 * HIDDEN**-0.5, HIDDEN).astype(np.float32),
        }

    def forecast(self, params: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        """On the scale of the inputs."""
        hidden = (inputs @ params["hidden.weight"] + params["hidden.bias"]).relu()
        return hidden @ params["out.weight"] + inputs @ params["direct"] + params["out.bias"]

    def loss(self, params: Mapping[str, Tensor], inputs: Tensor, labels: Tensor) -> Tensor:
        from torch.nn.functional import smooth_l1_loss

        return smooth_l1_loss(self.forecast(params, inputs), (labels + 1).log() / LOG - 0.8, beta=BETA)

    def metric(self, params: Params, data: Rows) -> float:
        return forecast_accuracy(_counts(predictions(self.forecast, params, data)), data.labels)

    def baseline_makers(self) -> dict[str, Callable[[Own], Scores]]:
        repeated = {"last_hour": (1, "in the last hour"), "last_week": (WEEK, "in the same hour last week")}
        return super().baseline_makers() | {name: partial(_repeated, *what) for name, what in repeated.items()}

    def read(self, path: Path) -> Rows:
        """Sensors of one's own: a CSV file like counts.csv, hour by hour, starting at 6:00 on a Monday."""
        _, counts = _read(path)
        return concat([_rows(column, np.arange(HISTORY, len(column))) for column in counts.T])


def forecast_accuracy(forecast: NDArray[Any], counts: NDArray[Any]) -> float:
    """1 − the sum of all errors / the sum of all counts (1 − WAPE); 1 is perfect, 0 what forecasting nobody gets."""
    return float(1 - np.abs(forecast - counts).sum() / counts.sum())


def _repeated(lag: int, when: str, own: Own) -> Scores:
    place = LAGS.index(lag)
    return Scores(
        f"no model: as many as {when}",
        {p.name: forecast_accuracy(_counts(p.test.inputs[:, place]), p.test.labels) for p in own.task.everyone},
    )


def _scaled(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled: NDArray[np.float64] = np.log1p(counts) / LOG - 0.8
    return scaled


def _counts(scaled: NDArray[Any]) -> NDArray[Any]:
    counts: NDArray[np.float64] = np.expm1((scaled.astype(np.float64) + 0.8) * LOG)
    return counts


def _parties(count: int, seed: int) -> list[Party]:
    """Each party's sensors; a fifth of the weeks are held back, the same for all, and the last twelve are test rows."""
    names, counts = _read(FILE)
    weeks = len(counts) // WEEK
    learning = np.arange(1, weeks - TEST)
    shuffled = generator("traffic", "held back", seed).permutation(learning)
    held = np.sort(shuffled[: int(HELD * len(learning) + 0.5)])
    parts = (np.setdiff1d(learning, held), held, np.arange(weeks - TEST, weeks))
    hours = [np.concatenate([np.arange(week * WEEK, (week + 1) * WEEK) for week in part]) for part in parts]
    parties = []
    for place, sensors in enumerate(np.array_split(np.arange(SENSORS), count)):
        name = names[sensors[0]] if len(sensors) == 1 else f"party-{place}"
        parties.append(Party(name, *(concat([_rows(counts[:, s], part) for s in sensors]) for part in hours)))
    return parties


def _rows(counts: NDArray[np.float64], hours: NDArray[np.intp]) -> Rows:
    """Rows for these hours of one sensor, without those that touch a gap."""
    hours = hours[hours >= HISTORY]
    lagged = np.stack([counts[hours - lag] for lag in LAGS], axis=1)
    whole = ~np.isnan(lagged).any(axis=1) & ~np.isnan(counts[hours])
    hours, lagged = hours[whole], lagged[whole]
    hour, day = np.eye(24)[(hours + START) % 24], np.eye(7)[(hours + START) // 24 % 7]
    inputs = np.concatenate([_scaled(lagged), hour, day], axis=1)
    return Rows(inputs.astype(np.float32), counts[hours].astype(np.float32))


def _read(path: Path) -> tuple[list[str], NDArray[np.float64]]:
    """The sensors' names and their counts (hours, sensors), NaN where there is none."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header, *lines = list(csv.reader(file)) or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FatalError(f"{path} can't be used", cause=error, next_step="it must look like counts.csv") from error
    try:
        counts = np.array([[float(value or "nan") for value in line[1:]] for line in lines])
    except ValueError:
        counts = np.zeros(0)
    gaps = sum(not value for line in lines for value in line[1:])
    shaped = counts.ndim == 2 and counts.shape[1] > 0 and len(counts) > HISTORY
    if not shaped or np.isnan(counts).sum() != gaps or np.isinf(counts).any() or (counts < 0).any():
        _find_fault(path)
        raise FatalError(f"{path} can't be used", next_step=f"it needs counts, and more than {HISTORY} hours of them")
    return header[1:], counts


def _find_fault(path: Path) -> None:
    """FatalError names the first line and column that is neither a count nor empty."""
    for line in read_lines(path):
        for sensor in list(line)[1:-1]:
            if line[sensor] and number(line, sensor) < 0:
                raise FatalError(f"{line['line']}, column {sensor}: {line[sensor]} is not a count")
