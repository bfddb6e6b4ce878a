"""A job of a module that somebody else wrote: BatchNorm, Adam, rows in files, every party a process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from federations import federation, finish
from strangers_rows import STRANGERS, write_rows

from hansa.protocol.model import Model
from hansa.protocol.types import UNIT
from hansa.tasks import load_task_of

ROUNDS = 3


def test_job__of_a_residual_network__learns_and_pays(tmp_path: Path) -> None:
    files, task_file = write_rows("quarters", tmp_path), STRANGERS / "quarters.py"
    setup: dict[str, Any] = {
        "task": f"{task_file}:Quarters",
        "trainers": 2,
        "data": (files["a"], files["b"]),
        "validation": files["validation"],
        "rounds": ROUNDS,
        "steps": 25,
    }
    with federation(tmp_path / "lab", **setup) as lab:
        lab.start_all()
        view = finish(lab)
        assert [outcome.metric for _, outcome in view.finalised][-1] > 0.8 * UNIT
        assert all(view.earned(trainer) > 0 for trainer in view.trainers)
        assert len(view.history.cycles) == ROUNDS, "no cycle failed"
        spec = view.context.spec
        assert (spec.version, spec.metric, spec.frozen) == (2, "accuracy", {})
        outcome = view.finalised[-1][1]
        model = Model.decode(lab.session.store.get(outcome.model, limit=spec.model_bytes, timeout=5.0))
        task: Any = load_task_of(spec, allowed=[str(task_file)])
        shares = [task.validation(seat, 3, files["validation"]) for seat in range(3)]
        found = sorted(task.metric(model.tensors, rows) for rows in shares)[1]
        assert abs(found * UNIT - outcome.metric) < 1e-3 * UNIT, "the median of the members' metrics"
        logs = [json.loads(line) for line in (lab.workspace.dir / "logs" / "trainer-1.jsonl").read_text().splitlines()]
        assert [line["device"] for line in logs if line["event"] == "task loaded"] == ["cpu"]
        assert len([line for line in logs if line["event"] == "trained"]) == ROUNDS
