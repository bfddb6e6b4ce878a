"""Rows of data, and how they are split between parties, validators and steps: numpy only, the same for everybody."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

HELD_BACK = 0.2
"""The part of every party's training rows that only the validators use."""


@dataclass(frozen=True)
class Rows:
    """n examples."""

    inputs: NDArray[Any]  # (n, …)
    labels: NDArray[Any]  # (n,): float32, or int64 for classes

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: NDArray[np.intp] | slice) -> Rows:
        return Rows(self.inputs[indices], self.labels[indices])


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


def hold_back(rows: Rows, strata: NDArray[Any], *key: int | str) -> tuple[Rows, Rows]:
    """(kept, held): a fifth of the rows of each stratum (a label, as a rule), rounded, drawn by the key."""
    random = generator("held back", *key)
    held = np.zeros(len(rows), dtype=bool)
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        held[random.permutation(members)[: int(HELD_BACK * len(members) + 0.5)]] = True
    return rows.take(np.flatnonzero(~held)), rows.take(np.flatnonzero(held))


def deal_out(rows: Rows, strata: NDArray[Any], parties: int, *key: int | str) -> list[Rows]:
    """The rows, shuffled by the key and dealt out evenly, each stratum too."""
    order = generator("dealt out", *key).permutation(len(rows))
    order = order[np.argsort(strata[order], kind="stable")]
    return [rows.take(np.sort(order[party::parties])) for party in range(parties)]


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
