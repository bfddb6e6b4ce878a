"""What a member names with --validation: the task gets it, and one that is missing is asked for before its start."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import structlog
from desks import GivenJob, desk_of

from aggregator.rows import ValidationRows
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Seat


def rows_of(tmp_path: Path, validation: Any, source: str | None, rows: str = "dealt", log: Any = None) -> Any:
    task = SimpleNamespace(
        name="mine",
        validation=validation,
        load=lambda source: [source] * 40,
        model=lambda: {"w": np.zeros(1, np.float32)},
        metric=lambda params, data: 0.0,
    )
    context = SimpleNamespace(spec=SimpleNamespace(task="mine", validation=rows), terms=SimpleNamespace(seats=3))
    desk = desk_of(tmp_path, GivenJob(tmp_path, context=context), log=log)
    return ValidationRows(desk, cast(Any, task), source).of(Seat(1))


def of_a_file(seat: int, seats: int, source: str) -> list[str]:
    return [f"{source} {seat} of {seats}"]


def of_a_file_or_ones_own(seat: int, seats: int, source: str | None = None) -> list[str]:
    return [source or "one's own"]


def test_file__that_a_member_names__is_what_the_task_reads(tmp_path: Path) -> None:
    assert rows_of(tmp_path, of_a_file, "mine.csv") == ["mine.csv 1 of 3"]


@pytest.mark.parametrize(("source", "read"), [("mine.csv", "mine.csv"), (None, "one's own")])
def test_task__that_can_do_without_a_file__takes_one(tmp_path: Path, source: str | None, read: str) -> None:
    assert rows_of(tmp_path, of_a_file_or_ones_own, source) == [read]


def test_file__that_nobody_named__is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="task mine asks where its validation rows are; add --validation FILE"):
        rows_of(tmp_path, of_a_file, None)


def test_file__that_the_task_does_not_take__is_refused(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="task mine takes no --validation FILE: .* knows its rows itself"):
        rows_of(tmp_path, lambda seat, seats: [1.0], "mine.csv")


def test_job__of_own_rows__measures_on_all_that_a_member_names_and_asks_for_it(tmp_path: Path) -> None:
    assert rows_of(tmp_path, lambda seat, seats: [1.0], "mine.csv", "own") == ["mine.csv"] * 40
    with pytest.raises(FatalError, match="a member of this job measures on rows of its own"):
        rows_of(tmp_path / "b", of_a_file_or_ones_own, None, "own")


def test_job__of_own_rows__says_where_they_are_few(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as said:
        rows_of(tmp_path, of_a_file_or_ones_own, "mine.csv", "own", structlog.stdlib.get_logger())
    assert [line["said"] for line in said if line["log_level"] == "warning"] == [
        "1 row to measure on: what so few say of an update is mostly chance"
    ]
