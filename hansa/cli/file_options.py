"""Options that name an archive or a file to write, and what is checked of such a file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from hansa.protocol.errors import FatalError
from hansa.runtime.files import unwritable

JobOrArchived = Annotated[int | None, typer.Argument(help="The job; an archive knows its own.", metavar="JOB")]
ArchiveFile = Annotated[
    Path | None,
    typer.Option("--archive", help="Of the job in this job-N.hansa, without chain or store.", metavar="FILE"),
]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]


def require_new(path: Path, force: bool, named: Iterable[Path | str | None] = ()) -> None:
    """FatalError where a new file can't be written, or would take another's place, unless `force`.

    named: what else the command names, which is never written over.
    """
    try:
        if path.resolve() in [Path(other).resolve() for other in named if other is not None]:
            raise FatalError(f"{path} is named twice", next_step="name another file")
        _require_place(path, force)
    except OSError as error:
        raise unwritable(path, error) from error


def _require_place(path: Path, force: bool) -> None:
    if not path.parent.is_dir():
        raise FatalError(
            f"{path} can't be written",
            cause=f"there is no folder {path.parent}",
            next_step="make it, or name another file",
        )
    if path.exists() and not path.is_file():
        raise FatalError(f"{path} can't be written", cause="it is no plain file", next_step="name another file")
    if os.path.lexists(path) and not force:  # a link that leads nowhere is there too
        raise FatalError(f"{path} is there already", next_step="name another file, or write over it with --force")
