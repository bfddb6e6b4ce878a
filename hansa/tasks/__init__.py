"""What can be trained: one folder a task. Importing this loads no task and no torch."""

from hansa.tasks.base import Data, Differentiable, Params, Scores, Study, Task, Trained
from hansa.tasks.loading import consent, defaults, load_task, load_task_of, running, task_digest, use_device

__all__ = [
    "Data",
    "Differentiable",
    "Params",
    "Scores",
    "Study",
    "Task",
    "Trained",
    "consent",
    "defaults",
    "load_task",
    "load_task_of",
    "running",
    "task_digest",
    "use_device",
]
