"""A daemon's own files: kept in its journal, given away once, dropped when no later step needs them."""

from __future__ import annotations

from collections.abc import Collection

from structlog.stdlib import BoundLogger

from hansa.protocol.cid import to_cid
from hansa.protocol.types import CycleId, Digest
from hansa.runtime.journal import Journal
from hansa.runtime.store import Store


class Publisher:
    """Puts files of the journal into the store."""

    def __init__(self, journal: Journal, store: Store, log: BoundLogger) -> None:
        self._journal = journal
        self._store = store
        self._log = log
        self._published: set[Digest] = set()
        self._tidied: CycleId | None = None

    def publish(self, digest: Digest) -> None:
        """Puts a file into the store, once."""
        if digest not in self._published:
            self._store.put(self._journal.blob(digest))
            self._published.add(digest)
            self._log.info("published", cid=to_cid(digest))

    def tidy(self, cycle: CycleId, needed: Collection[Digest]) -> None:
        """Drops, once a cycle, the journal's files that no later step needs; entries, with their keys, stay."""
        if self._tidied != cycle:
            self._tidied = cycle
            if dropped := self._journal.keep_blobs(needed):
                self._log.info("journal tidied", dropped=dropped)
