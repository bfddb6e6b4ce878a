"""What of a module travels: trainable parameters and floating buffers, by state-dict name. The rest stays at home."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hansa.protocol.errors import FatalError
from hansa.tasks.base import Params

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import Module

Shapes = dict[str, tuple[int, ...]]


class FederatedModule:
    """A module on its device, with the tensors that travel.

    trainable: parameters by name; of tied ones, the first name. buffers: floating ones, such as BatchNorm's statistics.
    At home stay frozen parameters, integer buffers (put back to their start by each `load`), tensors without elements,
    and whatever the state dict leaves out. FatalError names a tensor that can't travel.
    """

    def __init__(self, module: Module, task: str, device: torch.device) -> None:
        self.module = module
        self._task = task
        self._check_lazy()
        module.to(device)
        self.device = device
        self.trainable, self.buffers, home = _sorted_out(module, task)
        self.frozen = {name: value for name, value in home.items() if value.is_floating_point() and value.numel()}
        self._start = {name: value.clone() for name, value in home.items() if not value.is_floating_point()}
        self._home = home

    @property
    def travelling(self) -> dict[str, Tensor]:
        return {**self.trainable, **self.buffers}

    @property
    def epsilon(self) -> float:
        """How coarse its coarsest trainable parameter is."""
        import torch

        return max(torch.finfo(value.dtype).eps for value in self.trainable.values())

    def load(self, params: Mapping[str, NDArray[np.floating[Any]]]) -> None:
        """Puts a model's tensors in. A variance that a mean of updates has made negative becomes 0."""
        import torch

        self.module.zero_grad()
        with torch.no_grad():
            for name, tensor in self.travelling.items():
                value = torch.tensor(np.asarray(params[name]))
                if value.shape != tensor.shape:
                    raise self._changed(name, f"{tuple(value.shape)}", f"{tuple(tensor.shape)}", "in another module()")
                tensor.copy_(value)
                if name.endswith("running_var"):
                    tensor.clamp_(min=0)
            for name, value in self._start.items():
                self._home[name].copy_(value)

    def params(self) -> Params:
        """Copies, in float32. FatalError where the module is no longer what it was before it saw data."""
        self._check_unchanged()
        return {name: _copied(tensor) for name, tensor in self.travelling.items()}

    def coarse(self) -> Params:
        """Of the tensors that hold fewer digits than float32: what `load` has rounded them to."""
        return {name: _copied(tensor) for name, tensor in self.travelling.items() if tensor.element_size() < 4}

    def _check_lazy(self) -> None:
        from torch.nn.parameter import is_lazy

        for name, value in self.module.state_dict(keep_vars=True).items():
            if is_lazy(value):
                raise _shapeless(self._task, name)

    def _check_unchanged(self) -> None:
        """FatalError where a tensor came, went, or changed its shape while the module saw a batch."""
        trainable, buffers, _ = _sorted_out(self.module, self._task)
        now: Shapes = {name: tuple(value.shape) for name, value in {**trainable, **buffers}.items()}
        before: Shapes = {name: tuple(value.shape) for name, value in self.travelling.items()}
        for name in sorted(now.keys() | before.keys()):
            if now.get(name) != before.get(name):
                was, became = (f"{shapes.get(name, 'not there')}" for shapes in (before, now))
                raise self._changed(name, was, became, "after a batch")

    def _changed(self, name: str, was: str, became: str, when: str) -> FatalError:
        return FatalError(
            f"module() of task {self._task}: {name} was {was} and is {became} {when}",
            cause="its shape depends on the data",
            next_step="make every layer, with its size, in module()",
        )


def _sorted_out(module: Module, task: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """(trainable parameters, floating buffers, what stays at home), each tensor under its first name."""
    import torch

    trainable, buffers, home = dict[str, Any](), dict[str, Any](), dict[str, Any]()
    seen: dict[int, str] = {}  # where a trainable parameter's memory starts
    known: set[int] = set()
    for name, value in module.state_dict(keep_vars=True).items():
        if not isinstance(value, torch.Tensor) or id(value) in known:
            continue
        known.add(id(value))
        is_parameter = isinstance(value, torch.nn.Parameter)
        if not value.numel() or (is_parameter and not value.requires_grad) or _is_whole(value):
            home[name] = value
        elif not value.is_floating_point() or value.layout != torch.strided:
            kind = str(value.dtype if value.layout == torch.strided else value.layout).removeprefix("torch.")
            raise FatalError(
                f"module() of task {task}: {name} is {kind}", next_step="make it float32, float16 or bfloat16"
            )
        elif not is_parameter:
            buffers[name] = value
        elif (other := seen.setdefault(value.data_ptr(), name)) != name and value.device.type == "cpu":
            raise FatalError(
                f"module() of task {task}: {name} and {other} share their memory but are two parameters",
                next_step="tie them by using one Parameter in both places",
            )
        else:
            trainable[name] = value
    if not trainable:
        raise FatalError(
            f"module() of task {task} has no trainable parameters",
            next_step="return a module in which some parameters require gradients",
        )
    return trainable, buffers, home


def _copied(tensor: Tensor) -> NDArray[np.float32]:
    import torch

    found: NDArray[np.float32] = tensor.detach().to("cpu", torch.float32, copy=True).numpy()
    return found


def _is_whole(value: Tensor) -> bool:
    return not value.is_floating_point() and not value.is_complex()


def _shapeless(task: str, name: str) -> FatalError:
    return FatalError(
        f"module() of task {task}: {name} has no shape before it has seen data",
        next_step="give the layer its size, as in Linear(64, 10) for LazyLinear(10)",
    )
