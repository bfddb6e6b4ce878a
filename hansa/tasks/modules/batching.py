"""Batches of any data set with a length, as torch's DataLoader makes them, without what importing that costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hansa.protocol.errors import FatalError
from hansa.tasks.rows import Rows, generator

if TYPE_CHECKING:
    import torch

Collate = Callable[[list[Any]], Any]


class Part:
    """Some of a data set's items, by their places in it."""

    def __init__(self, data: Any, places: Sequence[int]) -> None:
        self._data = data
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, place: int) -> Any:
        return self._data[self._places[place]]


def deal(data: Any, seat: int, seats: int) -> Any:
    """The items of one of `seats` members: i where i mod seats is `seat`."""
    return data.take(slice(seat, None, seats)) if isinstance(data, Rows) else Part(data, range(seat, len(data), seats))


def shuffled(data: Any, size: int, seed: int, collate: Collate) -> Iterator[Any]:
    """One pass in an order that the seed decides. What is left over at its end, less than a batch, waits for another
    pass; fewer items than `size` are one batch."""
    order = generator("batches", seed).permutation(len(data))
    size = min(size, len(data))
    for start in range(0, len(data) - size + 1, size):
        yield fetch(data, order[start : start + size], collate)


def in_order(data: Any, size: int, collate: Collate) -> Iterator[tuple[Any, float]]:
    """Every item once, batch by batch, each with the part of all items that is in it."""
    for start in range(0, len(data), size):
        places = np.arange(start, min(start + size, len(data)))
        yield fetch(data, places, collate), len(places) / len(data)


def fetch(data: Any, places: NDArray[np.intp], collate: Collate) -> Any:
    """A batch on the CPU: (inputs, labels) of Rows, what `collate` makes of a data set's items otherwise."""
    import torch

    if isinstance(data, Rows):
        rows = data.take(places)
        return torch.tensor(np.asarray(rows.inputs)), torch.tensor(np.asarray(rows.labels))
    return collate([data[int(place)] for place in places])


def stack(items: list[Any]) -> Any:
    """DataLoader's own way: tensors, arrays and numbers become one tensor, a dict or tuple is stacked part by part,
    texts stay a list. FatalError for what can't be stacked."""
    import torch

    first = items[0]
    if isinstance(first, torch.Tensor | np.ndarray | np.generic):
        return torch.stack([torch.as_tensor(item) for item in items])
    if isinstance(first, float):
        return torch.tensor(items, dtype=torch.float64)
    if isinstance(first, int):
        return torch.tensor(items)
    if isinstance(first, str | bytes):
        return items
    if isinstance(first, Mapping):
        return {name: stack([item[name] for item in items]) for name in first}
    if isinstance(first, tuple | list):
        parts = [stack(list(part)) for part in zip(*items, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)
    raise FatalError(
        f"a batch of {type(first).__name__} can't be made",
        next_step="give tensors, arrays, numbers, texts, or tuples and dicts of these, or write collate(items)",
    )


def moved(batch: Any, device: torch.device) -> Any:
    """The batch with its tensors on `device`."""
    if hasattr(batch, "to"):
        return batch.to(device)
    if isinstance(batch, Mapping):
        return {name: moved(value, device) for name, value in batch.items()}
    if isinstance(batch, tuple | list):
        parts = [moved(value, device) for value in batch]
        return type(batch)(*parts) if hasattr(batch, "_fields") else type(batch)(parts)
    return batch
