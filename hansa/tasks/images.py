"""Images in idx files, as MNIST has them, and how they are split between parties."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hansa.protocol.errors import FatalError
from hansa.tasks.rows import Party, Rows, generator, make_parties

CLASSES = 10
SIDE = 28
FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
MAGIC_LABELS = b"\0\0\x08\x01"  # bytes, one dimension
MAGIC_IMAGES = b"\0\0\x08\x03"  # bytes, three dimensions
MOST = 2**30  # bytes of a file that is packed
HEADER = {MAGIC_LABELS: 8, MAGIC_IMAGES: 16}  # bytes before the first number
FEWEST = 20
"""A split in which somebody would have fewer rows than this is drawn again."""
KEY = "mnist"
"""Of the draws of every task: the same seed shares out the same parts."""


def find_folder(places: Sequence[Path]) -> Path | None:
    """The first that has all four files, compressed or not."""
    names = [name for pair in FILES.values() for name in pair]
    return next((place for place in places if all(idx_file(place / name).is_file() for name in names)), None)


def idx_file(path: Path) -> Path:
    """The file, or the compressed one beside it."""
    return path if path.is_file() else path.with_name(f"{path.name}.gz")


def read_rows(folder: Path, part: str, next_step: str) -> Rows:
    """Images (n, 28, 28) as bytes, with their labels. FatalError for files that are no such, with what to do."""
    images, labels = (idx_file(folder / name) for name in FILES[part])
    try:
        numbers = read_idx(labels, MAGIC_LABELS)
        pixels = read_idx(images, MAGIC_IMAGES)
        if len(numbers) != len(pixels):
            raise ValueError(f"{len(pixels)} images for {len(numbers)} labels")
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise FatalError(f"{images} can't be used", cause=error, next_step=next_step) from error
    return Rows(pixels, numbers.astype(np.int64))


def read_idx(path: Path, magic: bytes) -> NDArray[np.uint8]:
    """An idx file's bytes, (n,) or (n, 28, 28): left on the disk where it is not compressed. ValueError for others."""
    size = HEADER[magic]
    if path.suffix == ".gz":
        with gzip.open(path) as file:
            head = file.read(size)
            sides = [int.from_bytes(head[at : at + 4], "big") for at in range(4, size, 4)]
            data = np.frombuffer(head + file.read(min(math.prod(sides), MOST) + 1), np.uint8)
    else:
        data = np.memmap(path, np.uint8, "r")
    shape = [int.from_bytes(data[at : at + 4].tobytes(), "big") for at in range(4, size, 4)]
    if data[:4].tobytes() != magic or len(data) != size + int(np.prod(shape)) or shape[1:] not in ([], [SIDE, SIDE]):
        raise ValueError(f"{path.name} is not an idx file of {'labels' if size == 8 else '28 × 28 images'}")
    return data[size:].reshape(shape)


def share_out(task: str, train: Rows, test: Rows, count: int, alpha: float, seed: int) -> list[Party]:
    """Every class's training rows, and its test rows alike, shared out by a Dirichlet draw of its own.

    Yurochkin et al., ICML 2019, section 4.
    """
    shares = _shares(task, count, alpha, seed, np.bincount(train.labels, minlength=CLASSES))
    own, tests = (_shared(rows, shares, part, seed) for part, rows in (("train", train), ("test", test)))
    return make_parties(task, seed, own, tests)


def _shares(task: str, count: int, alpha: float, seed: int, sizes: NDArray[Any]) -> NDArray[np.float64]:
    """(classes, parties), each class's sum 1: the first draw that leaves everybody some rows."""
    random = generator(KEY, "shares", seed)
    for _ in range(1000):
        shares = random.dirichlet([alpha] * count, CLASSES)
        if np.isfinite(shares).all() and (sizes @ shares).min() >= FEWEST:
            return shares
    raise FatalError(
        f"task {task}: with alpha {alpha:g}, {count} parties don't all get rows",
        next_step="use a larger alpha or fewer parties",
    )


def _shared(rows: Rows, shares: NDArray[np.float64], part: str, seed: int) -> list[Rows]:
    owner = np.empty(len(rows), np.intp)
    random = generator(KEY, part, seed)
    for label in range(CLASSES):
        members = random.permutation(np.flatnonzero(rows.labels == label))
        ends = np.rint(np.cumsum(shares[label]) * len(members)).astype(int)
        for number, mine in enumerate(np.split(members, ends[:-1])):
            owner[mine] = number
    return [rows.take(np.flatnonzero(owner == number)) for number in range(shares.shape[1])]
