"""`privacy.sqlite`: what was ever given away of which rows, for all keys, jobs and runs of one folder.

Data sets that share a row, directly or through others, are one family with one sum; one that joins two takes the
larger. A release is *charged*, on disk, before anything is trained, and *given* before anything is sealed. Between the
two nobody can have seen it: training again is free. Afterwards it is charged anew.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from client.privacy.accountant import Cost, Unit
from client.privacy.budget import Noise
from hansa.protocol.errors import FatalError, TransientError
from hansa.runtime.files import UNREADABLE, private_file, private_folder, unwritable

VERSION = 1
NAME = "privacy.sqlite"
PATIENCE = 60.0  # seconds for which another daemon may write
SCHEMA = """
CREATE TABLE families (family INTEGER PRIMARY KEY, row REAL NOT NULL, party REAL NOT NULL, alone REAL NOT NULL);
CREATE TABLE rows (digest BLOB PRIMARY KEY, family INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX rows_by_family ON rows (family);
CREATE TABLE releases (
    family INTEGER NOT NULL, place TEXT NOT NULL, job INTEGER NOT NULL, account TEXT NOT NULL, base BLOB NOT NULL,
    given INTEGER NOT NULL, noise TEXT NOT NULL, terms TEXT NOT NULL,
    epsilon REAL NOT NULL, delta REAL NOT NULL,
    PRIMARY KEY (family, place, job, account, base)
);
"""
NOTHING = Cost(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Release:
    """Whose update of which model. place: chain and federation."""

    place: str
    job: int
    account: str
    base: bytes


@dataclass(frozen=True)
class Budget:
    """What was asked for; releases of other `terms` aren't trained with the same noise."""

    epsilon: float
    delta: float
    terms: str


@dataclass(frozen=True)
class _Booked:
    given: bool
    noise: Noise
    terms: str


@dataclass(frozen=True)
class Standing:
    """What a job's rows have spent in all, and the budget that its trainer last asked for."""

    spent: Cost
    unit: Unit
    epsilon: float
    delta: float
    releases: int  # of this account in this job


class PrivacyLedger:
    """The file, open. Every change is one transaction that is on disk when it returns; others wait meanwhile.

    FatalError where the file can't be read or written, TransientError where another program holds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            private_folder(path.parent)
            os.close(private_file(path, os.O_RDWR))
        except OSError as error:
            raise unwritable(path, error) from error
        with self._translated():
            self._db = sqlite3.connect(path, isolation_level=None, timeout=PATIENCE)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
        with self._writing():
            self._set_up()

    def __enter__(self) -> PrivacyLedger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    def spent(self, rows: Collection[bytes]) -> Cost:
        """The most that any of these rows has spent, as their family would count it."""
        with self._translated():
            return self._largest(self._families(rows))

    def charge(
        self, rows: Collection[bytes], release: Release, plan: Callable[[Cost, int], Noise], budget: Budget
    ) -> Noise:
        """Books a release and returns its noise, before anything is trained. Nothing is booked twice until it is given.

        plan: the noise, of what is spent and how many other bases of this job its account has used; what it raises
        books nothing.
        """
        with self._writing():
            family = self._join(rows)
            known = self._known(family, release)
            if known is not None and known.terms == budget.terms and not known.given:
                return known.noise
            noise = plan(self._largest([family]), self._others(release))
            self._add(family, noise.cost)
            self._note(family, release, noise, budget, given=False)
            return noise

    def give(self, rows: Collection[bytes], release: Release, noise: Noise, budget: Budget) -> None:
        """Notes, before it is sealed, that a release goes out, whatever rows it was made of. One that the file knows
        nothing of is booked now, to these rows."""
        with self._writing():
            noted = self._db.execute(
                "UPDATE releases SET given = 1 WHERE place = ? AND job = ? AND account = ? AND base = ?",
                (release.place, release.job, release.account, release.base),
            )
            if not noted.rowcount:
                family = self._join(rows)
                self._add(family, noise.cost)
                self._note(family, release, noise, budget, given=True)

    def standing(self, place: str, job: int, account: str) -> Standing | None:
        """How the rows stand that an account last used in a job; None where it gave nothing."""
        with self._translated():
            found = self._db.execute(
                "SELECT family, noise, epsilon, delta, base FROM releases WHERE place = ? AND job = ? AND account = ?"
                " ORDER BY rowid DESC",
                (place, job, account),
            ).fetchall()
            if not found:
                return None
            family, noise, epsilon, delta, _ = found[0]
            bases = {base for *_, base in found}
            if not (isinstance(epsilon, float) and isinstance(delta, float)):
                raise sqlite3.DatabaseError(f"a budget of {epsilon!r} and {delta!r}")
            return Standing(self._largest([family]), _noise_of(noise).unit, epsilon, delta, len(bases))

    def count(self) -> int:
        """How many rows it knows."""
        with self._translated():
            return int(self._db.execute("SELECT COUNT(*) FROM rows").fetchone()[0])

    # --- families

    def _families(self, rows: Collection[bytes]) -> list[int]:
        found: set[int] = set()
        for row in rows:
            found.update(family for (family,) in self._db.execute("SELECT family FROM rows WHERE digest = ?", (row,)))
        return sorted(found)

    def _join(self, rows: Collection[bytes]) -> int:
        """The one family of these rows, from now on."""
        families = self._families(rows)
        spent = self._largest(families)
        family: int = families[0] if families else self._new_family()
        for other in families[1:]:
            self._db.execute("UPDATE rows SET family = ? WHERE family = ?", (family, other))
            self._db.execute("DELETE FROM families WHERE family = ?", (other,))
            self._move_releases(other, family)
        self._db.execute("UPDATE families SET row = ?, party = ?, alone = ? WHERE family = ?", (*_of(spent), family))
        self._db.executemany("INSERT OR IGNORE INTO rows VALUES (?, ?)", [(row, family) for row in rows])
        return family

    def _move_releases(self, old: int, new: int) -> None:
        """Of one release that both have, what was given stays given."""
        same = "place = old.place AND job = old.job AND account = old.account AND base = old.base"
        self._db.execute(
            f"UPDATE releases AS old SET given = 1 WHERE family = ? AND EXISTS"
            f" (SELECT 1 FROM releases WHERE family = ? AND given = 1 AND {same})",
            (new, old),
        )
        self._db.execute("UPDATE OR IGNORE releases SET family = ? WHERE family = ?", (new, old))
        self._db.execute("DELETE FROM releases WHERE family = ?", (old,))

    def _new_family(self) -> int:
        return int(self._db.execute("INSERT INTO families (row, party, alone) VALUES (0, 0, 0)").lastrowid or 0)

    def _largest(self, families: Collection[int]) -> Cost:
        costs = [self._cost(family) for family in families]
        return Cost(*(max(values) for values in zip(*map(_of, costs), strict=True))) if costs else NOTHING

    def _cost(self, family: int) -> Cost:
        query = "SELECT row, party, alone FROM families WHERE family = ?"
        found = self._db.execute(query, (family,)).fetchone() or (None,)
        if not all(isinstance(value, float) and value >= 0 for value in found):
            raise sqlite3.DatabaseError(f"family {family} has spent {found}")
        return Cost(*found)

    def _add(self, family: int, cost: Cost) -> None:
        self._db.execute(
            "UPDATE families SET row = row + ?, party = party + ?, alone = alone + ? WHERE family = ?",
            (*_of(cost), family),
        )

    # --- releases

    def _known(self, family: int, release: Release) -> _Booked | None:
        found = self._db.execute(
            "SELECT given, noise, terms FROM releases"
            " WHERE family = ? AND place = ? AND job = ? AND account = ? AND base = ?",
            (family, release.place, release.job, release.account, release.base),
        ).fetchone()
        return None if found is None else _Booked(bool(found[0]), _noise_of(found[1]), found[2])

    def _others(self, release: Release) -> int:
        found = self._db.execute(
            "SELECT COUNT(DISTINCT base) FROM releases WHERE place = ? AND job = ? AND account = ? AND base <> ?",
            (release.place, release.job, release.account, release.base),
        ).fetchone()
        return int(found[0])

    def _note(self, family: int, release: Release, noise: Noise, budget: Budget, *, given: bool) -> None:
        key = (family, release.place, release.job, release.account, release.base)
        self._db.execute(
            "INSERT OR REPLACE INTO releases VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*key, given, noise.encode(), budget.terms, budget.epsilon, budget.delta),
        )

    # --- the file

    def _set_up(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            for statement in filter(str.strip, SCHEMA.split(";")):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {VERSION}")
        elif version != VERSION:
            raise FatalError(
                f"{self.path} is of version {version}, this is {VERSION}", next_step="use the version that wrote it"
            )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._translated():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except UNREADABLE as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise TransientError(f"{self.path} is locked", cause="another program holds it") from error
            raise FatalError(
                f"{self.path} can't be used",
                cause=str(error),
                next_step="restore it from a copy; without it nobody knows what was spent",
            ) from error


def _noise_of(text: str | bytes) -> Noise:
    try:
        return Noise.decode(text)
    except FatalError as error:
        raise sqlite3.DatabaseError(str(error)) from error


def _of(cost: Cost) -> tuple[float, float, float]:
    return cost.row, cost.party, cost.alone
