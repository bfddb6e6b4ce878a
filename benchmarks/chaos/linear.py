"""A task that costs nothing: a line through a dozen rows, in numpy alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hansa.tasks.base import Data, Params, Trained
from hansa.tasks.rows import Rows

FEATURES, ROWS = 4, 12
RATE = 0.05


class Linear:
    """Least squares. Every party's rows lie about one line, each with noise of its own."""

    name = "linear"

    def __init__(self, settings: Mapping[str, Any], seed: int) -> None:
        self.seed = seed

    @staticmethod
    def defaults() -> dict[str, Any]:
        return {"rounds": 2, "steps": 5, "settings": {}}

    def model(self) -> Params:
        return {"bias": np.zeros(1, np.float32), "slope": np.zeros(FEATURES, np.float32)}

    def load(self, source: str) -> Rows:
        return self._rows(1 + int(source), ROWS)

    def validation(self, seat: int, seats: int) -> Rows:
        return self._rows(1000 + seat, 2 * ROWS)

    def train(self, params: Params, data: Data, *, steps: int, loss_threshold: float | None, seed: int) -> Trained:
        trained, loss = {name: value.copy() for name, value in params.items()}, 0.0
        for _ in range(steps):
            loss, slopes = self.gradient(trained, data)
            trained = {name: (trained[name] - RATE * slopes[name]).astype(np.float32) for name in trained}
        return Trained(trained, steps, loss)

    def metric(self, params: Params, data: Data) -> float:
        return -self.gradient(params, data)[0]

    def gradient(
        self, params: Mapping[str, NDArray[np.floating[Any]]], data: Data
    ) -> tuple[float, Mapping[str, NDArray[np.floating[Any]]]]:
        assert isinstance(data, Rows)
        inputs = data.inputs.astype(np.float64)
        off = inputs @ params["slope"] + params["bias"][0] - data.labels
        return float(off @ off) / len(data), {"bias": np.array([2 * off.mean()]), "slope": 2 * off @ inputs / len(data)}

    def _rows(self, party: int, count: int) -> Rows:
        """Drawn from seed and party; the line from the seed alone."""
        line = np.random.default_rng(self.seed).normal(size=FEATURES)
        random = np.random.default_rng([self.seed, party])
        inputs = random.normal(size=(count, FEATURES))
        labels = inputs @ line + 0.5 + 0.3 * random.normal(size=count)
        return Rows(inputs.astype(np.float32), labels.astype(np.float32))
