"""A daemon's memory: what it has decided is committed here before anybody hears of it.

SQLite in WAL mode, every commit flushed to disk; large files beside it, by CID. After a SIGKILL at any moment the
daemon finds either nothing, and decides again, or what it decided, and says the same thing again.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import structlog

from hansa.protocol.cid import digest_of, to_cid
from hansa.protocol.errors import FatalError, HansaError, JournalCorrupt, Locked, NotFound, TransientError
from hansa.protocol.types import Digest
from hansa.runtime.files import (
    OWNER,
    UNREADABLE,
    close_to_others,
    private_file,
    private_folder,
    unwritable,
    write_atomically,
)
from hansa.runtime.log import open_log
from hansa.runtime.workspace import JOURNALS

Key = tuple[int | str | bytes, ...]
T = TypeVar("T")

VERSION = 1
PATIENCE = 60.0  # seconds for which another program may lock a journal
CACHE = 256  # kB that SQLite keeps in memory: a look reads few pages, most of them new
BUSY_SECONDS = 1.0  # that SQLite waits by itself before it says so
BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT)
DISK = {sqlite3.SQLITE_FULL: errno.ENOSPC, sqlite3.SQLITE_IOERR: errno.EIO, sqlite3.SQLITE_READONLY: errno.EACCES,
        sqlite3.SQLITE_CANTOPEN: errno.EACCES, sqlite3.SQLITE_PERM: errno.EACCES}  # fmt: skip
SCHEMA = """
CREATE TABLE IF NOT EXISTS memory (key TEXT PRIMARY KEY, value TEXT NOT NULL, seal BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sent (
    hash BLOB PRIMARY KEY, nonce INTEGER NOT NULL, key TEXT NOT NULL, record TEXT NOT NULL, seal BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sent_by_nonce ON sent (nonce);
CREATE INDEX IF NOT EXISTS sent_by_key ON sent (key);
"""


class Journal:
    """One key's journal; held exclusively from construction to `close` (Locked where another process holds it).

    Nobody but its owner can read its files at any time: what an earlier version left open is closed, and logged.
    Used from one thread. Raises JournalCorrupt wherever the file is not what was written, TransientError while another
    program locks it, FatalError where it can't be written.
    """

    def __init__(self, path: Path | str, log: structlog.stdlib.BoundLogger | None = None) -> None:
        self.path = Path(path)
        self._blobs = self.path.with_name(self.path.name + ".blobs")
        self._log = log or open_log()
        try:
            private_folder(self.path.parent)
            self._lock = _lock(self.path)
            try:
                self._keep_private()
                self._db = self._patiently(lambda: _open(self.path))
            except BaseException:
                os.close(self._lock)
                raise
        except OSError as error:
            raise unwritable(self.path, error) from error

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Idempotent."""
        if self._lock >= 0:
            self._db.close()
            os.close(self._lock)
            self._lock = -1

    # --- decisions

    def remember(self, key: Key, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The value of `key`; the first time it is made, and committed before it is returned.

        Values hold None, bool, int, str, bytes and lists and dicts of these.
        """
        known = self.recall(key)
        if known is not None:
            return known
        value = make()
        self._write(key, value)
        return value

    def recall(self, key: Key) -> dict[str, Any] | None:
        """The value of `key`, or None."""
        rows = self._rows("SELECT value, seal FROM memory WHERE key = ?", (_key(key),))
        return self._unsealed(_key(key), rows[0]) if rows else None

    def replace(self, key: Key, value: dict[str, Any]) -> None:
        """Commits a new value of `key`: for progress, never for what was said to others."""
        self._write(key, value)

    def _write(self, key: Key, value: dict[str, Any]) -> None:
        text = _dumps(value)
        self._commit("INSERT OR REPLACE INTO memory VALUES (?, ?, ?)", (_key(key), text, _seal(_key(key), text)))

    # --- transactions (see hansa.runtime.transactions.sender)

    def add_sent(self, tx_hash: bytes, nonce: int, key: Key, record: dict[str, Any]) -> None:
        """Commits a signed transaction; afterwards it may be broadcast."""
        text = _dumps(record)
        row = (tx_hash, nonce, _key(key), text, _seal(tx_hash.hex() + str(nonce) + _key(key), text))
        self._commit("INSERT OR REPLACE INTO sent VALUES (?, ?, ?, ?, ?)", row)

    def sent(self, *, key: Key | None = None, from_nonce: int = 0) -> list[tuple[bytes, int, dict[str, Any]]]:
        """(hash, nonce, record) of the transactions of `key`, or of all, by nonce."""
        where, value = ("key = ?", _key(key)) if key is not None else ("nonce >= ?", from_nonce)
        rows = self._rows(f"SELECT hash, nonce, key, record, seal FROM sent WHERE {where} ORDER BY nonce", (value,))
        return [
            (tx_hash, nonce, self._unsealed(tx_hash.hex() + str(nonce) + name, (record, seal)))
            for tx_hash, nonce, name, record, seal in rows
            if nonce >= from_nonce
        ]

    def forget_sent(self, before_nonce: int) -> None:
        """Drops the raw bytes of transactions that are buried too deep for any reorganisation."""
        self._commit("DELETE FROM sent WHERE nonce < ?", (before_nonce,))

    # --- files

    def put_blob(self, data: bytes | memoryview, digest: Digest | None = None) -> Digest:
        """Keeps a file of any size under its CID, on disk before this returns. digest: the file's own, where known."""
        digest = digest or digest_of(data)
        path = self._blobs / to_cid(digest)
        try:
            private_folder(self._blobs)
            write_atomically(path, data, OWNER)
        except OSError as error:
            raise unwritable(path, error) from error
        return digest

    def blob(self, digest: Digest) -> bytes:
        """A file's bytes; NotFound if it was never put, JournalCorrupt if they changed."""
        path = self._blobs / to_cid(digest)
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise NotFound(f"journal {self.path} does not hold {to_cid(digest)}") from error
        except OSError as error:
            raise JournalCorrupt(f"{path} can't be read", cause=error.strerror) from error
        if digest_of(data) != digest:
            raise JournalCorrupt(f"{path} is not what was written", next_step=_remedy(self.path))
        return data

    def has_blob(self, digest: Digest) -> bool:
        return (self._blobs / to_cid(digest)).is_file()

    def keep_blobs(self, needed: Collection[Digest]) -> int:
        """Drops every file but those needed; how many went."""
        names = {to_cid(digest) for digest in needed}
        old = [path for path in self._blobs.glob("Qm*") if path.name not in names]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def size(self) -> int:
        """Bytes on disk, files and all."""
        beside = [self.path.with_name(self.path.name + end) for end in ("", "-wal", "-shm")]
        return sum(path.stat().st_size for path in [*beside, *self._blobs.glob("*")] if path.is_file())

    # --- integrity

    def _unsealed(self, name: str, row: tuple[Any, Any]) -> dict[str, Any]:
        text, seal = row
        if not isinstance(text, str) or seal != _seal(name, text):
            raise JournalCorrupt(f"journal {self.path} has a changed entry", next_step=_remedy(self.path))
        try:
            value: dict[str, Any] = json.loads(text, object_hook=_restored)
        except (ValueError, TypeError, RecursionError) as error:
            raise JournalCorrupt(f"journal {self.path} has a senseless entry", next_step=_remedy(self.path)) from error
        return value

    def _rows(self, query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        return self._patiently(lambda: self._db.execute(query, values).fetchall())

    def _commit(self, statement: str, values: Sequence[Any]) -> None:
        def commit() -> None:
            with self._db:
                self._db.execute(statement, values)

        self._patiently(commit)

    def _patiently(self, action: Callable[[], T]) -> T:
        """What `action` gives, when no other program locks the file any more."""
        end = None
        while True:
            try:
                return action()
            except sqlite3.ProgrammingError:
                raise  # ours, not the file's
            except UNREADABLE as error:
                problem = _problem(self.path, error)
                if not isinstance(problem, TransientError) or (end is not None and time.monotonic() > end):
                    raise problem from error
            if end is None:
                end = time.monotonic() + PATIENCE
                self._log.warning(
                    "journal locked", path=str(self.path), by="another program", waiting=f"{PATIENCE:.0f} s"
                )
            time.sleep(0.05)

    def _keep_private(self) -> None:
        """Closes what an earlier version left open to others, and drops what a crash left half-written."""
        beside = [self.path.with_name(self.path.name + end) for end in ("", "-wal", "-shm", "-journal", ".lock")]
        for part in self._blobs.glob(".*.part"):
            part.unlink(missing_ok=True)
        found = [path for path in [*beside, *self._blobs.glob("*"), self._blobs] if close_to_others(path)]
        if self.path.parent.name == JOURNALS:  # of ours; any other folder is for its user to close
            with contextlib.suppress(PermissionError):
                found += [self.path.parent] if close_to_others(self.path.parent) else []
        if found:
            self._log.warning("journal closed to others", path=str(self.path), files=len(found))


def _problem(path: Path, error: Exception) -> HansaError:
    """What SQLite's error means for whoever runs us. Only one that is damaged has to be moved away."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    if code in BUSY:
        return TransientError(
            f"journal {path} is locked", cause="another program holds it", next_step="end that program, and start again"
        )
    if code in DISK:
        return unwritable(path, OSError(DISK[code], str(error)))
    if code in DAMAGED:
        return JournalCorrupt(f"journal {path}", cause=error, next_step=_remedy(path))
    return JournalCorrupt(f"{path} is not a journal", cause=error, next_step="name another file")


def _open(path: Path) -> sqlite3.Connection:
    """SQLite gives what it makes beside a file the rights of that file."""
    os.close(private_file(path, os.O_RDWR))
    connection = sqlite3.connect(path, isolation_level="IMMEDIATE", timeout=BUSY_SECONDS)
    try:
        connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -{CACHE};")
        problems = connection.execute("PRAGMA quick_check(1)").fetchone()
        if problems != ("ok",):
            raise sqlite3.DatabaseError(str(problems))
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION):
            raise FatalError(
                f"journal {path} is of version {version}, this is {VERSION}", next_step="use the version that wrote it"
            )
        if version == 0:
            connection.executescript(SCHEMA + f"PRAGMA user_version = {VERSION};")
    except BaseException:
        connection.close()
        raise
    return connection


def _lock(path: Path) -> int:
    """Holds PATH.lock until its descriptor is closed, or the process ends in any way."""
    name = path.with_name(path.name + ".lock")
    descriptor = private_file(name, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise Locked(
            f"journal {path} is in use", cause=f"process {holder} holds it", next_step="stop it: one key, one daemon"
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def _remedy(path: Path) -> str:
    return f"move {path}* away; the daemon starts without memory, and sits out the cycle that it was in"


def _seal(name: str, text: str) -> bytes:
    return hashlib.sha256(f"{name}\n{text}".encode()).digest()[:8]


def _key(key: Key) -> str:
    return json.dumps([{"bytes": part.hex()} if isinstance(part, bytes) else part for part in key])


def _dumps(value: dict[str, Any]) -> str:
    return json.dumps(value, default=_bytes)


def _bytes(value: object) -> dict[str, str]:
    if isinstance(value, bytes):
        return {"$bytes": value.hex()}
    raise TypeError(f"a journal keeps no {type(value).__name__}")


def _restored(value: dict[str, Any]) -> Any:
    return bytes.fromhex(value["$bytes"]) if value.keys() == {"$bytes"} else value
