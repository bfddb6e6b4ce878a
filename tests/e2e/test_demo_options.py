"""`hansa demo` with what it can show beside a plain job: as a command, to its last line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from commands import warm_command

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(("--gasless",), "No trainer has had any coin", marks=pytest.mark.slow),
        (("--consensus", "hybrid"), "validator-7"),
        (("--privacy", "masked"), "validator-4"),
    ],
    ids=["gasless", "hybrid", "masked"],
)
def test_demo__ends_with_all_accounted_for(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    command = [*warm_command(), "demo", "--rounds", "1", *options, "--dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout + done.stderr and "left  (exactly)" in done.stdout
