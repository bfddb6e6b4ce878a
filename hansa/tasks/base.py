"""The task interface: everything that Hansa knows about a model, its data, its training and its measure.

A task is an object made from a job's settings and seed (`Class(settings, seed)`); every party of the job makes its
own. docs/tasks.md shows how to write one, hansa/tasks/loading.py how it is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hansa.tasks.per_row import RowSlopes

Params = dict[str, NDArray[np.float32]]
"""A model's tensors by name."""

Data = Sized
"""Rows that only their task can read; `len(data)` counts them."""


@dataclass(frozen=True)
class Trained:
    """What `train` returns: the new tensors, the steps taken, and the mean loss of the last of them."""

    params: Params
    steps: int
    loss: float


@dataclass(frozen=True)
class Progress:
    """How far a training run is: steps done of all, the mean loss of the last of them, steps a second."""

    step: int
    steps: int
    loss: float
    rate: float


@runtime_checkable
class Task(Protocol):
    """What trainers and validators need. `model` gives the same bits wherever it is called. What `train` comes to is
    journalled once and need not come out again; validators' measurements may differ a little."""

    name: str

    def model(self) -> Params:
        """Model 0. It depends on the settings and the seed alone."""
        ...

    def load(self, source: str) -> Data:
        """One trainer's own training rows; `source` is what the trainer names: a party, or a file of its own."""
        ...

    def validation(self, seat: int, seats: int) -> Data:
        """The validation rows of one of `seats` members; together the members have all of them, each once.

        A task whose members bring rows of their own has one argument more, `source`: what the member names.
        """
        ...

    def train(self, params: Params, data: Data, *, steps: int, loss_threshold: float | None, seed: int) -> Trained:
        """`steps` steps from `params`, fewer once the loss is at most `loss_threshold`; `params` stays as it is.
        Whatever is drawn comes from `seed`."""
        ...

    def metric(self, params: Params, data: Data) -> float:
        """How good the model is on these rows; larger is better. A job's target and patience look at it, and pay is
        measured with it where the task is not `Differentiable`."""
        ...


@runtime_checkable
class Differentiable(Protocol):
    """A task that offers gradients, which is the better way to measure updates: smoother, and two passes whatever n."""

    def gradient(
        self, params: Mapping[str, NDArray[np.floating[Any]]], data: Data
    ) -> tuple[float, Mapping[str, NDArray[np.floating[Any]]]]:
        """The mean loss over the rows and its gradient, by name, float32 or float64. Tensors that have none, such as
        BatchNorm's statistics, are left out: what happens to them is worth nothing."""
        ...


@runtime_checkable
class RowDifferentiable(Protocol):
    """A task that offers every row's own gradient, which differential privacy of single rows needs."""

    learning_rate: float

    def row_gradients(
        self, params: Mapping[str, NDArray[np.floating[Any]]], data: Data, *, seed: int, slow: bool = False
    ) -> Iterator[RowSlopes]:
        """In the rows' order, some rows at a time: their losses, and their gradients by tensor (rows, …), of every
        tensor of the model. seed: of what a module draws, such as dropout's. slow: one row after the other, for what
        can't be vectorised. FatalError, before anything is given, names what rows can't be told apart in."""
        ...


@runtime_checkable
class Movable(Protocol):
    """A task that computes where it is told."""

    @property
    def repeatable(self) -> bool:
        """Whether `train` gives the same bits again there."""
        ...

    def epsilon(self) -> float:  # no property: `isinstance` would ask for its value
        """How coarse its arithmetic is: the distance from 1 to the next number."""
        ...

    def move_to(self, device: str, threads: int | None) -> str:
        """device: auto, cpu, cuda, cuda:1 or mps. The device's own name; FatalError where it isn't there."""
        ...


@runtime_checkable
class Reporting(Protocol):
    """A task that tells how far its training is. An exception that `on_progress` raises ends it."""

    on_progress: Callable[[Progress], None]


@runtime_checkable
class Freezing(Protocol):
    """A task that reads what no party trains from files of which every party has its own copy."""

    def frozen(self) -> Mapping[str, str | Path]:
        """name → path. A job's spec has the SHA-256 of each."""
        ...


@dataclass(frozen=True)
class Scores:
    """One line of the final table: what was measured for each party, and the mean over the parties."""

    label: str
    by_party: dict[str, float]

    @property
    def mean(self) -> float:
        return float(np.mean(list(self.by_party.values())))


@runtime_checkable
class Study(Task, Protocol):
    """A task that carries the data of all its parties, so that one machine can show a whole job and its baselines."""

    measure: str
    """What the table's numbers are, such as `accuracy`; larger is better."""

    def parties(self) -> list[str]:
        """The parties' names; their index is a `source` too."""
        ...

    def test(self, source: str) -> Data:
        """One party's test rows. Nothing but the final table ever sees them."""
        ...

    def scores(self, params: Params, label: str = "federated") -> Scores:
        """The metric on each party's test rows."""
        ...

    def baselines(self, *, steps: int, seed: int, names: Sequence[str] | None = None) -> dict[str, Scores]:
        """What a doubter would ask for, by name; models among them get `steps` steps (a job's rounds × steps)."""
        ...
