"""One daemon for every job of a deployment, as an operator runs it: two jobs at once, then a third one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import warm_command

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120.0  # for a job of one round
PARTIES = {"validator-1": [], "trainer-1": ["--source", "0"], "trainer-2": ["--source", "1"]}
POST = ["job", "post", "--task", "heart", "--account", "sponsor", "--trainers", "2", "--rounds", "1"]
POST += ["--validators", "validator-1", "--time", "slash=2s"]


class Folder:
    """A chain of one's own, and commands in its directory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.daemons: dict[str, subprocess.Popen[str]] = {}

    def command(self, *words: str) -> list[str]:
        return [*warm_command(), *words, "--dir", str(self.path / "hansa")]

    def ask(self, *words: str) -> Any:
        done = subprocess.run(self.command(*words, "--json"), cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def serve(self, name: str, *words: str) -> None:
        role = "trainer" if name.startswith("trainer") else "aggregator"
        command = self.command(role, "run", "--account", name, *words, "--log-file", str(self.path / f"{name}.log"))
        self.daemons[name] = subprocess.Popen(command, cwd=ROOT, text=True, env={**os.environ, "HANSA_LOG": "info"})

    def logged(self, name: str, event: str) -> list[Any]:
        lines = [json.loads(line) for line in (self.path / f"{name}.log").read_text().splitlines()]
        return [line["job"] for line in lines if line["event"] == event]

    def wait_until_done(self, *jobs: int) -> None:
        """Until every party has done with these jobs."""
        deadline = time.monotonic() + SECONDS
        while any(set(jobs) - set(self.logged(name, "job done")) for name in self.daemons):
            assert all(daemon.poll() is None for daemon in self.daemons.values())
            assert time.monotonic() < deadline, {name: self.logged(name, "job done") for name in self.daemons}
            time.sleep(0.2)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    made = Folder(tmp_path)
    made.ask("up", "--background", "--trainers", "2", "--validators", "1")
    try:
        yield made
    finally:
        for daemon in made.daemons.values():
            daemon.kill()
            daemon.wait()
        subprocess.run(made.command("up", "--stop"), cwd=ROOT, check=False)


def test_three_jobs__are_served_by_one_daemon_of_each_party(folder: Folder) -> None:
    for name, words in PARTIES.items():
        folder.serve(name, "--jobs", "all", *words)
    folder.ask(*POST)
    folder.ask(*POST, "--seed", "1")
    folder.wait_until_done(1, 2)
    folder.ask(*POST, "--seed", "2")
    folder.wait_until_done(3)
    for name, daemon in folder.daemons.items():
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(10) == 0
        assert json.loads((folder.path / f"{name}.log").read_text().splitlines()[-1])["event"] == "stopped by SIGTERM"
    for job in (1, 2, 3):
        shown = folder.ask("job", "show", str(job))
        assert shown["state"]["phase"] == "COMPLETED"
        assert shown["books"]["bonded"] == "0"
        assert sum(int(row["earned"]) for row in shown["trainers"]) > 0


def test_named_jobs__are_served_until_they_have_ended(folder: Folder) -> None:
    for seed in ("0", "1"):
        folder.ask(*POST, "--seed", seed)
    for name, words in PARTIES.items():
        folder.serve(name, "--jobs", "1,2", *words, *(["--max-jobs", "2"] if words else []))
    for daemon in folder.daemons.values():
        assert daemon.wait(SECONDS) == 0
    assert [folder.ask("job", "show", job)["state"]["phase"] for job in ("1", "2")] == ["COMPLETED"] * 2
