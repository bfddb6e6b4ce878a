"""A model as a file that others read: safetensors, a torch state dict, ONNX."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from hansa.protocol import tensors
from hansa.protocol.errors import FatalError
from hansa.protocol.model import Model
from hansa.tasks.loading import running
from hansa.tasks.modules import batching
from hansa.tasks.modules.task import ModuleTask

if TYPE_CHECKING:
    from torch.nn import Module

ROWS = 2  # that a graph is traced on


def safetensors(model: Model, labels: dict[str, str]) -> bytes:
    """What was federated, by name, float32. labels: further metadata of the file."""
    return tensors.encode(model.tensors, {"format": "pt", **labels})


def state_dict(module: Module) -> bytes:
    """The module's `state_dict()`, frozen parameters and integer buffers too: `torch.load(FILE, weights_only=True)`."""
    import torch

    out = io.BytesIO()
    torch.save({name: value.detach().cpu().clone() for name, value in module.state_dict().items()}, out)
    return out.getvalue()


def onnx(task: ModuleTask, module: Module, data: Any) -> bytes:
    """The module as a graph of ONNX, its first dimension free, traced on the first rows of `data`.

    What it takes is what the task's loss hands it. FatalError where the packages aren't installed, the module isn't
    called by the loss, or can't be traced.
    """
    import torch

    arguments = _arguments(task, module, data)
    try:
        import_module("onnxscript")
        batch = torch.export.Dim.DYNAMIC
        shapes = tuple({0: batch} if isinstance(value, torch.Tensor) and value.dim() else None for value in arguments)
        with _quietly():
            program = torch.onnx.export(module, arguments, dynamo=True, dynamic_shapes=shapes, verbose=False)
    except ImportError as error:
        raise FatalError(
            "a graph of ONNX needs packages that aren't installed",
            cause=f"no {error.name or 'onnx'}",
            next_step="pip install onnx onnxscript",
        ) from error
    except Exception as error:
        raise FatalError(
            f"the module of task {task.name} can't be made a graph of ONNX",
            cause=f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}",
            next_step="export it as pt, and look at what of its forward() depends on values",
        ) from error
    assert program is not None
    graph: bytes = program.model_proto.SerializeToString()
    return graph


def _arguments(task: ModuleTask, module: Module, data: Any) -> tuple[Any, ...]:
    """What the loss calls the module with."""
    import torch

    seen: list[tuple[Any, ...]] = []

    def note(_: Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        if named:
            raise FatalError(
                f"the loss of task {task.name} calls its module with named arguments",
                next_step="call it with plain ones, as in module(inputs)",
            )
        seen.append(arguments)

    hook = module.register_forward_pre_hook(note, with_kwargs=True)
    try:
        with running(task.name, "looking at what its loss gives the module"), torch.no_grad():
            task.loss(module, batching.fetch(data, np.arange(min(ROWS, len(data))), task.collate))
    finally:
        hook.remove()
    if not seen:
        raise FatalError(
            f"the loss of task {task.name} doesn't call its module as a whole", next_step="call it as module(inputs)"
        )
    return seen[0]


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without what the exporter prints and warns of."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
