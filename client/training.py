"""A trainer's own work in one cycle: train, take the difference, quantise."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from structlog.stdlib import BoundLogger

from hansa.protocol.model import Model, quantise
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import UNIT, Address, Place
from hansa.tasks.base import Data, Params, Progress, Reporting, Task

REPORT_SECONDS = 10.0  # between two lines of the log that tell how far training is


@dataclass(frozen=True)
class LocalUpdate:
    """Quantised delta by tensor name, int8 or int16, with the loss it was reached at and the steps it took."""

    tensors: dict[str, NDArray[np.int8] | NDArray[np.int16]]
    loss: float
    steps: int


def training_seed(spec: JobSpec, trainer: Address, round_: int, place: Place | None = None) -> int:
    """A 63-bit seed that a retry of the same round draws again; so does a second run of the same job, unless `place`
    says where it runs."""
    where = "" if place is None else f"{place.chain_id}:{place.federation.lower()}:{place.job}:"
    text = f"{where}{spec.seed}:{trainer.lower()}:{round_}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


@contextmanager
def reporting(task: Task, log: BoundLogger) -> Iterator[None]:
    """Logs how far a training run is, now and then, where the task tells it."""
    if not isinstance(task, Reporting):
        yield
        return
    last = time.monotonic()

    def tell(progress: Progress) -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= REPORT_SECONDS:
            last = now
            loss, rate = round(progress.loss, 6), round(progress.rate, 2)
            log.info("training", step=progress.step, of=progress.steps, loss=loss, steps_per_second=rate)

    before, task.on_progress = task.on_progress, tell
    try:
        yield
    finally:
        task.on_progress = before


def local_update(
    task: Task, data: Data, model: Model, spec: JobSpec, trainer: Address, place: Place | None = None
) -> LocalUpdate:
    """Trains from `model` on the trainer's own rows until the spec's steps or loss threshold. place: of the job, where
    two jobs from one model must not draw alike.

    Raises FatalError when the delta is not finite: such a trainer does not submit.
    """
    threshold = None if spec.loss_threshold is None else spec.loss_threshold / UNIT
    trained = task.train(
        {name: values.copy() for name, values in model.tensors.items()},
        data,
        steps=spec.steps,
        loss_threshold=threshold,
        seed=training_seed(spec, trainer, model.round + 1, place),
    )
    return LocalUpdate(quantise(_Delta(trained.params, model.tensors), model), trained.loss, trained.steps)


class _Delta(Mapping[str, NDArray[np.float32]]):
    """What training changed, worked out for one tensor at a time."""

    def __init__(self, after: Params, before: Params) -> None:
        self._after, self._before = after, before

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        return self._after[name] - self._before[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._before)

    def __len__(self) -> int:
        return len(self._before)
