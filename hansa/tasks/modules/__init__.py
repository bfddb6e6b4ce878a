"""Any torch module as a task."""

from hansa.tasks.modules.task import ModuleTask

__all__ = ["ModuleTask"]
