"""Decoders of the SQLite files that daemons keep: whole files, and rows that nobody wrote."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from functools import cache
from pathlib import Path
from typing import Any, Final

from benchmarks.fuzzing.files import folder, in_file, made
from benchmarks.fuzzing.mutate import json_text
from benchmarks.fuzzing.target import Target
from client.guard_file import GuardFile
from client.privacy.budget import Noise
from client.privacy.ledger import Budget, PrivacyLedger, Release
from hansa.protocol.errors import FatalError, TransientError
from hansa.protocol.masked.guard import Guarded
from hansa.protocol.types import Address, Digest
from hansa.runtime.journal import Journal
from hansa.runtime.journal import _seal as seal_entry
from hansa.runtime.key_ring import KeyRing
from hansa.runtime.log import open_log

WHO: Final = Address("0x" + "22" * 20)


SOME: Final = bytes(range(8))


RELEASE: Final = Release("31337/0x", 7, WHO, b"\1" * 32)


NOISE: Final = Noise("row", 1, 2.0, 2.0)


BUDGET: Final = Budget(3.0, 1e-5, "row, 1 steps, clip 1.0, None colluders")


def _read_journal(path: Path) -> Any:
    with Journal(path, open_log()) as journal:
        value = journal.recall(("decided", 1, b"\2"))
        if value is not None:
            journal.replace(("decided", 1, b"\2"), value)
        return value, journal.sent()


def _write_journal(path: Path) -> None:
    with Journal(path, open_log()) as journal:
        journal.remember(("decided", 1, b"\2"), lambda: {"a": [1, None, b"x"], "$": "y"})
        journal.add_sent(b"\3" * 32, 4, ("decided", 1), {"raw": b"\4"})
        journal._db.execute("PRAGMA journal_mode = DELETE")


JOURNAL_SEEDS: Final = [b'{"a":1}', b'{"b":{"$bytes":"0102"}}', b"[]"]


@cache
def _open_journal() -> Journal:
    return Journal(folder() / "entries", open_log())


def _entry(data: bytes) -> Any:
    """An entry whose seal is right, whoever wrote it."""
    journal, name = _open_journal(), "entry"
    text = data.decode("utf-8", "replace")
    return journal._unsealed(name, (text, seal_entry(name, text)))


def _write_ledger(path: Path) -> None:
    with PrivacyLedger(path) as ledger:
        ledger.charge([SOME, b"\7" * 8], RELEASE, lambda spent, others: NOISE, BUDGET)
        ledger.give([SOME], RELEASE, NOISE, BUDGET)
        ledger._db.execute("PRAGMA journal_mode = DELETE")


def _read_ledger(path: Path) -> Any:
    with PrivacyLedger(path) as ledger:
        return ledger.standing(RELEASE.place, 7, WHO), ledger.spent([SOME]), ledger.count()


def _rows_of_ledger(data: bytes) -> Any:
    """data: JSON of a release's and a family's values, whatever SQLite holds in their places."""
    said = _objects(data)
    path = folder() / "rows.sqlite"
    for beside in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
        beside.unlink(missing_ok=True)
    path.write_bytes(_ledger_bytes())
    with (
        contextlib.closing(sqlite3.connect(path)) as database,
        contextlib.suppress(sqlite3.Error, UnicodeEncodeError, OverflowError),
        database,
    ):
        for table in ("releases", "families", "rows"):
            values = said.get(table)
            for column, value in (values if isinstance(values, dict) else {}).items():
                if str(column).isidentifier() and isinstance(value, str | int | float | bytes | None):
                    database.execute(f"UPDATE {table} SET {column} = ?", (value,))
    with PrivacyLedger(path) as ledger:
        standing, spent = ledger.standing(RELEASE.place, 7, WHO), ledger.spent([SOME])
        ledger.charge([SOME], RELEASE, lambda spent, others: NOISE, BUDGET)
        return standing, spent


@cache
def _ledger_bytes() -> bytes:
    return next(iter(made("privacy.sqlite", _write_ledger)()))


def _objects(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _guard(path: Path) -> Any:
    guard = GuardFile(path)
    guard.add(Guarded("w2", Digest(bytes(32)), "here", True), WHO)
    return guard.known("w", "there", WHO)


def _ring(path: Path) -> Any:
    ring = KeyRing(path, b"\1" * 32)
    try:
        return [ring.secret_of(public) for public in ring.made()], ring.make()
    finally:
        ring.close()


def _write_ring(path: Path) -> None:
    ring = KeyRing(path, b"\1" * 32)
    ring.make()
    ring._run("PRAGMA journal_mode = DELETE")
    ring.close()


FATAL = (FatalError,)
FILES = (FatalError, TransientError)
TARGETS: Final = (
    Target(
        "journal", "a journal", in_file("a.journal", _read_journal), FILES, made("a.journal", _write_journal), "journal"
    ),
    Target("journal-entry", "a journal's entry, sealed", _entry, FATAL, lambda: JOURNAL_SEEDS, "journal", json_text),
    Target(
        "privacy-file",
        "privacy.sqlite",
        in_file("privacy.sqlite", _read_ledger),
        FILES,
        made("privacy.sqlite", _write_ledger),
        "privacy.sqlite",
    ),
    Target(
        "privacy-rows",
        "rows of privacy.sqlite",
        _rows_of_ledger,
        FILES,
        lambda: [
            json.dumps(
                {"releases": {"noise": NOISE.encode(), "terms": "t", "given": 0}, "families": {"row": 1.5}, "rows": {}}
            ).encode()
        ],
        "rows.sqlite",
        json_text,
    ),
    Target("noise", "a release's noise", Noise.decode, FATAL, lambda: [NOISE.encode().encode()], "noise", json_text),
    Target(
        "guard-file",
        "the guard's file",
        in_file("guard.sqlite", _guard),
        FILES,
        made("guard.sqlite", lambda path: GuardFile(path).add(Guarded("w", Digest(bytes(32)), "o", True), WHO)),
        "guard.sqlite",
    ),
    Target(
        "key-ring",
        "the file of X25519 secrets",
        in_file("ring.sqlite", _ring),
        FILES,
        made("ring.sqlite", _write_ring),
        "ring.sqlite",
    ),
)
