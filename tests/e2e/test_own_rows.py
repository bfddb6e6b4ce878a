"""A job whose members measure on rows of their own: no party's rows are dealt out."""

from __future__ import annotations

import json
from pathlib import Path

from federations import VALIDATORS, federation, finish, models

from hansa.tasks import load_task


def test_own_rows__are_measured_on_and_the_round_is_paid(tmp_path: Path) -> None:
    with federation(tmp_path, rounds=1, validation_rows="own") as lab:
        lab.start_all()
        view = finish(lab)
        assert view.context.spec.validation == "own" and view.context.spec.baselines == []
        assert len(models(view)) == 1
        task = load_task("heart", {"parties": 4}, 0)
        for place, name in enumerate(VALIDATORS):
            lines = [json.loads(line) for line in (tmp_path / "logs" / f"{name}.jsonl").read_text().splitlines()]
            read = [line["rows"] for line in lines if line["event"] == "validation rows read"]
            assert set(read) == {len(task.own_validation(str(place)))}  # type: ignore[attr-defined]
