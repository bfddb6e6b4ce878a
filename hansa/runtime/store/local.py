"""The embedded store: a directory of files by CID, shared by the processes of one machine."""

from __future__ import annotations

import os
from pathlib import Path

from hansa.protocol.cid import digest_of, to_cid
from hansa.protocol.errors import NotFound, StoreUnavailable, TooLarge
from hansa.protocol.types import Digest
from hansa.runtime.files import unwritable, write_atomically
from hansa.runtime.store.base import checked

PIECE = 1 << 20  # bytes that are compared at a time


class LocalStore:
    """Files are written whole or not at all. Nothing is ever deleted: another process may have pinned it."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def put(self, data: bytes) -> Digest:
        digest = digest_of(data)
        target = self.file(digest)
        try:
            if not (target.is_file() and _holds(target, data)):
                target.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(target, data)
        except OSError as error:
            raise unwritable(self.path, error, StoreUnavailable) from error
        return digest

    def get(self, digest: Digest, *, limit: int, timeout: float) -> bytes:
        try:
            with open(self.file(digest), "rb", opener=_at_once) as file:
                data = file.read(limit + 1)
        except FileNotFoundError as error:
            raise NotFound(f"{to_cid(digest)} is not in {self.path}") from error
        except OSError as error:
            raise StoreUnavailable(f"{self.path} can't be read", cause=error.strerror) from error
        if len(data) > limit:
            raise TooLarge(f"{to_cid(digest)} is larger than the {limit} bytes allowed")
        return checked(data, digest, limit)

    def has(self, digest: Digest) -> bool:
        return self.file(digest).is_file()

    def pin(self, digest: Digest) -> None:
        if not self.has(digest):
            raise NotFound(f"{to_cid(digest)} is not in {self.path}")

    def unpin(self, digest: Digest) -> None:
        return

    def file(self, digest: Digest) -> Path:
        """Where a file is, or would be."""
        cid = to_cid(digest)
        return self.path / cid[-2:] / cid


def _at_once(path: str, flags: int) -> int:
    """Opens a file; a pipe of that name keeps nobody waiting."""
    return os.open(path, flags | os.O_NONBLOCK)


def _holds(path: Path, data: bytes) -> bool:
    """Whether a file has these bytes, of which no second copy is made."""
    if path.stat().st_size != len(data):
        return False
    with path.open("rb") as file:
        view = memoryview(data)
        return all(file.read(PIECE) == view[start : start + PIECE] for start in range(0, len(data), PIECE))
