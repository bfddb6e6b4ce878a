"""Where an export goes, and as what: settled before anything is read."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from hansa.cli.file_options import require_new
from hansa.cli.job.export_table import require_parquet
from hansa.protocol.errors import FatalError


class Kind(StrEnum):
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def choose_kind(out: Path | None, given: Kind | None, is_json: bool) -> Kind:
    """What is written. FatalError where nothing says it, or it can't be. is_json: whether the answer shall be JSON."""
    kind = given or _usual_kind(out, is_json)
    if out is None and kind is Kind.PARQUET:
        raise FatalError(
            "Parquet can't stand on standard output", cause="it is no text", next_step="name a file with --out"
        )
    if out is None and is_json and kind is not Kind.JSON:
        raise FatalError(
            f"--json and --format {kind} don't go together", next_step="leave one out, or name a file with --out"
        )
    if kind is Kind.PARQUET:
        require_parquet()
    return kind


def _usual_kind(out: Path | None, is_json: bool) -> Kind:
    if out is None:
        return Kind.JSON if is_json else Kind.CSV
    for kind in Kind:
        if out.suffix.lower() == f".{kind}":
            return kind
    raise FatalError(
        f"what to write into {out} is not known",
        cause=f"its name ends with {out.suffix}" if out.suffix else "its name has no suffix",
        next_step="name a file that ends with .csv, .json or .parquet, or say --format",
    )


def check_targets(out: Path | None, picture: Path | None, archive: Path | None, force: bool) -> None:
    """FatalError where a file can't be written, or would take another's place. archive: what is read."""
    if picture is not None and picture.suffix.lower() != ".svg":
        raise FatalError(
            f"no picture can be written into {picture}", cause="it would be SVG", next_step="end its name with .svg"
        )
    if out is not None:
        require_new(out, force, [archive])
    if picture is not None:
        require_new(picture, force, [archive, out])
