"""Idx files of made-up images, for tests of tasks that read them."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hansa.tasks.images import FILES, MAGIC_IMAGES, MAGIC_LABELS


def write_idx(folder: Path, part: str, images: NDArray[Any], labels: NDArray[Any], *, packed: bool = False) -> None:
    """Images (n, 28, 28) and labels (n,), in the files of a part, `train` or `test`; packed: by gzip."""
    size = [n.to_bytes(4, "big") for n in images.shape]
    files = [MAGIC_IMAGES + b"".join(size), MAGIC_LABELS + size[0]]
    for name, head, values in zip(FILES[part], files, (images, labels), strict=True):
        data = head + values.astype(np.uint8).tobytes()
        (folder / (f"{name}.gz" if packed else name)).write_bytes(gzip.compress(data) if packed else data)
