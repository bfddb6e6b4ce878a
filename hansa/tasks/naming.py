"""Which class of a user's file is the task, found without running any of it."""

from __future__ import annotations

import ast
from pathlib import Path

from hansa.protocol.errors import FatalError, described

MOST_SEARCHED = 2**15  # bytes of a file whose class is looked for: Python's parser takes up to 1,700 times as many
TRAINING = ("train", "module")  # the methods by which a task is told from other classes


def only_task(path: Path, code: bytes) -> str:
    """The one public class of a file that can train, or else its one public class. FatalError where it isn't one."""
    if len(code) > MOST_SEARCHED:
        raise FatalError(
            f"task file {path} is too large to look for the task in it",
            cause=f"it has {len(code):,} bytes, and up to {MOST_SEARCHED:,} are searched",
            next_step=f"name its class: --task {path}:Class",
        )
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # of brackets in brackets, the last two
        raise FatalError(f"task file {path} is not Python", cause=described(error)) from error
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    trainers = [node.name for node in classes if any(getattr(item, "name", "") in TRAINING for item in node.body)]
    names = trainers or [node.name for node in classes]
    if len(names) != 1:
        raise FatalError(
            f"task file {path} has {len(names) or 'no'} classes that may be the task",
            next_step=f"name one: --task {path}:{names[0] if names else 'Class'}",
        )
    return names[0]
