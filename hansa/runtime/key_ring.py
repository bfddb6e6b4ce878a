"""X25519 secrets of one account that don't follow from its key: made one after another, deleted for good.

One SQLite file beside the journals, which all daemons of the account share. What is deleted is overwritten, and the
write-ahead log cut off, so it can't be read from the file again; what a file system or a disk keeps isn't known here.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from hansa.protocol import envelope
from hansa.protocol.errors import FatalError, JournalCorrupt, TransientError
from hansa.runtime.files import UNREADABLE, private_file, private_folder, unwritable

PATIENCE = 30.0  # seconds for which another daemon may write
BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

T = TypeVar("T")


class KeyRing:
    """The secrets that were made and not deleted, oldest first; `own` is the one that follows from the account's key.

    Nobody but its owner can read the file at any time. TransientError while another daemon writes for too long,
    FatalError where it can't be read or written.
    """

    def __init__(self, path: Path, own: bytes) -> None:
        self.path, self._own = path, own
        try:
            private_folder(path.parent)
            os.close(private_file(path, os.O_RDWR))
        except OSError as error:
            raise unwritable(path, error) from error
        self._db = self._done(lambda: sqlite3.connect(path, isolation_level="IMMEDIATE", timeout=PATIENCE))
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
            self._run(f"PRAGMA {pragma}")
        self._run(
            "CREATE TABLE IF NOT EXISTS keys (number INTEGER PRIMARY KEY, public BLOB UNIQUE, secret BLOB NOT NULL)"
        )

    def close(self) -> None:
        self._db.close()

    def made(self) -> list[bytes]:
        """Public keys of the secrets that are there, oldest first."""
        return [self._key(public) for (public,) in self._run("SELECT public FROM keys ORDER BY number")]

    def secret_of(self, public: bytes | None) -> bytes | None:
        """The secret of a public key; None where it isn't this account's, or was deleted."""
        if public == envelope.public_key(self._own):
            return self._own
        rows = self._run("SELECT secret FROM keys WHERE public = ?", public or b"")
        return self._key(rows[0][0]) if rows else None

    def make(self) -> bytes:
        """The public key of a new secret, which is on disk before this returns."""
        secret = os.urandom(32)
        public = envelope.public_key(secret)
        self._run("INSERT INTO keys (public, secret) VALUES (?, ?)", public, secret)
        return public

    def delete(self, public: bytes) -> None:
        """For good."""
        self._run("DELETE FROM keys WHERE public = ?", public)
        self._run("PRAGMA wal_checkpoint(TRUNCATE)")

    def _key(self, value: Any) -> bytes:
        if not isinstance(value, bytes) or len(value) != 32:
            raise self._corrupt("a key that has not 32 bytes")
        return value

    def _run(self, statement: str, *values: bytes) -> Sequence[tuple[Any, ...]]:
        def run() -> Sequence[tuple[Any, ...]]:
            with self._db:
                return self._db.execute(statement, values).fetchall()

        return self._done(run)

    def _done(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except UNREADABLE as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in BUSY:
                raise TransientError(
                    f"{self.path} is locked", cause="another daemon of the account holds it"
                ) from error
            if isinstance(error, sqlite3.OperationalError):
                raise FatalError(f"{self.path} can't be used", cause=error) from error
            raise self._corrupt(str(error)) from error

    def _corrupt(self, cause: str) -> JournalCorrupt:
        next_step = "move it away; updates that were sealed to keys in it stay shut"
        return JournalCorrupt(f"{self.path} is no file of keys", cause=cause, next_step=next_step)
