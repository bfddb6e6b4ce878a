"""Benchmarks run, small; what they measure is never asserted, what the simulator must keep to is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SIMULATED = """
from benchmarks import payrules, riders, worlds
from benchmarks.simulate import Job, Player, play
from protocol.types import Code

world = worlds.heart(1)
honest = [Player(f"trainer {i}", rows) for i, rows in enumerate(world.rows)]
last = [Player("zero", None, riders.zero), Player("copier", None, riders.copier)]
job = Job(world, (*honest, *last), rounds=3, steps=5, seed=1)
first, again = play(job), play(job)
assert first.models[-1].encode() == again.models[-1].encode(), "same job, same model"
assert first.totals() == payrules.totals(first, "shipped"), "the shipped rule is the ledger's"
assert set(first.verdicts("zero")) == {Code.ZERO} and set(first.verdicts("copier")) == {Code.DUPLICATE}
assert first.totals()["zero"] == first.totals()["copier"] == 0
assert sum(first.totals().values()) <= len(first.rounds) * 10**18
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """From the root of the project: another package of this name may be installed."""
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_simulator__same_job_same_model_and_the_ledgers_pay() -> None:
    done = run("-c", SIMULATED)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["quantisation", "attacks", "pay"])
def test_benchmark__quick_on_heart__shows_and_writes(name: str, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    small = ["--quick", "--tasks", "heart", "--seeds", "1", "--no-plot"]
    small += ["--rules", "validated_mean"] if name == "attacks" else []
    done = run("-m", "benchmarks", name, *small, "--json", str(file))
    assert done.returncode == 0, done.stderr
    report = json.loads(file.read_text())
    assert (report["benchmark"], report["quick"]) == (name, True)
    assert all(len(row) == len(section["columns"]) for section in report["sections"] for row in section["rows"])
    assert report["sections"][0]["title"][:20] in done.stdout


def test_benchmark__unknown_name__is_refused() -> None:
    done = run("-m", "benchmarks", "everything")
    assert done.returncode == 2 and "everything" in done.stderr
