"""A store that changes what it gives, and notes of what in a file beside it."""

from __future__ import annotations

from pathlib import Path

from hansa.protocol.types import Digest
from hansa.runtime.store.base import checked
from hansa.runtime.store.local import LocalStore


class LyingStore(LocalStore):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._asked: dict[Digest, int] = {}
        self._lies = Path(path).parent / "lies"

    def get(self, digest: Digest, *, limit: int, timeout: float) -> bytes:
        data = bytearray(super().get(digest, limit=limit, timeout=timeout))
        self._asked[digest] = self._asked.get(digest, 0) + 1
        if self._asked[digest] <= 2:
            data[len(data) // 2] ^= 1
            with self._lies.open("a") as noted:
                noted.write(f"{digest.hex()}\n")
        return checked(bytes(data), digest, limit)
