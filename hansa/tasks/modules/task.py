"""`ModuleTask`: any torch module as a task. Importing this does not import torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import wraps
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hansa.protocol.errors import FatalError
from hansa.tasks.base import Params, Progress, Trained
from hansa.tasks.modules import batching, private, training
from hansa.tasks.modules.device import drawing_from, find_device, naming_memory, on_threads
from hansa.tasks.modules.sgd import Momentum
from hansa.tasks.modules.state import FederatedModule
from hansa.tasks.per_row import RowSlopes
from hansa.tasks.rows import Rows
from hansa.tasks.settings import Settings

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import Module, Parameter

MOMENTUM = 0.9


class ModuleTask(ABC):
    """A task whose model is a torch module. A user writes `module`, `load`, `loss` and `metric`; the rest has defaults.

    What travels is every trainable parameter and every floating buffer of the module, by state-dict name, as float32.
    """

    name: str = ""  # the class's, in lower case, where it gives none
    metric_name: str | None = None  # what `metric` measures, such as `accuracy`
    batch: int = 32
    learning_rate: float = 0.01
    proximal: float = 0.0  # FedProx's mu: how strongly training is pulled back to where it began
    rows_at_once: int = 256  # in what is only measured
    on_progress: Callable[[Progress], None] = staticmethod(lambda progress: None)
    _device: torch.device | None = None
    _threads: int | None = 1
    _held: FederatedModule | None = None

    def __init__(self, settings: Mapping[str, object], seed: int) -> None:
        self.seed = seed
        given = Settings(self.name, settings)
        self.batch = given.integer("batch", self.batch, low=1, high=1_000_000)
        self.learning_rate = given.decimal("learning_rate", str(self.learning_rate))
        self.proximal = given.decimal("proximal", str(self.proximal))
        self.configure(given)
        given.done()

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if not cls.name:
            cls.name = cls.__name__.lower()
        if not hasattr(cls.metric, "takes_models"):
            cls.metric = _of_model_or_module(cls.metric)  # type: ignore[method-assign]

    # --- what a user writes

    @abstractmethod
    def module(self) -> Module:
        """A new module; its random numbers are drawn from the job's seed. Called on the CPU."""

    @abstractmethod
    def load(self, source: str) -> Any:
        """The rows that a party names: `hansa.Rows`, or any torch data set that has a length."""

    @abstractmethod
    def loss(self, module: Module, batch: Any) -> Tensor:
        """The mean loss over a batch, which is on the module's device."""

    @abstractmethod
    def metric(self, module: Module, data: Any) -> float:
        """How good the module, in `eval()` and without gradients, is on these rows; larger is better. `self.mean`
        helps. Daemons call it with a model's tensors in the module's place."""

    # --- what has a default

    def configure(self, settings: Settings) -> None:  # noqa: B027
        """Reads a job's settings beside `batch`, `learning_rate` and `proximal`; none by default."""

    def frozen(self) -> Mapping[str, str | Path]:
        """The files that `module` reads what stays frozen from: name → path. A job names each by its SHA-256."""
        return {}

    def validation(self, seat: int, seats: int, source: str) -> Any:
        """The rows of one of `seats` validators: row i of what `--validation` names is seat i mod seats's."""
        rows = self.load(source)
        self._require_items(rows)
        return batching.deal(rows, seat, seats)

    def optimizer(self, parameters: Sequence[Parameter]) -> Any:
        """A new optimizer, or (optimizer, scheduler); the scheduler's step is the optimizer's. One for each round."""
        return Momentum(parameters, self.learning_rate, MOMENTUM)

    def batches(self, data: Any, seed: int) -> Iterable[Any]:
        """One pass over the rows, in an order that the seed decides; asked for again until all steps are taken."""
        return batching.shuffled(data, self.batch, seed, self.collate)

    def collate(self, items: list[Any]) -> Any:
        """A batch of a data set's items."""
        return batching.stack(items)

    def mean(self, module: Module, data: Any, function: Callable[[Any], Any] | None = None) -> float:
        """The mean over all rows of what `function(batch)` gives, its mean or a value a row; of the loss by default."""
        device = next(module.parameters()).device
        return training.mean(function or (lambda batch: self.loss(module, batch)), self._in_order(data), device)

    # --- what daemons ask for

    def model(self) -> Params:
        """Model 0."""
        return self._made("cpu").params()

    def train(
        self, params: Mapping[str, NDArray[Any]], data: Any, *, steps: int, loss_threshold: float | None, seed: int
    ) -> Trained:
        """Trains a module that starts at `params`. Stopped half-way by any exception, it can train again."""
        self._require_rows(data, "train on")
        with self._at(params, "training", self.batch, "the job's batch size (--set batch=…)", seed) as held:
            loaded = held.coarse()
            run = training.Run(self.name, steps, self.on_progress)
            passes = (self.batches(data, _mixed(seed, number)) for number in count())
            training.fit(
                held,
                self.loss,
                training.endless(self.name, passes),
                self.optimizer,
                run=run,
                threshold=loss_threshold,
                proximal=self.proximal,
            )
            trained = held.params()
        for name, rounded in loaded.items():  # what `load` rounded off is no work of this trainer
            trained[name] = np.asarray(params[name], np.float32) + (trained[name] - rounded)
        return Trained(trained, run.done, run.loss)

    def gradient(
        self, params: Mapping[str, NDArray[np.floating[Any]]], data: Any
    ) -> tuple[float, dict[str, NDArray[np.float32]]]:
        """The mean loss over the rows, and its slope by every trainable parameter, in the module's own precision."""
        self._require_rows(data, "measure on")
        with self._measuring(params, "taking a gradient") as held:
            return training.slope(self.name, held, self.loss, self._in_order(data))

    def row_gradients(
        self, params: Mapping[str, NDArray[np.floating[Any]]], data: Any, *, seed: int, slow: bool = False
    ) -> Iterator[RowSlopes]:
        """For differential privacy. The task's own optimizer and batches play no part in it."""
        self._require_rows(data, "train on")
        private.check_collate(self.name, data, is_own=type(self).collate is not ModuleTask.collate, slow=slow)
        with self._at(params, "taking each row's gradient", 1, "the model's size", seed) as held:
            private.check_module(self.name, held.module, slow=slow)
            yield from private.module_row_slopes(self.name, held, self.loss, data, self.collate, slow=slow)

    def module_at(self, params: Mapping[str, NDArray[np.floating[Any]]]) -> Module:
        """A new module on the CPU with a model's tensors, in `eval()`."""
        held = self._made("cpu")
        held.load(params)
        return held.module.eval()

    def move_to(self, device: str, threads: int | None) -> str:
        """Computes there from now on; returns the device's name. FatalError where it isn't there."""
        self._device, self._threads, self._held = find_device(device), threads, None
        return str(self._device)

    @property
    def repeatable(self) -> bool:
        """Whether the same arguments give the same bits."""
        return self._threads == 1 and (self._device is None or self._device.type == "cpu")

    def epsilon(self) -> float:
        """How coarse the module's arithmetic is."""
        return self._here().epsilon

    @property
    def staying(self) -> int:
        """How many frozen numbers stay at home."""
        return sum(value.numel() for value in self._here().frozen.values())

    def _measuring(self, params: Mapping[str, Any], doing: str) -> AbstractContextManager[FederatedModule]:
        return self._at(params, doing, self.rows_at_once, "rows_at_once in the task", 0)

    @contextmanager
    def _at(
        self, params: Mapping[str, Any], doing: str, batch: int, setting: str, seed: int
    ) -> Iterator[FederatedModule]:
        """The module with a model's tensors, computing as it should."""
        with ExitStack() as stack:
            held = self._here()
            stack.enter_context(on_threads(self._threads))
            stack.enter_context(naming_memory(self.name, doing, batch, setting, held.device))
            stack.enter_context(drawing_from(seed, held.device))
            held.load(params)
            yield held

    def _here(self) -> FederatedModule:
        if self._held is None:
            self._held = self._made(str(self._device or "cpu"))
        return self._held

    def _made(self, device: str) -> FederatedModule:
        import torch

        with drawing_from(_mixed(self.seed, "module"), torch.device("cpu")):
            module = self.module()
        if not isinstance(module, torch.nn.Module):
            raise FatalError(
                f"module() of task {self.name} returned {training.described(module)}",
                next_step="return a torch.nn.Module",
            )
        return FederatedModule(module, self.name, torch.device(device))

    def _in_order(self, data: Any) -> Iterator[tuple[Any, float]]:
        self._require_rows(data, "measure on")
        return batching.in_order(data, self.rows_at_once, self.collate)

    def _require_items(self, data: Any) -> None:
        """FatalError for what has a length but no row at each place."""
        if isinstance(data, Mapping | tuple | str) or not isinstance(data, Rows) and not hasattr(data, "__getitem__"):
            raise FatalError(
                f"load() of task {self.name} gave {training.described(data)}, which is no data set",
                cause="item i of a data set is row i",
                next_step="return hansa.Rows(inputs, labels), or a data set with __len__ and __getitem__",
            )

    def _require_rows(self, data: Any, purpose: str) -> None:
        self._require_items(data)
        if not len(data):
            raise FatalError(f"task {self.name} has no rows to {purpose}", next_step="look at what load() reads")


def _of_model_or_module(metric: Callable[..., float]) -> Callable[..., float]:
    """A task's own metric, which takes a module, as daemons call it: with a model's tensors."""

    @wraps(metric)
    def measured(self: ModuleTask, model: Any, data: Any) -> float:
        import torch

        if not isinstance(model, Mapping):
            return metric(self, model, data)
        with self._measuring(model, "measuring") as held, torch.no_grad():
            value = metric(self, held.module.eval(), data)
            try:
                return float(value)
            except (TypeError, ValueError, RuntimeError) as error:
                raise FatalError(
                    f"metric() of task {self.name} returned {training.described(value)}",
                    next_step="return one number, larger being better",
                ) from error

    measured.takes_models = True  # type: ignore[attr-defined]
    return measured


def _mixed(seed: int, *key: int | str) -> int:
    """A seed of its own for each key."""
    from hashlib import sha256

    return int.from_bytes(sha256("/".join(map(str, (seed, *key))).encode()).digest()[:8], "big") >> 1
