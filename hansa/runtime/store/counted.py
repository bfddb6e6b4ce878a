"""A store whose traffic is counted and logged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from structlog.stdlib import BoundLogger

from hansa.protocol.cid import to_cid
from hansa.protocol.errors import StoreUnavailable, WrongBytes
from hansa.protocol.types import Digest
from hansa.runtime.metrics import Metrics
from hansa.runtime.store.base import Store


class WatchedStore:
    """Counts bytes and failures of the store within; a file that was fetched gets a log line with its CID.

    A file that nobody has yet is no failure.
    """

    def __init__(self, within: Store, metrics: Metrics, log: BoundLogger) -> None:
        self._within, self._metrics, self._log = within, metrics, log

    def put(self, data: bytes) -> Digest:
        with self._counted():
            digest = self._within.put(data)
        self._metrics.bytes_put.inc(len(data))
        return digest

    def get(self, digest: Digest, *, limit: int, timeout: float) -> bytes:
        with self._counted():
            data = self._within.get(digest, limit=limit, timeout=timeout)
        self._metrics.bytes_got.inc(len(data))
        self._log.info("fetched", cid=to_cid(digest), bytes=len(data))
        return data

    def has(self, digest: Digest) -> bool:
        with self._counted():
            return self._within.has(digest)

    def pin(self, digest: Digest) -> None:
        with self._counted():
            self._within.pin(digest)

    def unpin(self, digest: Digest) -> None:
        with self._counted():
            self._within.unpin(digest)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        try:
            yield
        except (StoreUnavailable, WrongBytes):
            self._metrics.store_failures.inc()
            raise
