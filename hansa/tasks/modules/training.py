"""A module's training on one party's rows, and its loss and slope on a validator's."""

from __future__ import annotations

import inspect
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hansa.protocol.errors import FatalError
from hansa.tasks.base import Progress
from hansa.tasks.modules.batching import moved
from hansa.tasks.modules.state import FederatedModule

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import Module, Parameter

WINDOW = 20
"""The loss of a training run is the mean over this many steps; it is compared with the threshold that often."""
NEEDED = {"closure", "metrics"}
"""What the step() of some of torch's optimizers and schedulers asks for, and nothing here can give."""
LOOK_SECONDS = 1.0
"""A device other than the CPU is asked for its loss that often, and every WINDOW steps: asking makes it wait."""

Loss = Callable[["Module", Any], "Tensor"]
Tell = Callable[[Progress], None]


@dataclass
class Run:
    """What is known of a training run: its steps, and the losses of the last of them."""

    task: str
    steps: int
    tell: Tell
    began: float = field(default_factory=time.monotonic)
    done: int = 0
    looked: float = 0.0
    losses: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _waiting: list[Tensor] = field(default_factory=list)  # losses that the device still holds

    @property
    def loss(self) -> float:
        return sum(self.losses) / len(self.losses) if self.losses else math.nan

    def step(self, loss: Tensor) -> None:
        """Notes one step. FatalError for a loss that is not finite."""
        self.done += 1
        self._waiting.append(loss.detach().reshape(()))
        due = self.done % WINDOW == 0 or time.monotonic() - self.looked >= LOOK_SECONDS
        if loss.device.type == "cpu" or due:
            self.look()

    def look(self) -> None:
        """Asks the device for the losses that it still holds, and tells how far the run is."""
        import torch

        first = self.done - len(self._waiting) + 1
        values: list[float] = torch.stack(self._waiting).tolist() if self._waiting else []
        for number, value in enumerate(values, first):
            self.losses.append(value)
            if not math.isfinite(value):
                raise FatalError(
                    f"the loss of task {self.task} is {value} in step {number} of {self.steps}",
                    next_step="lower the learning rate, or look for numbers in the data that are far too large",
                )
        self._waiting.clear()
        self.looked = time.monotonic()
        self.tell(Progress(self.done, self.steps, self.loss, self.done / max(self.looked - self.began, 1e-9)))

    def has_reached(self, threshold: float | None) -> bool:
        return threshold is not None and self.done % WINDOW == 0 and self.loss <= threshold


def fit(
    held: FederatedModule,
    loss_of: Loss,
    batches: Iterable[Any],
    optimizer_of: Callable[[Sequence[Parameter]], Any],
    *,
    run: Run,
    threshold: float | None,
    proximal: float,
) -> None:
    """`run.steps` steps, fewer once the mean of the last WINDOW losses, looked at that often, is low enough.

    proximal: FedProx's mu. Each step adds mu/2 · |w − w₀|² to the loss, w₀ where training began (Li et al., Federated
    Optimization in Heterogeneous Networks, MLSys 2020, section 3.2).
    """
    weights = list(held.trainable.values())
    optimizer, scheduler = _usable(run.task, optimizer_of(weights))
    start = [weight.detach().clone() for weight in weights] if proximal else []
    held.module.train()
    for batch in islice(batches, run.steps):
        optimizer.zero_grad()
        loss = _checked(run.task, loss_of(held.module, moved(batch, held.device)))
        loss.backward()  # type: ignore[no-untyped-call]
        for weight, origin in zip(weights, start, strict=False):
            if weight.grad is not None:
                weight.grad.add_(weight.detach() - origin, alpha=proximal)
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        run.step(loss)
        if run.has_reached(threshold):
            break
    run.look()
    held.module.zero_grad()


def endless(task: str, passes: Iterable[Iterable[Any]]) -> Iterator[Any]:
    """One pass's batches after the other's. FatalError for a pass that has none."""
    for batches in passes:
        empty = True
        for batch in batches:
            empty = False
            yield batch
        if empty:
            raise FatalError(f"batches() of task {task} gave none", next_step="make it yield at least one a pass")


def slope(
    task: str, held: FederatedModule, loss_of: Loss, batches: Iterable[tuple[Any, float]]
) -> tuple[float, dict[str, NDArray[np.float32]]]:
    """The mean loss, and its gradient by each trainable parameter (zeros where it does not depend on one). The module
    computes in its own precision, as in `eval()`. batches: each with its part of all rows."""
    import torch

    total = 0.0
    held.module.eval()
    with _differentiable(held):
        for batch, part in batches:
            loss = _checked(task, loss_of(held.module, moved(batch, held.device))) * part
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
    slopes: dict[str, NDArray[np.float32]] = {}
    for name, weight in held.trainable.items():
        found = torch.zeros_like(weight) if weight.grad is None else weight.grad
        slopes[name] = found.to("cpu", torch.float32).numpy()
    held.module.zero_grad()
    return total, slopes


def mean(function: Callable[[Any], Any], batches: Iterable[tuple[Any, float]], device: torch.device) -> float:
    """The mean over all rows of what `function` gives of a batch: a value for each row, or their mean."""
    return sum(float(_mean_of(function(moved(batch, device)))) * part for batch, part in batches)


def _mean_of(value: Any) -> Any:
    return value.double().mean() if hasattr(value, "double") else value


def _differentiable(held: FederatedModule) -> AbstractContextManager[Any]:
    """cuDNN has no gradient of a recurrent network that is in `eval()`; torch's own kernels have."""
    import torch

    recurrent = any(isinstance(part, torch.nn.RNNBase) for part in held.module.modules())
    return torch.backends.cudnn.flags(enabled=False) if recurrent else nullcontext()


def _usable(task: str, given: Any) -> tuple[Any, Any]:
    """(optimizer, scheduler or None) from what a task's `optimizer` returned."""
    optimizer, scheduler = pair = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    steppers = [optimizer] if scheduler is None else [optimizer, scheduler]
    is_usable = all(hasattr(part, "step") and not isinstance(part, type) for part in steppers)
    if not is_usable or not hasattr(optimizer, "zero_grad"):
        raise FatalError(
            f"optimizer() of task {task} returned {described(given)}",
            next_step="return a torch optimizer, or (optimizer, scheduler)",
        )
    for part in steppers:
        if asked := _asked_for(part.step):
            raise FatalError(
                f"{type(part).__name__}, of optimizer() of task {task}, can't be used",
                cause=f"its step() asks for {' and '.join(sorted(asked))}",
                next_step="return one whose step() needs nothing",
            )
    return pair


def _asked_for(step: Callable[..., Any]) -> set[str]:
    """What of NEEDED it can't be called without."""
    parameters = inspect.signature(step).parameters
    return {name for name in NEEDED & parameters.keys() if parameters[name].default is inspect.Parameter.empty}


def described(value: Any) -> str:
    """What a user's method returned, in an error's words."""
    import torch

    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    return (
        "nothing"
        if value is None
        else f"{value.__name__}, a class"
        if isinstance(value, type)
        else type(value).__name__
    )


def _checked(task: str, loss: Any) -> Tensor:
    """A loss that can be differentiated."""
    import torch

    if not isinstance(loss, torch.Tensor) or loss.numel() != 1:
        raise FatalError(
            f"loss() of task {task} returned {described(loss)}", next_step="return one number, the batch's mean"
        )
    if not loss.requires_grad:
        raise FatalError(
            f"loss() of task {task} does not depend on any parameter of module()",
            next_step="compute it from what the module gives, without detach() or no_grad()",
        )
    return loss
