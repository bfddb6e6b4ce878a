"""The rows that a validator measures on: the task's own, or those of a file that the validator names."""

from __future__ import annotations

import inspect
from collections.abc import Sized
from typing import Any

import numpy as np

from hansa.protocol.errors import FatalError
from hansa.protocol.text import counted
from hansa.tasks.base import Data, Task
from hansa.tasks.rows import Rows

OPTION = "--validation FILE"


def asks_for_rows(task: Task) -> bool:
    """Whether members have to say where their validation rows are."""
    parameter = _source(task)
    return parameter is not None and parameter.default is inspect.Parameter.empty


def _source(task: Task) -> inspect.Parameter | None:
    return inspect.signature(task.validation).parameters.get("source")


def validation_rows(task: Task, seat: int, seats: int, source: str | None = None) -> Data:
    """The rows of one of `seats` members, out of `source` where the task reads them from there.

    FatalError for a source that the task does not take, or one that it asks for and nobody named, and for rows that
    have no length. Whatever else the task raises comes out.
    """
    validation: Any = task.validation
    if source is None:
        if asks_for_rows(task):
            raise FatalError(f"task {task.name} asks where its validation rows are", next_step=f"add {OPTION}")
        return _counted(task, validation(seat, seats))
    if _source(task) is None:
        raise FatalError(
            f"task {task.name} takes no {OPTION}",
            cause="its validation(seat, seats) has no argument `source`: it knows its rows itself",
            next_step="leave the option out; docs/tasks.md says how a task of your own takes it",
        )
    return _counted(task, validation(seat, seats, source=source))


def own_rows(task: Task, source: str | None) -> Data:
    """A member's rows of its own, all that `source` names: by the task's `own_validation(source)` where it has one,
    as validation rows where the task reads these from a source, else as rows to train on. FatalError without one."""
    if source is None:
        raise FatalError(
            "a member of this job measures on rows of its own",
            cause="the parties give none",
            next_step=f"add {OPTION}, or the name of a party of the task",
        )
    if hasattr(task, "own_validation"):
        return _counted(task, task.own_validation(source))
    if _source(task) is not None:
        return validation_rows(task, 0, 1, source)
    rows = task.load(source)
    count_rows(task, rows)
    return rows


FEWEST = 30


def doubts(rows: Any) -> str | None:
    """Why a member should not measure on rows of its own, where that can be seen."""
    if len(rows) < FEWEST:
        return f"{counted(len(rows), 'row')} to measure on: what so few say of an update is mostly chance"
    if isinstance(rows, Rows) and len(np.unique(rows.labels)) == 1:
        return f"all {len(rows)} rows have one label: an update that always answers it seems the best"
    return None


def _counted(task: Task, rows: Any) -> Data:
    count_rows(task, rows, "validation")
    given: Data = rows
    return given


def count_rows(task: Task, rows: object, method: str = "load") -> int:
    """How many rows a method of the task gave; FatalError for what has no length."""
    if isinstance(rows, Sized):
        return len(rows)
    raise FatalError(
        f"{method}() of task {task.name} gave {type(rows).__name__}, which has no length",
        next_step="return hansa.Rows, or a data set with __len__ and __getitem__",
    )
