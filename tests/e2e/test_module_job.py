"""Jobs of modules that somebody else wrote, rows in files, every party a process; plain torch finds what was voted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from federations import federation, finish
from strangers_rows import STRANGERS, write_rows
from torch.nn import functional
from typer.testing import CliRunner

from hansa import load_model
from hansa.cli.main import app
from hansa.protocol.model import Model
from hansa.protocol.types import UNIT
from hansa.tasks import load_task_of

ROUNDS = 3


def _accuracy(module: torch.nn.Module, rows: Any) -> float:
    return float((module(torch.tensor(rows.inputs)).argmax(1).numpy() == rows.labels).mean())


def _likelihood_of_bits(module: torch.nn.Module, rows: Any) -> float:
    bits, truth = (torch.stack(column) for column in zip(*rows, strict=True))
    return -float(functional.binary_cross_entropy_with_logits(module(bits), truth))


def _likelihood_of_letters(module: torch.nn.Module, rows: Any) -> float:
    text, following = (torch.stack(column) for column in zip(*rows, strict=True))
    return -float(functional.cross_entropy(module(text).transpose(1, 2), following))


@pytest.mark.parametrize(
    ("name", "measured", "reached"),
    [
        ("quarters", _accuracy, 0.8),
        pytest.param("majority", _likelihood_of_bits, -0.4, marks=pytest.mark.slow),
        pytest.param("letters", _likelihood_of_letters, -2.5, marks=pytest.mark.slow),
    ],
    ids=["residual network", "LSTM", "transformer"],
)
def test_job__learns_and_pays__and_plain_torch_finds_its_metric(
    tmp_path: Path, name: str, measured: Callable[[torch.nn.Module, Any], float], reached: float
) -> None:
    files, task_file = write_rows(name, tmp_path), STRANGERS / f"{name}.py"
    setup: dict[str, Any] = {
        "task": f"{task_file}:{name.capitalize()}",
        "trainers": 2,
        "data": (files["a"], files["b"]),
        "validation": files["validation"],
        "rounds": ROUNDS,
        "steps": 25,
    }
    with federation(tmp_path / "lab", **setup) as lab:
        lab.start_all()
        view = finish(lab)
        assert [outcome.metric for _, outcome in view.finalised][-1] > reached * UNIT
        assert all(view.earned(trainer) > 0 for trainer in view.trainers)
        assert len(view.history.cycles) == ROUNDS, "no cycle failed"
        spec = view.context.spec
        assert (spec.version, spec.frozen) == (2, {})
        outcome = view.finalised[-1][1]
        model = Model.decode(lab.session.store.get(outcome.model, limit=spec.model_bytes, timeout=5.0))
        task: Any = load_task_of(spec, allowed=[str(task_file)])
        assert spec.metric == task.metric_name
        shares = [task.validation(seat, 3, files["validation"]) for seat in range(3)]
        found = sorted(task.metric(model.tensors, rows) for rows in shares)[1]
        assert abs(found * UNIT - outcome.metric) < 1e-3 * UNIT, "the median of the members' metrics"
        out = tmp_path / f"{name}.pt"
        words = f"model export {lab.posted.job} --format pt --out {out} --dir {lab.workspace.dir}"
        done = CliRunner().invoke(app, words.split())
        assert done.exit_code == 0 and "job 1, metric" in done.stdout, done.stderr
        plain = task.module()
        plain.load_state_dict(torch.load(out, weights_only=True))
        loaded = load_model(lab.posted.job, dir=lab.workspace.dir)
        with torch.no_grad():
            metrics = sorted(measured(plain.eval(), rows) for rows in shares)
            assert abs(metrics[1] * UNIT - outcome.metric) < 1e-3 * UNIT, "plain torch, as the job's table says"
            assert not loaded.training and measured(loaded, shares[0]) == measured(plain, shares[0])
        logs = [json.loads(line) for line in (lab.workspace.dir / "logs" / "trainer-1.jsonl").read_text().splitlines()]
        assert [line["device"] for line in logs if line["event"] == "task loaded"] == ["cpu"]
        assert len([line for line in logs if line["event"] == "trained"]) == ROUNDS
