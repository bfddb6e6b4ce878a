"""Parties who don't trust each other train one model together: what a user writes tasks with, and, below,
every part that the parties share. Names are loaded when they are used, so that `import hansa` costs nothing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hansa.protocol.errors import FatalError
    from hansa.results.modules import load_model
    from hansa.tasks.base import Data, Differentiable, Params, Scores, Study, Task, Trained
    from hansa.tasks.learning import TorchTask, mean_loss
    from hansa.tasks.modules.task import ModuleTask
    from hansa.tasks.rows import Rows, read_table
    from hansa.tasks.settings import Settings

_HOMES = {
    "Data": "hansa.tasks.base",
    "Differentiable": "hansa.tasks.base",
    "FatalError": "hansa.protocol.errors",
    "ModuleTask": "hansa.tasks.modules.task",
    "Params": "hansa.tasks.base",
    "Rows": "hansa.tasks.rows",
    "Scores": "hansa.tasks.base",
    "Settings": "hansa.tasks.settings",
    "Study": "hansa.tasks.base",
    "Task": "hansa.tasks.base",
    "TorchTask": "hansa.tasks.learning",
    "Trained": "hansa.tasks.base",
    "load_model": "hansa.results.modules",
    "mean_loss": "hansa.tasks.learning",
    "read_table": "hansa.tasks.rows",
}

__all__ = [
    "Data",
    "Differentiable",
    "FatalError",
    "ModuleTask",
    "Params",
    "Rows",
    "Scores",
    "Settings",
    "Study",
    "Task",
    "TorchTask",
    "Trained",
    "load_model",
    "mean_loss",
    "read_table",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
