"""Modules whose rows have gradients of their own, and those that differential privacy can't be had with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hansa.protocol.errors import FatalError
from hansa.tasks.modules.batching import fetch, moved
from hansa.tasks.modules.state import FederatedModule
from hansa.tasks.per_row import RowSlopes, chunks, row_slopes, row_slopes_slowly
from hansa.tasks.rows import Rows

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

SLOW = "--slow takes one row after the other, some ten to thirty times as long"


def check_module(task: str, module: Module, *, slow: bool) -> None:
    """FatalError that names a part in which rows depend on one another, or that can't be vectorised."""
    import torch

    for name, part in module.named_modules():
        where = f"{name or 'module()'}, a {type(part).__name__},"
        if isinstance(part, torch.nn.modules.batchnorm._BatchNorm):
            raise _refused(task, f"{where} mixes the rows of a batch", "use GroupNorm or LayerNorm in its place")
        if isinstance(part, torch.nn.modules.instancenorm._InstanceNorm) and part.track_running_stats:
            raise _refused(task, f"{where} keeps statistics of rows", "leave track_running_stats out")
        if isinstance(part, torch.nn.RNNBase) and not slow:
            raise _refused(task, f"{where} can't be vectorised over rows", SLOW)
    for name, buffer in module.named_buffers():
        if buffer.is_floating_point():
            raise _refused(
                task,
                f"{name} is a floating buffer, which may take up what rows are",
                "make it a parameter that needs no gradient, or take spectral_norm away",
            )


def _refused(task: str, cause: str, next_step: str) -> FatalError:
    return FatalError(f"task {task} can't be trained with --epsilon", cause=cause, next_step=next_step)


def module_row_slopes(
    task: str,
    held: FederatedModule,
    loss: Callable[[Module, Any], Tensor],
    data: Any,
    collate: Callable[[list[Any]], Any],
    *,
    slow: bool,
) -> Iterator[RowSlopes]:
    """Chunk by chunk, at the weights that the module holds and in its own precision, as in training (dropout draws
    for each row by itself)."""
    import numpy as np
    import torch

    class Whole(torch.nn.Module):
        """The loss as a module, so that its weights can be exchanged."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = held.module

        def forward(self, batch: Any) -> Any:
            return loss(self.inner, batch)

    def at(weights: Mapping[str, Tensor], batch: Any) -> Tensor:
        found: Tensor = torch.func.functional_call(
            whole, {f"inner.{name}": value for name, value in weights.items()}, (batch,)
        )
        return found

    whole = Whole()
    held.module.train()
    values = {name: weight.detach() for name, weight in held.trainable.items()}
    parameters = sum(weight.numel() for weight in held.trainable.values())
    for part in chunks(len(data), parameters):
        places = np.arange(part.start, part.stop)
        if slow:
            rows = [moved(fetch(data, places[i : i + 1], collate), held.device) for i in range(len(places))]
            yield row_slopes_slowly(lambda row: loss(held.module, row), held.trainable, rows)
        else:
            yield row_slopes(task, at, values, moved(fetch(data, places, collate), held.device))


def check_collate(task: str, data: Any, *, is_own: bool, slow: bool) -> None:
    """FatalError where a task puts rows together in a way of its own, which may not keep them apart."""
    if is_own and not isinstance(data, Rows) and not slow:
        raise _refused(task, "its collate() may put a row's numbers where another's are", SLOW)
