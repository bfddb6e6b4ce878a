"""Rows of data, and how they are split between parties, validators and steps: numpy only, the same for everybody."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hansa.protocol.errors import FatalError, described

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
LARGEST = float(np.finfo(np.float32).max)
HELD_BACK = 0.2
"""The part of every party's training rows that only the validators use."""


class BadRows(FatalError):
    """Rows that nobody can learn from."""


class Rows:
    """n examples: `inputs` (n, …) and `labels` (n,), float32, or int64 for classes.

    BadRows names the first row and column that is not a finite number. `take` only notes which rows it means; inputs
    are copied when they are asked for, so a large file can stay on disk.
    """

    def __init__(self, inputs: NDArray[Any], labels: NDArray[Any], chosen: NDArray[np.intp] | None = None) -> None:
        if chosen is None:
            _check(inputs, labels)
        self._inputs = inputs
        self._chosen = chosen
        self.labels = labels

    @property
    def inputs(self) -> NDArray[Any]:
        return self._inputs if self._chosen is None else np.asarray(self._inputs[self._chosen])

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: NDArray[np.intp] | slice) -> Rows:
        """These rows; `indices` are positions."""
        chosen = np.arange(len(self)) if self._chosen is None else self._chosen
        return Rows(self._inputs, self.labels[indices], chosen[indices])


def _check(inputs: NDArray[Any], labels: NDArray[Any]) -> None:
    if len(inputs) != len(labels):
        raise BadRows(f"{len(inputs)} inputs for {len(labels)} labels", next_step="give one for each")
    for what, values in (("input", inputs), ("label", labels)):
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            place = tuple(int(index) for index in np.argwhere(~np.isfinite(values))[0])
            column = f", column {', '.join(str(index + 1) for index in place[1:])}" if place[1:] else ""
            raise BadRows(
                f"row {place[0] + 1}{column}: the {what} is {values[place]}",
                next_step="leave the row out, or give it a finite number",
            )


@dataclass(frozen=True)
class Party:
    """What one party has: rows to train on, rows given to the validators, rows for the final table."""

    name: str
    train: Rows
    held: Rows
    test: Rows


def concat(parts: Sequence[Rows]) -> Rows:
    return Rows(np.concatenate([part.inputs for part in parts]), np.concatenate([part.labels for part in parts]))


def generator(*key: int | str) -> np.random.RandomState:
    """Random numbers that the key alone decides. RandomState's streams are frozen: every numpy deals the same rows."""
    digest = hashlib.sha256("/".join(map(str, key)).encode()).digest()
    return np.random.RandomState(np.frombuffer(digest, dtype="<u4"))  # eight words


def hold_back(rows: Rows, *key: int | str, part: float = HELD_BACK) -> tuple[Rows, Rows]:
    """(kept, held): a part of the rows of each label, rounded, drawn by the key."""
    random = generator("held back", *key)
    held = np.zeros(len(rows), dtype=bool)
    for label in np.unique(rows.labels):
        members = np.flatnonzero(rows.labels == label)
        held[random.permutation(members)[: int(part * len(members) + 0.5)]] = True
    return rows.take(np.flatnonzero(~held)), rows.take(np.flatnonzero(held))


def deal_out(rows: Rows, parties: int, *key: int | str) -> list[Rows]:
    """The rows, shuffled by the key and dealt out evenly, each label too."""
    order = generator("dealt out", *key).permutation(len(rows))
    order = order[np.argsort(rows.labels[order], kind="stable")]
    return [rows.take(np.sort(order[party::parties])) for party in range(parties)]


def make_parties(
    task: str, seed: int, train: Sequence[Rows], test: Sequence[Rows], names: Sequence[str] = ()
) -> list[Party]:
    """Parties with these rows, of which a part is held back by the seed; without names, they are numbered."""
    return [
        Party(names[number] if names else f"party-{number}", *hold_back(rows, task, seed, number), test[number])
        for number, rows in enumerate(train)
    ]


def regrouped(
    task: str, seed: int, train: Sequence[Rows], test: Sequence[Rows], names: Sequence[str], count: int
) -> list[Party]:
    """The parties of these names, or, where `count` is another number, so many that all rows are dealt out to."""
    if count == len(names):
        return make_parties(task, seed, train, test, names)
    parts = ((train, "train"), (test, "test"))
    train, test = (deal_out(concat(rows), count, task, part, seed) for rows, part in parts)
    return make_parties(task, seed, train, test)


def share(parties: Sequence[Party], seat: int, seats: int) -> Rows:
    """One member's validation rows: everybody's held-back rows by party and label, dealt `[seat::seats]`."""
    pooled = concat([party.held.take(np.argsort(party.held.labels, kind="stable")) for party in parties])
    return pooled.take(slice(seat, None, seats))


def batches(rows: int, batch: int, steps: int, seed: int) -> Iterator[NDArray[np.intp]]:
    """Indices for each of `steps` steps: pass after pass over the rows, each in a new order; a batch may span two."""
    random = generator("batches", seed)
    batch = min(batch, rows)
    queue = np.empty(0, dtype=np.intp)
    for _ in range(steps):
        if len(queue) < batch:
            queue = np.concatenate([queue, random.permutation(rows)])
        yield queue[:batch]
        queue = queue[batch:]


def read_lines(path: Path, columns: Sequence[str] = ()) -> Iterator[dict[str, str]]:
    """A CSV file's lines by column, and under `line` where each stands. FatalError names the line that has another
    number of columns than the header, or says which of `columns` the header lacks."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:  # spreadsheets write a mark at its start
            lines = csv.reader(file)
            header = [name.strip() for name in next(lines, [])]
            if lacking := [name for name in columns if name not in header]:
                raise FatalError(
                    f"{path}, line 1: no column {', '.join(lacking)}",
                    cause=f"it has {', '.join(header) or 'nothing'}",
                    next_step=f"write the header {','.join(columns)}, with commas between",
                )
            for line in lines:
                if line and len(line) != len(header):
                    raise FatalError(
                        f"{path}, line {lines.line_num}: {len(line)} columns where the header has {len(header)}",
                        next_step="write numbers like 1.5, with commas between them alone",
                    )
                if line:
                    yield dict(zip(header, line, strict=True)) | {"line": f"{path}, line {lines.line_num}"}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FatalError(f"{path} can't be read", cause=getattr(error, "strerror", None) or error) from error


def number(line: Mapping[str, str], column: str, *, whole: bool = False) -> float:
    """What a line of `read_lines` has in a column; FatalError names both where it is no finite (or whole) number."""
    text = line[column].strip()
    value = float(text) if NUMBER.fullmatch(text) else np.nan
    if not abs(value) <= LARGEST or (whole and value % 1):
        raise FatalError(
            f"{line['line']}, column {column}: {text!r} is not a {'whole' if whole else 'finite'} number",
            next_step=f"leave the line out, or write it like {'2' if whole else '1.5'}",
        )
    return value


def read_table(path: Path | str, columns: Sequence[str]) -> NDArray[np.float32]:
    """The numbers of a CSV file (lines, columns), in the order of `columns`; its header names those, and may name more.

    FatalError names the line and column of what is no finite number.
    """
    rows = [[number(line, column) for column in columns] for line in read_lines(Path(path), columns)]
    if not rows:
        raise FatalError(f"{path} has no rows", next_step="give a file with at least one line under the header")
    return np.array(rows, np.float32)


def rows_of(
    lines: Iterable[dict[str, str]],
    features: Callable[[dict[str, str]], list[float]],
    label: str,
    columns: Sequence[str],
) -> Rows:
    """Rows with a yes-or-no label (1 or 0), or a FatalError that names the first line that can't be used."""
    inputs, labels = [], []
    for line in lines:
        try:
            inputs.append(features(line))
            if line[label].strip() not in ("0", "1"):
                raise FatalError(f"{line['line']}, column {label}: {line[label]!r} is neither 0 nor 1")
            labels.append(float(line[label]))
        except (KeyError, ValueError, TypeError) as error:
            raise FatalError(
                f"{line['line']} can't be used",
                cause=described(error),
                next_step=f"it needs the columns {', '.join(columns)}, the last one 0 or 1",
            ) from error
    if not labels:
        raise FatalError("a data file without rows", next_step="give one with at least one row")
    return Rows(np.array(inputs, np.float32), np.array(labels, np.float32))
