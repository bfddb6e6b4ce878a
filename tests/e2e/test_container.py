"""A daemon as a container runs it: PID 1, a root that nobody can write to but for a volume, no terminal, SIGTERM."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import COLD, warm_command

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 10.0  # for what takes less than two
JOB_SECONDS = 180.0
INSIDE = 'set -e; mount --bind "$0" "$0"; mount -o remount,bind,ro /; cd "$0"; exec "$@"'
NAMESPACES = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc"]
PARTIES = {"validator-1": ["aggregator", "run"], "trainer-2": ["trainer", "run", "--source", "1"]}


def container(volume: Path, *command: str, **named: Any) -> subprocess.Popen[str]:
    """A command as PID 1 with `volume` alone to write to."""
    words = [*NAMESPACES, "sh", "-c", INSIDE, str(volume), *command]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nowhere", "LANG": "C.UTF-8"}
    return subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, text=True, **named)


def hansa(volume: Path, *words: str) -> list[str]:
    """A command outside the container."""
    return [*warm_command(), *words, "--dir", str(volume / "hansa")]


def cold(volume: Path, *words: str) -> list[str]:
    """One for the inside."""
    return [*COLD, *words, "--dir", str(volume / "hansa")]


def refusal(volume: Path) -> str | None:
    """Why this machine plays no container; None where it does."""
    if shutil.which("unshare") is None:
        return "there is no unshare"
    script = f'test $$ = 1 && ! touch /hansa-test 2>/dev/null && touch "{volume}/try"'
    with container(volume, "sh", "-c", script, stderr=subprocess.PIPE) as process:
        _, said = process.communicate(timeout=SECONDS)
    return None if process.returncode == 0 else f"unshare, or a root that is read-only, is refused: {said.strip()}"


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    if (why := refusal(tmp_path)) is not None:
        pytest.skip(why)
    subprocess.run(hansa(tmp_path, "up", "--background", "--trainers", "2", "--validators", "1"), cwd=ROOT, check=True)
    try:
        yield tmp_path
    finally:
        subprocess.run(hansa(tmp_path, "up", "--stop"), cwd=ROOT, check=False)


def terminate(outer: subprocess.Popen[str]) -> int:
    """SIGTERM to the container's PID 1, and what that ends with."""
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGTERM)
    try:
        return outer.wait(SECONDS)
    finally:
        outer.kill()


def wait_for(condition: Callable[[], object], *processes: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + JOB_SECONDS
    while not condition():
        assert all(process.poll() is None for process in processes)
        assert time.monotonic() < deadline
        time.sleep(0.1)


def events(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def submitted(log: Path) -> int:
    return sum(line["event"] == "sent" and "submit" in line["what"] for line in events(log))


def test_container__that_waits_for_a_chain__ends(volume: Path) -> None:
    subprocess.run(hansa(volume, "up", "--stop"), cwd=ROOT, check=True)
    words = cold(volume, "trainer", "run", "--job", "1", "--account", "trainer-1", "--source", "0")
    with container(volume, *words, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None and "waiting for it" in process.stderr.readline()
        assert terminate(process) == 0
        assert process.stderr.read() == "hansa: stopped by SIGTERM\n"


@pytest.mark.slow
def test_container__is_stopped_in_the_midst_of_a_job__and_goes_on_with_it(volume: Path) -> None:
    post = ["job", "post", "--task", "heart", "--account", "sponsor", "--trainers", "2", "--rounds", "4"]
    subprocess.run(
        hansa(volume, *post, "--validators", "validator-1", "--time", "slash=2s"), cwd=ROOT, check=True, timeout=60
    )
    log = volume / "trainer-1.log"
    mine = cold(volume, "trainer", "run", "--jobs", "all", "--account", "trainer-1", "--source", "0")
    mine += ["--log-file", str(log)]
    with contextlib.ExitStack() as stack:
        for name, words in PARTIES.items():
            command = hansa(volume, *words, "--job", "1", "--account", name, "--log-file", str(volume / f"{name}.log"))
            other = stack.enter_context(subprocess.Popen(command, cwd=ROOT))
            stack.callback(other.kill)
        first = stack.enter_context(container(volume, *mine))
        stack.callback(first.kill)
        wait_for(lambda: submitted(log), first)
        assert terminate(first) == 0
        before = events(log)
        assert before[-1]["event"] == "stopped by SIGTERM"

        again = stack.enter_context(container(volume, *mine))
        stack.callback(again.kill)
        wait_for(lambda: any(line["event"] == "job done" for line in events(log)), again)
        assert terminate(again) == 0
    shown = subprocess.run(hansa(volume, "job", "show", "1", "--json"), cwd=ROOT, capture_output=True, check=True)
    job = json.loads(shown.stdout)
    assert job["state"]["phase"] == "COMPLETED"
    assert job["books"]["bonded"] == "0"
    signed = [line["what"] for line in events(log) if line["event"] == "signed"]
    assert len([what for what in signed if "enrol" in what]) == 1
    assert submitted(log) <= 4
