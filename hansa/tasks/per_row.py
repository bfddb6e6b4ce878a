"""The gradient of every row by itself, for differential privacy. Importing this does not import torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hansa.protocol.errors import FatalError, described

if TYPE_CHECKING:
    from torch import Tensor

RowSlopes = tuple[NDArray[np.float64], Mapping[str, NDArray[np.floating[Any]]]]
"""Some rows' losses (rows,), and their gradients by tensor (rows, …)."""
Loss = Callable[[Mapping[str, "Tensor"], Any], "Tensor"]
"""Of tensors by name and a batch, which may be of one row."""

ROOM = 2**28  # bytes that the gradients of a chunk of rows may take
MOST = 1024  # rows in a chunk


def chunks(rows: int, parameters: int) -> Iterator[slice]:
    """The rows in order, as many at once as there is room for in float64."""
    size = max(1, min(MOST, ROOM // (8 * parameters)))
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))


def row_slopes(task: str, loss: Loss, weights: Mapping[str, Tensor], batch: Any) -> RowSlopes:
    """Of each row of `batch`, whose tensors have the rows as their first dimension. FatalError where the loss can't be
    vectorised."""
    import torch
    from torch.utils._pytree import tree_map

    def of_one(tensors: Mapping[str, Tensor], row: Any) -> Tensor:
        found = loss(tensors, tree_map(lambda part: part.unsqueeze(0), row))
        return found.reshape(())

    try:
        each = torch.func.vmap(torch.func.grad_and_value(of_one), in_dims=(None, 0), randomness="different")
        slopes, losses = each(dict(weights), batch)
    except (RuntimeError, ValueError, AttributeError, NotImplementedError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise FatalError(
            f"task {task} can't be trained with --epsilon row by row at once",
            cause=described(error),
            next_step="--slow takes one row after the other",
        ) from error
    return _numpy(losses.detach()), {name: _plain(value) for name, value in slopes.items()}


def row_slopes_slowly(loss: Callable[[Any], Tensor], weights: Mapping[str, Tensor], rows: list[Any]) -> RowSlopes:
    """Of each of `rows`, batches of one row, with the loss at the weights that it knows itself."""
    import torch

    losses, slopes = [], []
    for row in rows:
        value = loss(row)
        found = torch.autograd.grad(value, tuple(weights.values()), allow_unused=True)
        filled = [torch.zeros_like(w) if f is None else f for w, f in zip(weights.values(), found, strict=True)]
        losses.append(value.detach().reshape(()))
        slopes.append([_plain(slope) for slope in filled])
    by_name = {name: np.stack([row[place] for row in slopes]) for place, name in enumerate(weights)}
    return _numpy(torch.stack(losses)), by_name


def _numpy(tensor: Tensor) -> NDArray[np.float64]:
    import torch

    found: NDArray[np.float64] = tensor.to("cpu", torch.float64).numpy()
    return found


def _plain(tensor: Tensor) -> NDArray[np.floating[Any]]:
    """float64 stays; what is coarser becomes float32."""
    import torch

    wide = torch.float64 if tensor.dtype == torch.float64 else torch.float32
    found: NDArray[np.floating[Any]] = tensor.detach().to("cpu", wide).numpy()
    return found
