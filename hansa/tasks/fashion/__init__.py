"""Clothes: a residual network on Fashion-MNIST, whose parties see the ten kinds in unequal parts.

The images are no part of Hansa: Debian's package dataset-fashion-mnist has them, `HANSA_FASHION` names another folder
with the four idx files, compressed or not. README.md has what the figures mean.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hansa.protocol.errors import FatalError
from hansa.tasks.fashion.pictures import read_pictures
from hansa.tasks.images import find_folder, read_rows, share_out
from hansa.tasks.modules.parties import PartyClassifier
from hansa.tasks.rows import Rows, generator
from hansa.tasks.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

INSTALLED = "/usr/share/datasets/fashion-mnist"
KINDS = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
TESTS = 2000
AGAIN = "install dataset-fashion-mnist again"


class Fashion(PartyClassifier):
    """Settings: `parties`; `alpha`, how unequal their shares of each kind are (Dirichlet; small is unequal); `rows`,
    how many training images all parties have together; `batch`, `learning_rate`, `proximal`.
    """

    name = "fashion"
    batch = 32
    learning_rate = 0.05

    def configure(self, settings: Settings) -> None:
        parties = settings.integer("parties", 4, low=1, high=100)
        alpha = settings.decimal("alpha", "5", low="0.01", high="1000")
        rows = settings.integer("rows", 2400, low=200, high=60_000)
        folder = _folder()
        train = _some(read_rows(folder, "train", AGAIN), rows, "train", self.seed)
        test = _some(read_rows(folder, "test", AGAIN), TESTS, "test", self.seed)
        self.everyone = share_out(self.name, train, test, parties, alpha, self.seed)

    @staticmethod
    def defaults() -> dict[str, Any]:
        return {"rounds": 12, "steps": 20, "bits": 8, "parties": 4, "settings": {"parties": 4}}

    def module(self) -> Module:
        from hansa.tasks.fashion.resnet import ResNet

        return ResNet()

    def loss(self, module: Module, batch: Any) -> Tensor:
        """Images are shifted and mirrored while the module trains, and left alone where it is measured."""
        from hansa.tasks.fashion.resnet import augmented

        images, labels = batch
        return super().loss(module, (augmented(images) if module.training else images, labels))

    def predict(self, module: Module, source: str) -> list[dict[str, Any]]:
        """source: pictures in a .npy, idx or .png file. For each its number, its kind, and how likely that is."""
        import torch

        pictures = torch.tensor(read_pictures(Path(source).expanduser()))
        with torch.no_grad():
            chances, kinds = module(pictures).softmax(dim=1).max(dim=1)
        found = zip(kinds.tolist(), chances.tolist(), strict=True)
        return [{"image": n, "kind": KINDS[kind], "probability": round(p, 4)} for n, (kind, p) in enumerate(found, 1)]


def _some(rows: Rows, count: int, part: str, seed: int) -> Rows:
    """So many of the rows, drawn by the seed."""
    chosen = generator("fashion", "some", part, seed).permutation(len(rows))[:count]
    chosen.sort()
    return Rows(np.array(rows.inputs[chosen]), rows.labels[chosen])


def _folder() -> Path:
    """Where the four files are."""
    place = Path(os.environ.get("HANSA_FASHION", INSTALLED)).expanduser()
    if find_folder([place]) is None:
        raise FatalError(
            f"Fashion-MNIST is not in {place}",
            next_step="run `apt-get install dataset-fashion-mnist`, or, without root, `apt-get download "
            "dataset-fashion-mnist && dpkg -x dataset-fashion-mnist_*.deb fashion && "
            f"export HANSA_FASHION=$PWD/fashion{INSTALLED}`",
        )
    return place
