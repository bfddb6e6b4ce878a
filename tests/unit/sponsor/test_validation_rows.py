"""Whose rows a job's members measure on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hansa import ModuleTask, Rows
from hansa.devnet.setup import Setup
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Wei
from hansa.sponsor.post import prepare
from hansa.sponsor.terms import JobOffer
from hansa.sponsor.validation import with_validation
from hansa.tasks import load_task
from hansa.tasks.validation import doubts, own_rows

OFFER = JobOffer(trainers=4, seats=3, rounds=15, reward=Wei(100), fee=Wei(5), bond=Wei(50), penalty=Wei(10))
PREPARED = prepare("heart", seed=0, baselines=["majority=0.5"])


def test_job__of_own_rows__says_so_in_its_spec_and_what_pay_then_follows() -> None:
    made, said = with_validation(PREPARED, OFFER, "own")
    assert made.spec.validation == "own"
    assert made.spec.baselines == [], "they were measured on other rows"
    assert said is not None and said.startswith("pay follows the rows of whoever sits")
    assert with_validation(PREPARED, OFFER, "dealt") == (PREPARED, None)


@pytest.mark.parametrize("change", [{"patience": 3}, {"target": 700_000_000}])
def test_job__that_its_metric_ends__is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(FatalError, match="can't be used with --patience or --target"):
        with_validation(PREPARED, replace(OFFER, **change), "own")


def test_way__that_is_none__is_refused() -> None:
    with pytest.raises(FatalError, match="--validation-rows 'mine' is no way; use dealt or own"):
        with_validation(PREPARED, OFFER, "mine")


def test_own_rows__of_a_built_in_task__are_what_a_party_held_back_and_no_trainer_has(tmp_path: Path) -> None:
    task: Any = load_task("heart", {}, 0)
    rows = own_rows(task, "hungary")
    assert len(rows) == len(task.party("hungary").held) == 34
    with pytest.raises(FatalError, match="measures on rows of its own.*add --validation FILE"):
        own_rows(task, None)


class Line(ModuleTask):
    def module(self) -> Any:
        from torch import nn

        return nn.Linear(2, 1)

    def load(self, source: str) -> Rows:
        return Rows(np.full((int(source), 2), 1, np.float32), np.ones(int(source), np.float32))

    def loss(self, module: Any, batch: Any) -> Any:
        return module(batch[0]).mean()

    def metric(self, module: Any, data: Any) -> float:
        return 0.0


class Plain:
    """A user's task that deals its rows out by seat and takes no source of them."""

    name = "plain"

    def load(self, source: str) -> list[str]:
        return [source] * 40

    def validation(self, seat: int, seats: int) -> list[str]:
        return ["dealt"]


def test_own_rows__of_any_task__are_all_that_the_source_names() -> None:
    assert len(own_rows(Line({}, 0), "50")) == 50, "and not a seat's part of them"
    assert own_rows(Plain(), "mine") == ["mine"] * 40  # type: ignore[arg-type]


def test_rows__too_few_or_of_one_label__are_doubted() -> None:
    rows = load_task("heart", {}, 0).load("cleveland")
    assert isinstance(rows, Rows) and doubts(rows) is None
    assert "29 rows to measure on: what so few" in (doubts(rows.take(slice(0, 29))) or "")
    alike = rows.take(np.flatnonzero(rows.labels == 0))
    assert f"all {len(alike)} rows have one label" in (doubts(alike) or "")
    assert doubts(["text"] * 30) is None


def test_demo__gives_each_member_a_party_or_the_file_that_was_named() -> None:
    own = Setup(trainers=2, validation_rows="own")
    assert [own.validation_of(member) for member in range(3)] == ["0", "1", "0"]
    assert replace(own, validation="held.csv").validation_of(1) == "held.csv"
    assert Setup().validation_of(0) is None
