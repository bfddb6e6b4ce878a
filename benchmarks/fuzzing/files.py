"""A decoder of a file, as one of the file's bytes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any


@cache
def folder() -> Path:
    """Of this process, in memory where there is a place for that."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="hansa-fuzz-", dir=memory if memory.is_dir() else None))


def in_file(name: str, read: Callable[[Path], Any]) -> Callable[[bytes], Any]:
    """A decoder of a file as one of its bytes."""

    def decode(data: bytes) -> Any:
        path = folder() / name
        for beside in (path, *(path.with_name(name + end) for end in ("-wal", "-shm", "-journal"))):
            beside.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        return read(path)

    return decode


def made(name: str, write: Callable[[Path], Any]) -> Callable[[], Iterable[bytes]]:
    """A file's bytes once something has written it."""

    def seeds() -> Iterable[bytes]:
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / name
            write(path)
            return [path.read_bytes()]

    return seeds
