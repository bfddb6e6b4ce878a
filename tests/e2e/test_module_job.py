"""A job of a module that somebody else wrote: BatchNorm, Adam, rows in files, every party a process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from federations import federation, finish
from strangers_rows import STRANGERS, write_rows
from typer.testing import CliRunner

from hansa import load_model
from hansa.cli.main import app
from hansa.protocol.model import Model
from hansa.protocol.types import UNIT
from hansa.tasks import load_task_of

ROUNDS = 3


def _accuracy(module: torch.nn.Module, rows: Any) -> float:
    with torch.no_grad():
        return float((module(torch.tensor(rows.inputs)).argmax(1).numpy() == rows.labels).mean())


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
        out = tmp_path / "quarters.pt"
        words = f"model export {lab.posted.job} --format pt --out {out} --dir {lab.workspace.dir}"
        done = CliRunner().invoke(app, words.split())
        assert done.exit_code == 0 and "job 1, metric" in done.stdout, done.stderr
        plain = task.module()
        plain.load_state_dict(torch.load(out, weights_only=True))
        accuracies = sorted(_accuracy(plain.eval(), rows) for rows in shares)
        assert abs(accuracies[1] * UNIT - outcome.metric) < 1e-3 * UNIT, "plain torch, as the job's table says"
        loaded = load_model(lab.posted.job, dir=lab.workspace.dir)
        assert not loaded.training and _accuracy(loaded, shares[0]) == _accuracy(plain, shares[0])
        logs = [json.loads(line) for line in (lab.workspace.dir / "logs" / "trainer-1.jsonl").read_text().splitlines()]
        assert [line["device"] for line in logs if line["event"] == "task loaded"] == ["cpu"]
        assert len([line for line in logs if line["event"] == "trained"]) == ROUNDS
