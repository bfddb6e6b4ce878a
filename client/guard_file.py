"""Which weights a party's updates were summed over: one file for all its keys and jobs, so that no second set of
updates over the same weights has one of it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from hansa.protocol.errors import FatalError
from hansa.protocol.masked.guard import Guarded
from hansa.protocol.types import Address, Digest
from hansa.runtime.files import UNREADABLE, private_file, private_folder, unwritable
from hansa.runtime.workspace import GUARD, JOURNALS

PATIENCE = 30.0  # seconds for which another daemon may write
SCHEMA = """
CREATE TABLE IF NOT EXISTS summed (
    weights TEXT, origin TEXT, account TEXT, digest BLOB NOT NULL, PRIMARY KEY (weights, origin, account)
) WITHOUT ROWID
"""


class GuardFile:
    """Records are never changed or dropped. Raises FatalError where the file can't be read or written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def beside(cls, journal: Path) -> GuardFile:
        """Of the home that a daemon's journal is in."""
        return cls((journal.parent.parent if journal.parent.name == JOURNALS else journal.parent) / GUARD)

    def known(self, weights: str, origin: str, account: Address) -> Guarded | None:
        """What stands in the way of sealing over these weights: another job's record, else this account's own."""
        query = (
            "SELECT origin, digest FROM summed WHERE weights = ? AND (origin != ? OR account = ?) ORDER BY origin = ?"
        )
        rows = self._rows(query, (weights, origin, account, origin))
        if not rows:
            return None
        found, digest = rows[0]
        if not (isinstance(found, str) and isinstance(digest, bytes) and len(digest) == 32):
            raise self._unusable("a record that nobody wrote")
        return Guarded(weights, Digest(digest), found)

    def add(self, guarded: Guarded, account: Address) -> None:
        """On disk before this returns. A record that is there stays."""
        row = (guarded.weights, guarded.origin, account, guarded.digest)
        self._rows("INSERT OR IGNORE INTO summed VALUES (?, ?, ?, ?)", row)

    def _rows(self, statement: str, values: tuple[str | bytes, ...]) -> list[tuple[str, bytes]]:
        try:
            private_folder(self.path.parent)
            os.close(private_file(self.path, os.O_RDWR))
            with closing(sqlite3.connect(self.path, timeout=PATIENCE)) as connection, connection:
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute(SCHEMA)
                return connection.execute(statement, values).fetchall()
        except OSError as error:
            raise unwritable(self.path, error) from error
        except UNREADABLE as error:
            raise self._unusable(str(error)) from error

    def _unusable(self, cause: str) -> FatalError:
        next_step = "repair or restore it: it keeps two sums over the same weights from telling your update"
        return FatalError(f"{self.path} can't be used", cause=cause, next_step=next_step)
