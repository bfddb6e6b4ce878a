from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import COLD, warm_command
from federations import Undisturbed, run_undisturbed

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 240


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """What four honest trainers and three honest validators come to with the seed that every test has."""
    return run_undisturbed(tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture(scope="session")
def kept_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Where a demo of three rounds left its chain running, for reading alone; and what it printed."""
    path = tmp_path_factory.mktemp("kept")
    command = [*COLD, "demo", "--rounds", "3", "--keep", "--dir", str(path)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        yield path, done.stdout
    finally:
        subprocess.run([*warm_command(), "up", "--stop", "--dir", str(path)], cwd=ROOT, timeout=SECONDS, check=False)
