"""Running somebody's task inside a daemon."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from hansa.protocol.errors import FatalError, HansaError


@contextmanager
def running(task: str, doing: str) -> Iterator[None]:
    """Turns whatever a task raises into one sentence that names it and what it was doing."""
    try:
        yield
    except HansaError:
        raise
    except Exception as error:
        raise FatalError(
            f"task {task} failed while {doing}",
            cause=f"{type(error).__name__}: {error}",
            next_step="`python -m hansa.tasks` rehearses a task without a chain; --debug shows where",
        ) from error


def use_threads(threads: int | None) -> None:
    """Lets torch use so many threads, where a task has imported it; None leaves torch's own choice."""
    torch = sys.modules.get("torch")
    if torch is not None and threads is not None:
        torch.set_num_threads(threads)
