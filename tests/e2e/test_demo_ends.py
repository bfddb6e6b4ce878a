"""However a demo ends, nothing of it goes on running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")


def processes(mark: str) -> Iterator[tuple[int, str]]:
    """The running processes that carry `mark` in their environment, with their command lines."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark.encode() in (entry / "environ").read_bytes():
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    yield int(entry.name), line
            except OSError:
                continue


def wait_until_gone(mark: str, seconds: float) -> list[tuple[int, str]]:
    deadline = time.monotonic() + seconds
    while (left := list(processes(mark))) and time.monotonic() < deadline:
        time.sleep(0.2)
    return left


@contextmanager
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A demo whose daemons have started, and the mark of its processes."""
    mark = f"HANSA_TEST_MARK={uuid.uuid4()}"
    name, value = mark.split("=")
    process = subprocess.Popen(
        [sys.executable, "-m", "hansa.cli.main", "demo", "--rounds", "200", "--dir", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, name: value},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 180
        while not (tmp_path / "logs" / "trainer-4.jsonl").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1.0)
        assert len(list(processes(mark))) >= 8, "chain, warm parent and seven daemons run"
        yield process, mark
    finally:
        process.kill()


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow), signal.SIGKILL]
)
def test_demo__ended_by_a_signal__leaves_no_process(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path) as (process, mark):
        process.send_signal(number)
        _, said = process.communicate(timeout=60)

    if number != signal.SIGKILL:
        assert process.returncode == 128 + number
        assert said == f"hansa: stopped by {number.name}\n"
    assert wait_until_gone(mark, 60.0) == []


def test_demo__whose_chain_dies__says_so_and_ends(tmp_path: Path) -> None:
    with running(tmp_path) as (process, mark):
        chain = next(pid for pid, line in processes(mark) if "anvil" in line.partition(" ")[0])
        os.kill(chain, signal.SIGKILL)
        _, said = process.communicate(timeout=60)

    assert process.returncode == 1
    assert said.startswith("hansa: the chain ended with code -9"), said
    assert f"look into {tmp_path / 'anvil.log'}" in said and len(said.splitlines()) == 1
    assert wait_until_gone(mark, 60.0) == []
