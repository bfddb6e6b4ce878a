"""Which weights a party's updates were, or may have been, summed over: one file for all its keys and jobs, so that no
second set of updates over the same weights has one of it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from hansa.protocol.errors import FatalError
from hansa.protocol.masked.guard import Guarded
from hansa.protocol.types import Address, Digest
from hansa.runtime.files import UNREADABLE, private_file, private_folder, unwritable
from hansa.runtime.workspace import GUARD, JOURNALS

PATIENCE = 30.0  # seconds for which another daemon may write
SCHEMA = """
CREATE TABLE IF NOT EXISTS {table} (
    weights TEXT, origin TEXT, account TEXT, digest BLOB NOT NULL, PRIMARY KEY (weights, origin, account)
) WITHOUT ROWID
"""
PUBLISHED, FIXED = "published", "summed"  # tables: the last envelope that went out, the one in the set that was fixed


class GuardFile:
    """Records are never dropped, and those of fixed sets never changed. Raises FatalError where the file can't be read
    or written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def beside(cls, journal: Path) -> GuardFile:
        """Of the home that a daemon's journal is in."""
        return cls((journal.parent.parent if journal.parent.name == JOURNALS else journal.parent) / GUARD)

    def known(self, weights: str, origin: str, account: Address) -> Guarded | None:
        """What stands in the way of sealing over these weights: another job's record, else this account's own."""
        with self._open() as connection:
            return self._known(connection, weights, origin, account)

    def add(self, guarded: Guarded, account: Address) -> None:
        """On disk before this returns. The record of a fixed set that is there stays."""
        with self._open() as connection:
            _add(connection, guarded, account)

    def add_alone(self, guarded: Guarded, account: Address) -> Guarded | None:
        """As `add`, unless another job's record is there, which it gives then: of two jobs at once one comes first."""
        with self._open() as connection:
            known = self._known(connection, guarded.weights, guarded.origin, account)
            if known is not None and known.origin != guarded.origin:
                return known
            _add(connection, guarded, account)
        return None

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """One transaction, on disk at its end; others wait meanwhile."""
        try:
            private_folder(self.path.parent)
            os.close(private_file(self.path, os.O_RDWR))
            with closing(sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)) as connection:
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("BEGIN IMMEDIATE")
                for table in (PUBLISHED, FIXED):
                    connection.execute(SCHEMA.format(table=table))
                yield connection
                connection.execute("COMMIT")
        except OSError as error:
            raise unwritable(self.path, error) from error
        except UNREADABLE as error:
            raise self._unusable(str(error)) from error

    def _unusable(self, cause: str) -> FatalError:
        next_step = "repair or restore it: it keeps two sums over the same weights from telling your update"
        return FatalError(f"{self.path} can't be used", cause=cause, next_step=next_step)

    def _known(self, connection: sqlite3.Connection, weights: str, origin: str, account: Address) -> Guarded | None:
        each = "SELECT origin, digest, {} AS fixed FROM {} WHERE weights = ?1 AND (origin != ?2 OR account = ?3)"
        both = f"{each.format(1, FIXED)} UNION ALL {each.format(0, PUBLISHED)}"
        query = f"SELECT origin, digest, fixed FROM ({both}) ORDER BY origin = ?2, fixed DESC"
        row = connection.execute(query, (weights, origin, account)).fetchone()
        if row is None:
            return None
        found, digest, fixed = row
        if not (isinstance(found, str) and isinstance(digest, bytes) and len(digest) == 32):
            raise self._unusable("a record that nobody wrote")
        return Guarded(weights, Digest(digest), found, bool(fixed))


def _add(connection: sqlite3.Connection, guarded: Guarded, account: Address) -> None:
    how, table = ("IGNORE", FIXED) if guarded.is_fixed else ("REPLACE", PUBLISHED)
    row = (guarded.weights, guarded.origin, account, guarded.digest)
    connection.execute(f"INSERT OR {how} INTO {table} VALUES (?, ?, ?, ?)", row)
