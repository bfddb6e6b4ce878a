"""Small handwritten digits: one hidden layer on scikit-learn's 8 × 8 images, whose parties see the digits in unequal
parts. A world of the benchmarks only: the images come with scikit-learn (`pip install 'hansa[bench]'`).

Data: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
https://doi.org/10.24432/C50P49, CC BY 4.0; scikit-learn carries the 1,797 images of its test part.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers import INSTALL, offered
from hansa.protocol.errors import FatalError
from hansa.tasks.base import Params
from hansa.tasks.learning import predictions
from hansa.tasks.mnist import DIGITS, _shared, _shares
from hansa.tasks.rows import Party, Rows, generator, hold_back
from hansa.tasks.study import PartyTask

if TYPE_CHECKING:
    from torch import Tensor

PIXELS = 64
HIDDEN = 32
BRIGHTEST = 16
TESTED = 5
"""Every fifth image is a test row."""


class Digits(PartyTask):
    name = "digits"
    measure = "accuracy"
    batch = 32
    learning_rate = 0.1

    def __init__(self, parties: int, alpha: float, seed: int) -> None:
        super().__init__(_parties(parties, alpha, seed), seed)

    def model(self) -> Params:
        random = generator("digits", "model", self.seed)
        params = {"hidden.bias": np.zeros(HIDDEN, np.float32), "out.bias": np.zeros(DIGITS, np.float32)}
        for name, shape in {"hidden": (HIDDEN, PIXELS), "out": (DIGITS, HIDDEN)}.items():
            spread = float(np.sqrt(2 / shape[1]))  # He et al., ICCV 2015, section 2.2
            params[f"{name}.weight"] = random.normal(0, spread, shape).astype(np.float32)
        return params

    def logits(self, params: Mapping[str, Tensor], images: Tensor) -> Tensor:
        """(n, 64) to (n, 10)."""
        hidden = (images @ params["hidden.weight"].T + params["hidden.bias"]).relu()
        return hidden @ params["out.weight"].T + params["out.bias"]

    def loss(self, params: Mapping[str, Tensor], inputs: Tensor, labels: Tensor) -> Tensor:
        from torch.nn.functional import cross_entropy

        return cross_entropy(self.logits(params, inputs), labels)

    def metric(self, params: Params, data: Rows) -> float:
        return float(np.mean(predictions(self.logits, params, data).argmax(axis=1) == data.labels))


def _parties(count: int, alpha: float, seed: int) -> list[Party]:
    images, labels = _images()
    tested = np.arange(len(labels)) % TESTED == 0
    shares = _shares(count, alpha, seed, np.bincount(labels[~tested], minlength=DIGITS))
    own, tests = (
        _shared(Rows(images[part], labels[part]), shares, name, seed)
        for name, part in (("train", ~tested), ("test", tested))
    )
    return [
        Party(f"party-{number}", *hold_back(rows, rows.labels, "digits", seed, number), tests[number])
        for number, rows in enumerate(own)
    ]


def _images() -> tuple[NDArray[np.float32], NDArray[Any]]:
    """(n, 64) in 0 to 1, and their digits."""
    datasets = offered("sklearn.datasets")
    if datasets is None:
        raise FatalError("the small digits come with scikit-learn, which is not installed", next_step=INSTALL)
    images, labels = datasets.load_digits(return_X_y=True)
    return (images / BRIGHTEST).astype(np.float32), labels.astype(np.int64)
