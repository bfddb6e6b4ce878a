"""Decoders of a party's own data: rows, counts, pictures, a task's code."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.fuzzing.files import in_file
from benchmarks.fuzzing.shapes import gzipped
from benchmarks.fuzzing.target import Target
from hansa.protocol.errors import FatalError
from hansa.tasks.fashion.pictures import read_pictures
from hansa.tasks.images import MAGIC_IMAGES, MAGIC_LABELS, read_idx
from hansa.tasks.naming import only_task
from hansa.tasks.rows import number, read_lines, read_table, rows_of
from hansa.tasks.traffic import _read as read_counts

CSV: Final = [
    b"a,b,yes\n1.5,-2,1\n3,4e5,0\n",
    b'\xef\xbb\xbfa,"b",yes\r\n"1",2,0\r\n',
    b"yes,a,b,c\n0,1,2,x\n\n1,.5,+6.,y\n",
]


def _csv(path: Path) -> Any:
    rows = rows_of(
        read_lines(path, ["a", "b", "yes"]),
        lambda line: [number(line, "a"), number(line, "b", whole=True)],
        "yes",
        ["a", "b", "yes"],
    )
    return rows, read_table(path, ["b", "a"])


def _counts() -> Iterable[bytes]:
    hours = "".join(f"{hour},{hour % 7},\n" for hour in range(3))
    return [("hour,north,south\n" + hours).encode(), ("hour,n\n" + "".join(f"{h},{h}\n" for h in range(200))).encode()]


def _idx(magic: bytes, *sides: int) -> bytes:
    return magic + b"".join(side.to_bytes(4, "big") for side in sides) + bytes(int(np.prod(sides)))


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    side = (28).to_bytes(4, "big")
    lines = b"".join(bytes([line % 5]) + bytes(range(28)) for line in range(28))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", side + side + b"\x08\0\0\0\0")
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )


def _npy() -> bytes:
    file = BytesIO()
    np.lib.format.write_array(file, np.zeros((1, 28, 28), np.uint8))
    return file.getvalue()


def _labels(path: Path) -> Any:
    try:
        return read_idx(path, MAGIC_LABELS)
    except (ValueError, OSError, EOFError, zlib.error) as error:  # what `read_rows` takes for a file that is none
        raise FatalError(f"{path} is no idx file", cause=error) from error


FATAL = (FatalError,)


TARGETS: Final = (
    Target("csv", "a CSV file of rows", in_file("rows.csv", _csv), FATAL, lambda: CSV, "rows.csv|data file"),
    Target("counts", "a CSV file of counts", in_file("counts.csv", read_counts), FATAL, _counts, "counts.csv"),
    Target("idx", "an idx file", in_file("labels", _labels), FATAL, lambda: [_idx(MAGIC_LABELS, 5)], "labels"),
    Target(
        "idx-packed",
        "a packed idx file",
        in_file("labels.gz", _labels),
        FATAL,
        lambda: [gzip.compress(_idx(MAGIC_LABELS, 5), 1, mtime=0)],
        "labels.gz",
        gzipped,
    ),
    Target("pictures", "pictures", in_file("some.png", read_pictures), FATAL, lambda: [_png()], "some.png"),
    Target(
        "pictures-npy",
        "pictures as numpy writes them",
        in_file("some.npy", read_pictures),
        FATAL,
        lambda: [_npy()],
        "some.npy",
    ),
    Target(
        "pictures-idx",
        "pictures in an idx file",
        in_file("some.idx", read_pictures),
        FATAL,
        lambda: [_idx(MAGIC_IMAGES, 1, 28, 28)],
        "some.idx",
    ),
    Target(
        "task-file",
        "a task's Python file",
        in_file("task.py", lambda path: only_task(path, path.read_bytes())),
        FATAL,
        lambda: [
            b"class A:\n    def train(self):\n        pass\n",
            b"class _A: ...\nclass B: ...\nx = [1, (2, {3: 4})]\n",
        ],
        "task file",
    ),
)
