"""A job's model as the torch module that it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hansa.protocol.errors import FatalError, NotAllowed
from hansa.protocol.types import Round
from hansa.results.source import PublishedJob, open_job
from hansa.runtime.workspace import Workspace
from hansa.tasks.base import Task
from hansa.tasks.loading import consent, load_task_of, running
from hansa.tasks.modules.task import ModuleTask

if TYPE_CHECKING:
    from torch.nn import Module


def load_model(
    job: int | None,
    round: int | str | None = None,
    *,
    task: str | Path | None = None,
    dir: str | Path | None = None,
    archive: str | Path | None = None,
) -> Module:
    """A job's model as an `nn.Module` on the CPU, in `eval()`; its bytes were checked against the chain.

    round: a number, 0 for the sponsor's model, or "best"; by default the last. task: your copy of a task that is not
    built in, `file.py`, `file.py:Class` or `package.module:Class`; naming it lets it run. dir: of the deployment,
    `.hansa` by default. archive: read from this `job-N.hansa` instead, for which job may be None.

    Raises FatalError where there is no such job, round or module, or a file is not what it must be.
    """
    workspace = Workspace() if dir is None else Workspace(Path(dir))
    with open_job(workspace, job, None if archive is None else Path(archive)) as found:
        made = module_task(found, task_of(found, task), "a torch module")
        return module_of(found, made, found.pick(None if round is None else str(round)))


def task_of(job: PublishedJob, task: str | Path | None) -> Task:
    """The task that the job's spec names. task: the user's own copy, which is consent to run it; else the deployment's
    list decides. FatalError where it isn't there or differs."""
    if task is None:
        try:
            return load_task_of(job.spec, allowed=job.allowed_tasks)
        except NotAllowed as error:
            raise NotAllowed(
                error.message,
                cause=error.cause,
                next_step="read it, then name your copy: --task FILE.py, or task= in Python",
            ) from error
    named = str(task)
    _, place = consent(f"{named}:{job.spec.task.rpartition(':')[2]}" if named.endswith(".py") else named)
    return load_task_of(job.spec, task_file=place.get("task_file"), allowed=place["allowed"])


def module_task(job: PublishedJob, task: Task, wanted: str) -> ModuleTask:
    """The task, where it is one of a torch module; FatalError else. wanted: what only those can give."""
    if not isinstance(task, ModuleTask):
        raise FatalError(
            f"job {job.job} can't give {wanted}",
            cause=f"its task {job.spec.task} is no ModuleTask, and has no torch module",
            next_step=f"`hansa model export {job.job} --format safetensors` has its tensors",
        )
    return task


def module_of(job: PublishedJob, task: ModuleTask, round_: Round) -> Module:
    """Model `round_` as a module, on the CPU, in `eval()`."""
    tensors = job.model(round_).tensors
    with running(task.name, f"making the module of round {round_}"):
        return task.module_at(tensors)
