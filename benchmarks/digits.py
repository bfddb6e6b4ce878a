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
from hansa.tasks.images import CLASSES, share_out
from hansa.tasks.mnist import DigitReader
from hansa.tasks.rows import Rows

if TYPE_CHECKING:
    from torch import Tensor

PIXELS = 64
HIDDEN = 32
BRIGHTEST = 16
TESTED = 5
"""Every fifth image is a test row."""


class Digits(DigitReader):
    name = "digits"
    batch = 32
    learning_rate = 0.1
    shapes = {"hidden": (HIDDEN, PIXELS), "out": (CLASSES, HIDDEN)}

    def __init__(self, parties: int, alpha: float, seed: int) -> None:
        images, labels = _images()
        tested = np.arange(len(labels)) % TESTED == 0
        train, test = (Rows(images[part], labels[part]) for part in (~tested, tested))
        super().__init__(share_out(self.name, train, test, parties, alpha, seed), seed, "accuracy")

    def logits(self, params: Mapping[str, Tensor], images: Tensor) -> Tensor:
        """(n, 64) to (n, 10)."""
        hidden = (images @ params["hidden.weight"].T + params["hidden.bias"]).relu()
        return hidden @ params["out.weight"].T + params["out.bias"]


def _images() -> tuple[NDArray[np.float32], NDArray[Any]]:
    """(n, 64) in 0 to 1, and their digits."""
    datasets = offered("sklearn.datasets")
    if datasets is None:
        raise FatalError("the small digits come with scikit-learn, which is not installed", next_step=INSTALL)
    images, labels = datasets.load_digits(return_X_y=True)
    return (images / BRIGHTEST).astype(np.float32), labels.astype(np.int64)
