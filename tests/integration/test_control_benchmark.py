"""`python -m benchmarks control`, small: real daemons on a real chain, every figure there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_control__two_trainers_and_a_validator__are_measured(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    size = ["--trainers", "2", "--validators", "1", "--rounds", "2"]
    command = [sys.executable, "-m", "benchmarks", "control", "--no-plot", *size, "--json", str(file)]
    without_peer = {**os.environ, "HANSA_BENCH": str(tmp_path / "empty")}
    done = subprocess.run(command, cwd=ROOT, env=without_peer, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    sections = json.loads(file.read_text())["sections"]
    times, costs, memory, beside = sections
    ((name, work, most, *between, blocks),) = times["rows"]
    assert name == "2 + 1" and 0 < work <= most and all(seconds >= 0 for seconds in between)
    assert len(blocks.split()) == 5
    assert [row[0] for row in costs["rows"]] == ["2 + 1: trainer", "2 + 1: validator"]
    assert all(figure > 0 for row in costs["rows"] for figure in row[1:6])
    assert all(size > 1 for row in memory["rows"] for size in row[2:])
    assert len(beside["rows"]) == 1 and any("Not all of Flower is installed" in note for note in beside["notes"])
    assert all(len(row) == len(section["columns"]) for section in sections for row in section["rows"])
