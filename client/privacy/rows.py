"""What names a row in the budget's file: eight bytes of the SHA-256 of what its task reads of it, label included."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from hansa.protocol.errors import FatalError
from hansa.tasks.base import Data
from hansa.tasks.rows import Rows

SIZE = 8  # bytes of a digest


def row_digests(data: Data) -> frozenset[bytes]:
    """Of every row. FatalError names the first of a kind that can't be hashed."""
    return frozenset(_digest(item) for item in _items(data))


def party_digest(account: str) -> bytes:
    """What stands for a party beside its rows: all data sets that one account trains on are of one party."""
    return hashlib.sha256(b"party:" + account.lower().encode()).digest()[:SIZE]


def _items(data: Any) -> Iterator[Any]:
    if isinstance(data, Rows):
        inputs = data.inputs
        yield from ((inputs[place], data.labels[place]) for place in range(len(data)))
    else:
        yield from (data[place] for place in range(len(data)))


def _digest(item: Any) -> bytes:
    hashed = hashlib.sha256()
    for part in _parts(item):
        hashed.update(part)
    return hashed.digest()[:SIZE]


def _parts(item: Any) -> Iterator[bytes]:
    """An item as bytes that no other item has: each part with its kind and size before it."""
    if isinstance(item, Mapping):
        yield b"map%d:" % len(item)
        for name in sorted(item, key=str):
            yield from _parts(str(name))
            yield from _parts(item[name])
    elif isinstance(item, tuple | list):
        yield b"list%d:" % len(item)
        for part in item:
            yield from _parts(part)
    elif isinstance(item, str | bytes):
        raw = item if isinstance(item, bytes) else item.encode()
        yield b"text%d:" % len(raw)
        yield raw
    else:
        array = np.asarray(item)
        if array.dtype.kind not in "biufc":
            raise FatalError(
                f"a row holds {type(item).__name__}, by which it can't be known again",
                cause="--epsilon counts what is spent by rows",
                next_step="let load() give tensors, arrays, numbers, texts, or tuples and dicts of these",
            )
        yield f"{array.dtype.str}{array.shape}:".encode()
        yield np.ascontiguousarray(array).tobytes()
