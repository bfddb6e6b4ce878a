"""Training and gradients in torch, for any task that can write down its loss. Importing this does not import torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hansa.protocol.errors import FatalError
from hansa.tasks.base import Params, Trained
from hansa.tasks.per_row import RowSlopes, chunks, row_slopes
from hansa.tasks.rows import Rows, batches

if TYPE_CHECKING:
    from torch import Tensor

WINDOW = 20
"""The loss of a training run is the mean over this many steps; it is compared with the threshold that often."""
CHUNK = 1024
"""Rows at once in `gradient` and `predictions`."""


class TorchTask(ABC):
    """Plain SGD on `loss`. One thread while it computes: the same bits wherever the job's other settings are the same.

    `torch.optim` is not used: importing it alone costs a second.
    """

    name: str
    batch: int
    learning_rate: float

    @abstractmethod
    def loss(self, params: Mapping[str, Tensor], inputs: Tensor, labels: Tensor) -> Tensor:
        """The mean loss over the rows, in the dtype of `params`."""

    def train(self, params: Params, data: Rows, *, steps: int, loss_threshold: float | None, seed: int) -> Trained:
        """SGD; stops early once the mean loss of the last `WINDOW` steps, looked at that often, is low enough."""
        import torch

        _some(data)
        losses: list[Tensor] = []
        mean = float("nan")
        with one_thread():
            weights = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
            inputs, labels = torch.from_numpy(data.inputs), torch.from_numpy(data.labels)
            for indices in batches(len(data), self.batch, steps, seed):
                rows = torch.from_numpy(indices)
                loss = self.loss(weights, inputs[rows], labels[rows])
                self._descend(weights, loss)
                losses.append(loss.detach())
                if len(losses) % WINDOW == 0 and loss_threshold is not None:
                    mean = _mean(losses)
                    if mean <= loss_threshold:
                        break
            mean = _mean(losses)
        trained = {name: value.detach().numpy() for name, value in weights.items()}
        return Trained(trained, len(losses), mean)

    def _descend(self, weights: Mapping[str, Tensor], loss: Tensor) -> None:
        import torch

        gradients = _slopes(loss, weights)
        with torch.no_grad():
            for weight, gradient in zip(weights.values(), gradients, strict=True):
                weight.sub_(gradient, alpha=self.learning_rate)

    def gradient(
        self, params: Mapping[str, NDArray[np.floating[Any]]], data: Rows
    ) -> tuple[float, dict[str, NDArray[np.float64]]]:
        import torch

        _some(data)
        total = 0.0
        sums = {name: np.zeros(value.shape) for name, value in params.items()}
        with one_thread():
            weights = {
                name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in params.items()
            }
            for inputs, labels in _chunks(data):
                loss = self.loss(weights, inputs.double(), labels.double() if labels.is_floating_point() else labels)
                part = len(labels) / len(data)
                total += part * loss.item()
                for name, gradient in zip(weights, _slopes(loss, weights), strict=True):
                    sums[name] += part * gradient.numpy()
        return total, sums

    def row_gradients(
        self, params: Mapping[str, NDArray[np.floating[Any]]], data: Rows, *, seed: int, slow: bool = False
    ) -> Iterator[RowSlopes]:
        """In float64, vectorised always: nothing is drawn, and `loss` knows no row but those that it is given."""
        import torch

        _some(data)
        parameters = sum(value.size for value in params.values())
        for part in chunks(len(data), parameters):
            rows = data.take(part)
            inputs, labels = torch.tensor(rows.inputs).double(), torch.tensor(rows.labels)
            wide = labels.double() if labels.is_floating_point() else labels
            with one_thread():
                weights = {name: torch.tensor(value, dtype=torch.float64) for name, value in params.items()}
                found = row_slopes(self.name, lambda tensors, row: self.loss(tensors, *row), weights, (inputs, wide))
            yield found


def _slopes(loss: Tensor, weights: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    """The loss's gradient by each tensor; FatalError names those that it does not depend on."""
    import torch

    found: tuple[Tensor | None, ...] = (None,) * len(weights)
    if loss.requires_grad:
        found = torch.autograd.grad(loss, tuple(weights.values()), allow_unused=True)
    slopes = tuple(slope for slope in found if slope is not None)
    if len(slopes) < len(weights):
        unused = [name for name, slope in zip(weights, found, strict=True) if slope is None]
        raise FatalError(
            f"loss() does not depend on {', '.join(unused)} of model()",
            next_step="use it there, or leave it out of the model",
        )
    return slopes


def mean_loss(task: TorchTask, params: Params, data: Rows) -> float:
    """In float32, without a gradient."""
    import torch

    _some(data)
    with one_thread(), torch.no_grad():
        weights = {name: torch.tensor(value) for name, value in params.items()}
        parts = [task.loss(weights, inputs, labels).item() * len(labels) for inputs, labels in _chunks(data)]
    return float(sum(parts) / len(data))


def predictions(
    model: Callable[[Mapping[str, Tensor], Tensor], Tensor], params: Params, data: Rows
) -> NDArray[np.float32]:
    """What `model(params, inputs)` answers, row by row."""
    import torch

    _some(data)
    with one_thread(), torch.no_grad():
        weights = {name: torch.tensor(value) for name, value in params.items()}
        parts: list[NDArray[np.float32]] = [model(weights, inputs).numpy() for inputs, _ in _chunks(data)]
    return np.concatenate(parts)


@contextmanager
def one_thread() -> Iterator[None]:
    """torch on one thread, and back: how sums are grouped depends on the number of threads."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _chunks(data: Rows) -> Iterator[tuple[Tensor, Tensor]]:
    import torch

    for start in range(0, len(data), CHUNK):
        rows = data.take(slice(start, start + CHUNK))
        yield torch.tensor(rows.inputs), torch.tensor(rows.labels)


def _mean(losses: list[Tensor]) -> float:
    last = losses[-WINDOW:]
    return float(sum(loss.item() for loss in last) / len(last)) if last else float("nan")


def _some(data: Rows) -> None:
    if len(data) == 0:
        raise FatalError("no rows of data", next_step="use fewer parties or fewer validators")
