"""Options that name an archive or a file to write, and what is checked of such a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hansa.protocol.errors import FatalError

JobOrArchived = Annotated[int | None, typer.Argument(help="The job; an archive knows its own.", metavar="JOB")]
ArchiveFile = Annotated[
    Path | None,
    typer.Option("--archive", help="Of the job in this job-N.hansa, without chain or store.", metavar="FILE"),
]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]


def require_new(path: Path, force: bool) -> None:
    """FatalError where a new file can't be written, or would take another's place, unless `force`."""
    if not path.parent.is_dir():
        raise FatalError(
            f"{path} can't be written",
            cause=f"there is no folder {path.parent}",
            next_step="make it, or name another file",
        )
    if path.exists() and not path.is_file():
        raise FatalError(f"{path} can't be written", cause="it is no plain file", next_step="name another file")
    if path.exists() and not force:
        raise FatalError(f"{path} is there already", next_step="name another file, or write over it with --force")
