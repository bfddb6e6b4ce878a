"""A daemon's memory: what it has decided is committed here before anybody hears of it.

SQLite in WAL mode, every commit flushed to disk; large files beside it, by CID. After a SIGKILL at any moment the
daemon finds either nothing, and decides again, or what it decided, and says the same thing again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from hansa.protocol.cid import digest_of, to_cid
from hansa.protocol.errors import FatalError, JournalCorrupt, Locked, NotFound
from hansa.protocol.types import Digest

Key = tuple[int | str | bytes, ...]

VERSION = 1
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

    Used from one thread. Raises JournalCorrupt wherever the file is not what was written.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._blobs = self.path.with_name(self.path.name + ".blobs")
        self._lock = _lock(self.path)
        try:
            with self._corruption():
                self._db = _open(self.path)
        except BaseException:
            os.close(self._lock)
            raise

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
        with self._corruption():
            row = self._db.execute("SELECT value, seal FROM memory WHERE key = ?", (_key(key),)).fetchone()
        return None if row is None else self._unsealed(_key(key), row)

    def replace(self, key: Key, value: dict[str, Any]) -> None:
        """Commits a new value of `key`: for progress, never for what was said to others."""
        self._write(key, value)

    def _write(self, key: Key, value: dict[str, Any]) -> None:
        text = _dumps(value)
        row = (_key(key), text, _seal(_key(key), text))
        with self._corruption(), self._db:
            self._db.execute("INSERT OR REPLACE INTO memory VALUES (?, ?, ?)", row)

    # --- transactions (see hansa.runtime.transactions.sender)

    def add_sent(self, tx_hash: bytes, nonce: int, key: Key, record: dict[str, Any]) -> None:
        """Commits a signed transaction; afterwards it may be broadcast."""
        text = _dumps(record)
        row = (tx_hash, nonce, _key(key), text, _seal(tx_hash.hex() + str(nonce) + _key(key), text))
        with self._corruption(), self._db:
            self._db.execute("INSERT OR REPLACE INTO sent VALUES (?, ?, ?, ?, ?)", row)

    def sent(self, *, key: Key | None = None, from_nonce: int = 0) -> list[tuple[bytes, int, dict[str, Any]]]:
        """(hash, nonce, record) of the transactions of `key`, or of all, by nonce."""
        where, value = ("key = ?", _key(key)) if key is not None else ("nonce >= ?", from_nonce)
        with self._corruption():
            rows = self._db.execute(
                f"SELECT hash, nonce, key, record, seal FROM sent WHERE {where} ORDER BY nonce", (value,)
            ).fetchall()
        return [
            (tx_hash, nonce, self._unsealed(tx_hash.hex() + str(nonce) + name, (record, seal)))
            for tx_hash, nonce, name, record, seal in rows
            if nonce >= from_nonce
        ]

    def forget_sent(self, before_nonce: int) -> None:
        """Drops the raw bytes of transactions that are buried too deep for any reorganisation."""
        with self._corruption(), self._db:
            self._db.execute("DELETE FROM sent WHERE nonce < ?", (before_nonce,))

    # --- files

    def put_blob(self, data: bytes) -> Digest:
        """Keeps a file of any size under its CID, on disk before this returns."""
        digest = digest_of(data)
        write_atomically(self._blobs / to_cid(digest), data)
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
        value: dict[str, Any] = json.loads(text, object_hook=_restored)
        return value

    @contextlib.contextmanager
    def _corruption(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.ProgrammingError:
            raise  # ours, not the file's
        except sqlite3.OperationalError as error:
            if "disk" in str(error) or "full" in str(error) or "readonly" in str(error) or "unable" in str(error):
                raise FatalError(f"journal {self.path} can't be written", cause=error) from error
            raise JournalCorrupt(f"journal {self.path}", cause=error, next_step=_remedy(self.path)) from error
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            raise JournalCorrupt(f"journal {self.path}", cause=error, next_step=_remedy(self.path)) from error


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level="IMMEDIATE", timeout=5.0)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        problems = connection.execute("PRAGMA quick_check(1)").fetchone()
        if problems != ("ok",):
            raise sqlite3.DatabaseError(str(problems))
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION):
            raise sqlite3.DatabaseError(f"it is of version {version}, this is {VERSION}")
        connection.executescript(SCHEMA + f"PRAGMA user_version = {VERSION};")
        os.chmod(path, 0o600)
    except BaseException:
        connection.close()
        raise
    return connection


def _lock(path: Path) -> int:
    """Holds PATH.lock until its descriptor is closed, or the process ends in any way."""
    name = path.with_name(path.name + ".lock")
    descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
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


def write_atomically(path: Path, data: bytes) -> None:
    """Writes a file so that readers, and a crash, meet all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


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
