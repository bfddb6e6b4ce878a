"""Modules as people write them, federated by task files of 25 lines: rehearsed, trained, measured, screened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from strangers_rows import STRANGERS, write_rows

from aggregator.measure import measure
from hansa.protocol import geometry
from hansa.protocol.model import Model, initial_model, quantise
from hansa.tasks import load_task, task_digest
from hansa.tasks.rehearsal import check, federate, table

CLASSES = {"quarters": "Quarters", "majority": "Majority", "letters": "Letters"}
REACHED = {"quarters": 0.9, "majority": -0.3, "letters": -2.0}
"""Of the metric, after three rounds of 25 steps; model 0 has about 0.25, -0.69 and -20."""


def stranger(name: str) -> Any:
    file = STRANGERS / f"{name}.py"
    return load_task(f"{name}.py:{CLASSES[name]}", {}, 1, task_digest=task_digest(file), allowed=[str(file)])


@pytest.mark.parametrize("name", CLASSES)
def test_file__is_short(name: str) -> None:
    lines = (STRANGERS / f"{name}.py").read_text().splitlines()
    assert len([line for line in lines if line.strip()]) <= 25


@pytest.mark.parametrize("name", CLASSES)
def test_file__keeps_the_rules_and_learns(name: str, tmp_path: Path) -> None:
    task, files = stranger(name), write_rows(name, tmp_path)
    assert len(list(check(task, files["a"], 3, files["validation"]))) == 5
    params = federate(task, [files["a"], files["b"]], rounds=3, steps=25)
    assert (
        table(task, params, 75, 3, validation=files["validation"])["federated, on the validation rows"] > REACHED[name]
    )


@pytest.mark.parametrize("name", CLASSES)
def test_training__same_seed_same_bits(name: str, tmp_path: Path) -> None:
    task, files = stranger(name), write_rows(name, tmp_path)
    start, rows = task.model(), task.load(files["a"])

    def bits(seed: int, at: Any = task) -> bytes:
        torch.manual_seed(np.random.randint(1000))
        trained = at.train(start, rows, steps=10, loss_threshold=None, seed=seed)
        return b"".join(trained.params[key].tobytes() for key in sorted(trained.params))

    assert bits(1) == bits(1) == bits(1, stranger(name)) != bits(2)


@pytest.mark.parametrize("name", CLASSES)
def test_updates__of_two_parties__are_neither_malformed_nor_duplicates_and_help(name: str, tmp_path: Path) -> None:
    task, files = stranger(name), write_rows(name, tmp_path)
    model = Model.decode(initial_model(task.model(), 8).encode())
    updates = []
    for seed, source in enumerate("ab"):
        trained = task.train(model.tensors, task.load(files[source]), steps=10, loss_threshold=None, seed=seed)
        updates.append(quantise({key: trained.params[key] - model.tensors[key] for key in model.names}, model))
    assert not geometry.duplicates(updates, model.k, [0, 1])
    found = measure(task, task.validation(0, 3, files["validation"]), model, [], updates, [1, 1])
    assert all(worth.finite and worth.gain > 0 for worth in found)


def test_rehearsal__of_a_file__says_where_it_computes_and_how_alike_updates_are(tmp_path: Path) -> None:
    files = write_rows("quarters", tmp_path)
    command = [sys.executable, "-m", "hansa.tasks", str(STRANGERS / "quarters.py"), "--rounds", "2", "--steps", "10"]
    command += ["--data", files["a"], "--data", files["b"], "--validation", files["validation"], "--device", "cpu"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "  device: cpu\n  model: 20 tensors, 1,476 numbers\n" in done.stdout
    assert f"updates: {files['a']} and {files['b']} are the likest, cosine 0." in done.stdout
