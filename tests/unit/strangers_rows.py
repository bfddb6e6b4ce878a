"""Files of rows for the task files in strangers/: for two parties, a and b, and for the validators."""

from __future__ import annotations

from pathlib import Path

import numpy as np

STRANGERS = Path(__file__).parent / "strangers"
FILES = ("a", "b", "validation")
WORDS = ["the", "ship", "sails", "to", "lubeck", "and", "salt", "comes", "home", "with", "herring"]


def write_rows(task: str, folder: Path) -> dict[str, str]:
    """Path by name of the three files that one of the tasks reads."""
    return {name: WRITERS[task](np.random.default_rng(seed), folder / name) for seed, name in enumerate(FILES)}


def _quarters(random: np.random.Generator, path: Path) -> str:
    """192 images of 8 × 8, noisy, one quarter of each brighter."""
    quarters = random.integers(0, 4, 192)
    images = random.normal(0, 0.5, (192, 1, 8, 8)).astype(np.float32)
    for image, quarter in zip(images[:, 0], quarters, strict=True):
        row, column = divmod(int(quarter), 2)
        image[4 * row : 4 * row + 4, 4 * column : 4 * column + 4] += 1
    np.savez(path.with_suffix(".npz"), images=images, quarters=quarters)
    return str(path.with_suffix(".npz"))


def _majority(random: np.random.Generator, path: Path) -> str:
    """128 sequences of 7 bits, as many set as a drawn share says."""
    bits = random.random((128, 7)) < random.random((128, 1))
    np.savetxt(path.with_suffix(".csv"), bits, "%d", ",")
    return str(path.with_suffix(".csv"))


def _letters(random: np.random.Generator, path: Path) -> str:
    path.with_suffix(".txt").write_text(" ".join(random.choice(WORDS, 150)))
    return str(path.with_suffix(".txt"))


WRITERS = {"quarters": _quarters, "majority": _majority, "letters": _letters}
