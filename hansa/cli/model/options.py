"""Options that the commands of `hansa model` share, and what they say of a file that they wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from hansa.cli.document import Metric
from hansa.protocol.cid import to_cid
from hansa.protocol.types import Round
from hansa.results.source import PublishedJob
from hansa.runtime.files import write_file

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


@dataclass(frozen=True)
class Written:
    """A file that was written, from a model that is what the chain names."""

    job: int
    round: int
    cid: str
    metric: Metric  # as its committee voted
    file: str
    bytes: int
    format: str
    origin: str


def write_model(found: PublishedJob, picked: Round, path: Path, data: bytes, form: str) -> Written:
    """Writes what was made of a model, whole or not at all."""
    write_file(path, data)
    cid = to_cid(found.digest(picked))
    return Written(found.job, picked, cid, found.metric(picked), str(path), len(data), form, found.origin)
