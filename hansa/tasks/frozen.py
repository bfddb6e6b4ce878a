"""Files that a task's model reads and nobody trains: a job names each by its SHA-256, every party has its own copy."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from hansa.protocol.errors import FatalError
from hansa.tasks.base import Freezing, Task


def frozen_digests(task: Task) -> dict[str, str]:
    """The SHA-256 of each file that the task reads what stays frozen from, by the file's name, as a spec has them."""
    files = task.frozen() if isinstance(task, Freezing) else {}
    if not isinstance(files, Mapping):
        raise FatalError(
            f"frozen() of task {task.name} returned {type(files).__name__}",
            next_step="return a dict of files by name, as in {'encoder': 'encoder.pt'}",
        )
    return {name: _digest(task.name, name, Path(path).expanduser()) for name, path in files.items()}


def check_frozen(task: Task, expected: Mapping[str, str]) -> None:
    """FatalError where this party's copies are not the files that `expected` names."""
    found = frozen_digests(task)
    if found.keys() != expected.keys():
        raise FatalError(
            f"task {task.name} reads the frozen files {', '.join(sorted(found)) or 'none'}",
            cause=f"expected are {', '.join(sorted(expected)) or 'none'}",
            next_step="use the version of the task that the sponsor used",
        )
    for name, digest in found.items():
        if digest != expected[name]:
            raise FatalError(
                f"the frozen file {name} of task {task.name} is another one",
                cause=f"yours has SHA-256 {digest}, expected is {expected[name]}",
                next_step="get the file that the sponsor used",
            )


def parse_frozen(entries: Sequence[str]) -> dict[str, str]:
    """`NAME=SHA256` entries."""
    found = {}
    for entry in entries:
        name, _, digest = entry.rpartition("=")
        if not name or not re.fullmatch("[0-9a-f]{64}", digest):
            raise FatalError(f"--frozen {entry!r} names no file", next_step="write it like --frozen NAME=SHA256")
        found[name] = digest
    return found


def _digest(task: str, name: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FatalError(
            f"the frozen file {name} of task {task} can't be read",
            cause=f"{path}: {error.strerror}",
            next_step="get the file that the sponsor used, and say where it is as the task's own page tells",
        ) from error
