"""`python -m benchmarks blocks`, small: figures that no load of the machine changes, so they are asserted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_blocks__of_a_round__are_ten_where_a_phase_takes_two__and_six_where_it_takes_one(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    size = ["--trainers", "2", "--validators", "3", "--rounds", "1"]
    command = [sys.executable, "-m", "benchmarks", "blocks", "--no-plot", *size, "--json", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (section,) = json.loads(file.read_text())["sections"]
    assert [row[:2] for row in section["rows"]] == [
        ["every step meets the next block", 6],
        ["a phase takes two blocks", 10],
    ]
    by_phase = dict(zip(section["columns"][3:], section["rows"][1][3:], strict=True))
    assert by_phase["VOTE"] == 2 and by_phase["FINALIZE"] == 0, "the last vote finalises"
