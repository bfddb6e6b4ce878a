"""Which weights a party's updates were sealed and summed over: one file for all its keys and jobs, so that no second
set of updates over the same weights has one of it, nor two jobs that run at once."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from hansa.protocol.errors import FatalError
from hansa.protocol.masked.guard import Guarded
from hansa.protocol.types import Address, Digest
from hansa.runtime.files import private_file, private_folder, unwritable
from hansa.runtime.workspace import GUARD, JOURNALS

PATIENCE = 30.0  # seconds for which another daemon may write
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS summed (weights TEXT, origin TEXT, account TEXT, digest BLOB NOT NULL,"
    " PRIMARY KEY (weights, origin, account)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS sealed (weights TEXT, origin TEXT, account TEXT,"
    " PRIMARY KEY (weights, origin, account)) WITHOUT ROWID",
)


class GuardFile:
    """Records are never changed or dropped. Raises FatalError where the file can't be read or written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def beside(cls, journal: Path) -> GuardFile:
        """Of the home that a daemon's journal is in."""
        return cls((journal.parent.parent if journal.parent.name == JOURNALS else journal.parent) / GUARD)

    def known(self, weights: str, origin: str, account: Address) -> Guarded | None:
        """What stands in the way of sealing over these weights: another job's record, else this account's own. Who has
        sealed over them before another job did goes on."""
        own = "SELECT 1 FROM sealed WHERE weights = ?1 AND origin = ?2 AND account = ?3"
        query = (
            "SELECT * FROM (SELECT origin, digest FROM summed WHERE weights = ?1 AND (origin != ?2 OR account = ?3)"
            f" UNION ALL SELECT origin, x'' FROM sealed WHERE weights = ?1 AND origin != ?2 AND NOT EXISTS ({own}))"
            " ORDER BY origin = ?2"
        )
        rows = self._rows(query, (weights, origin, account))
        return Guarded(weights, Digest(rows[0][1]), rows[0][0]) if rows else None

    def add(self, guarded: Guarded, account: Address) -> None:
        """On disk before this returns. A record that is there stays."""
        row = (guarded.weights, guarded.origin, account, guarded.digest)
        self._rows("INSERT OR IGNORE INTO summed VALUES (?, ?, ?, ?)", row)

    def reserve(self, weights: str, origin: str, account: Address, *, repeat: bool) -> bool:
        """Notes, on disk before this returns, that an update over these weights is sealed for a job. False, and nothing
        is noted, where one was for another job, unless `repeat`."""
        row = (weights, origin, account)
        others = "SELECT 1 FROM sealed WHERE weights = ?1 AND origin != ?2"
        self._rows(f"INSERT OR IGNORE INTO sealed SELECT ?1, ?2, ?3 WHERE ?4 OR NOT EXISTS ({others})", (*row, repeat))
        noted = "SELECT origin, x'' FROM sealed WHERE weights = ? AND origin = ? AND account = ?"
        return bool(self._rows(noted, row))

    def _rows(self, statement: str, values: tuple[str | bytes | bool, ...]) -> list[tuple[str, bytes]]:
        try:
            private_folder(self.path.parent)
            os.close(private_file(self.path, os.O_RDWR))
            with closing(sqlite3.connect(self.path, timeout=PATIENCE)) as connection, connection:
                connection.execute("PRAGMA synchronous = FULL")
                for table in SCHEMA:
                    connection.execute(table)
                return connection.execute(statement, values).fetchall()
        except OSError as error:
            raise unwritable(self.path, error) from error
        except sqlite3.DatabaseError as error:
            raise FatalError(
                f"{self.path} can't be used",
                cause=error,
                next_step="repair or restore it: it keeps two sums over the same weights from telling your update",
            ) from error
