"""A task of any size that costs next to nothing to train: what is left of a round is Hansa's own work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hansa.protocol.errors import FatalError
from hansa.tasks.base import Data, Params, Trained
from hansa.tasks.rows import Rows

LAYERS = 4


class Synthetic:
    """The loss is half the squared length of the parameters. Training draws a step from its seed, of which a small part
    goes downhill."""

    name = "synthetic"

    def __init__(self, settings: Mapping[str, Any], seed: int) -> None:
        self.parameters, self.seed = int(settings.get("parameters", 10**6)), seed
        if self.parameters < LAYERS:
            raise FatalError(f"{self.parameters} parameters are too few", next_step=f"take {LAYERS} or more")

    @staticmethod
    def defaults() -> dict[str, Any]:
        return {"rounds": 2, "steps": 1, "settings": {"parameters": 10**6}}

    def model(self) -> Params:
        random = np.random.default_rng(self.seed)
        sizes = [(self.parameters + i) // LAYERS for i in range(LAYERS)]
        return {f"layer{i}": random.random(size, np.float32) + np.float32(0.5) for i, size in enumerate(sizes)}

    def load(self, source: str) -> Rows:
        return Rows(np.full((1, 1), float(source), np.float32), np.zeros(1, np.int64))

    def validation(self, seat: int, seats: int) -> Rows:
        return self.load(str(seat))

    def train(self, params: Params, data: Data, *, steps: int, loss_threshold: float | None, seed: int) -> Trained:
        random, trained = np.random.default_rng(seed), {}
        for name, values in params.items():
            step = random.random(values.shape, np.float32)
            step -= np.float32(0.51)
            step *= np.float32(0.1)
            step += values
            trained[name] = step
        return Trained(trained, steps, 0.0)

    def metric(self, params: Params, data: Data) -> float:
        return -self._loss(params)

    def gradient(
        self, params: Mapping[str, NDArray[np.floating[Any]]], data: Data
    ) -> tuple[float, Mapping[str, NDArray[np.floating[Any]]]]:
        return self._loss(params), {name: values / self.parameters for name, values in params.items()}

    def _loss(self, params: Mapping[str, NDArray[np.floating[Any]]]) -> float:
        return sum(float(np.vdot(values, values)) for values in params.values()) / (2 * self.parameters)
