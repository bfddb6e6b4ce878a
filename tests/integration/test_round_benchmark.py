"""`python -m benchmarks round`, small: real daemons on a real chain, every figure there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_round__two_trainers_and_a_validator__are_timed_by_step(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    size = ["--trainers", "2", "--parameters", "2000", "--validators", "1", "--rounds", "1"]
    command = [sys.executable, "-m", "benchmarks", "round", "--no-plot", *size, "--json", str(file)]
    without_peer = {**os.environ, "HANSA_BENCH": str(tmp_path / "empty")}
    done = subprocess.run(command, cwd=ROOT, env=without_peer, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    sections = json.loads(file.read_text())["sections"]
    parties, steps, phases, beside = sections
    assert [row[0] for row in parties["rows"]] == ["2 trainers", "1 validators"]
    named = {row[0]: row[1:] for row in steps["rows"]}
    assert named["train"][0] > 0 and named["measure"][2] > 0
    assert [row[0] for row in phases["rows"]][0] == "round 1"
    assert [len(beside["rows"]), beside["rows"][0][1]] == [1, phases["rows"][0][1]]
    assert any("Flower is not installed" in note for note in beside["notes"])
    assert all(len(row) == len(section["columns"]) for section in sections for row in section["rows"])
