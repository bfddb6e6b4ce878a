"""Options that the commands of `hansa model` share, and how they write a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from hansa.protocol.errors import FatalError
from hansa.runtime.files import unwritable, write_atomically

Job = Annotated[int | None, typer.Argument(help="The job; an archive knows its own.", metavar="JOB")]
ArchiveFile = Annotated[
    Path | None,
    typer.Option("--archive", help="Take it from this job-N.hansa, without chain or store.", metavar="FILE"),
]
RoundOption = Annotated[
    str | None,
    typer.Option(
        "--round", help="A finalised round, 0 for the sponsor's model, or `best`; by default the last.", metavar="R"
    ),
]
TaskOption = Annotated[
    str | None,
    typer.Option(
        "--task",
        help="Your copy of a task that is not built in, FILE.py:Class or package.module:Class; naming it lets it run.",
        metavar="TASK",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file.")]


@dataclass(frozen=True)
class Written:
    """A file that was written, from a model that is what the chain names."""

    job: int
    round: int
    cid: str
    metric: float | None  # as its committee voted
    file: str
    bytes: int
    format: str
    origin: str


def check_new(path: Path, force: bool) -> None:
    """FatalError where a file can't be written there, before any work."""
    if path.is_dir():
        raise FatalError(f"{path} is a folder", next_step="name a file in it with --out")
    if path.exists() and not force:
        raise FatalError(f"{path} is there already", next_step="name another with --out, or overwrite it with --force")
    if not path.parent.is_dir():
        raise FatalError(f"the folder {path.parent} is not there", next_step="make it, or name another with --out")


def write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    try:
        write_atomically(path, data)
    except OSError as error:
        raise unwritable(path, error) from error
