"""Trainers without coin, their relays and the validator as an operator runs them: each a command of its own."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_many_jobs import POST, ROOT, SECONDS, Folder

from hansa.devnet.anvil import free_port

TRAINERS = ("trainer-1", "trainer-2")
PATIENCE = 5 * SECONDS  # two rounds, two relays, and a machine that others use


class Commands(Folder):
    """Daemons that are told apart by name, not by their account's role."""

    def run(self, name: str, *words: str) -> None:
        command = self.command(*words, "--log-file", str(self.path / f"{name}.log"))
        self.daemons[name] = subprocess.Popen(command, cwd=ROOT, text=True)

    def lines(self, name: str, event: str) -> list[dict[str, Any]]:
        log = self.path / f"{name}.log"
        found = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [line for line in found if line["event"] == event]

    def until(self, reached: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not reached():
            assert time.monotonic() < deadline, what
            time.sleep(0.1)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Commands]:
    made = Commands(tmp_path)
    made.ask("up", "--background", "--trainers", "2", "--validators", "1", "--gasless")
    try:
        yield made
    finally:
        for daemon in made.daemons.values():
            daemon.kill()
            daemon.wait()
        subprocess.run(made.command("up", "--stop"), cwd=ROOT, check=False)


@pytest.mark.slow
def test_trainers_without_coin__are_paid__though_the_relay_they_asked_first_is_killed(folder: Commands) -> None:
    folder.ask(*POST, "--rounds", "2")
    first, second = (f"127.0.0.1:{free_port()}" for _ in range(2))
    folder.run("relay", "relay", "run", "--job", "1", "--account", "sponsor", "--listen", first)
    folder.run("validator", "aggregator", "run", "--job", "1", "--account", "validator-1", "--relay", second)
    folder.until(lambda: all(folder.lines(name, "relay") for name in ("relay", "validator")), "the relays")
    for place, name in enumerate(TRAINERS):
        words = ["trainer", "run", "--job", "1", "--account", name, "--source", str(place), "--gasless"]
        folder.run(name, *words, "--relay", f"http://{first}", "--relay", f"http://{second}")

    def handed(name: str) -> list[dict[str, Any]]:
        return folder.lines(name, "given to a relay")

    folder.until(lambda: any("submit" in line["what"] for name in TRAINERS for line in handed(name)), "an update")
    folder.daemons["relay"].kill()  # in SUBMIT of round 1, or right after it
    folder.daemons["relay"].wait()
    for name in (*TRAINERS, "validator"):
        assert folder.daemons[name].wait(PATIENCE) == 0, name

    assert {line["relay"] for name in TRAINERS for line in handed(name)} == {f"http://{first}", f"http://{second}"}
    shown = folder.ask("job", "show", "1")
    assert shown["state"]["phase"] == "COMPLETED" and shown["state"]["round"] == 3
    assert shown["books"]["bonded"] == "0" and all(int(row["earned"]) > 0 for row in shown["trainers"])
    for name in TRAINERS:
        wallet = folder.ask("wallet", "show", name)
        assert wallet["coins"] == "0" and int(wallet["balance"]) > 10_000 * 10**18
