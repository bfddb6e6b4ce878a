"""SIGTERM ends every command, wherever it is, and nothing is sent after it. The nodes here are slow, or say wait."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from local_chain import furnished, started
from proxies import Handler, Proxy, failing, proxy
from worlds import World

from hansa.devnet.anvil import free_port
from hansa.devnet.bootstrap import make_keystores
from hansa.runtime.store import open_store
from hansa.sponsor.post import prepare

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 10.0  # for what takes less than two
READY = 60.0  # for a command to get to the place in question
NAMES = ["sponsor", "alice", "bob", "carol", "dave"]

SLOW = """
import hashlib

import numpy as np

from hansa import Rows, TorchTask


class Slow(TorchTask):
    name = "slow"
    batch, learning_rate = 1, 0.1

    def __init__(self, settings, seed):
        pass

    def model(self):
        return {"w": np.zeros(1, np.float32)}

    def load(self, source):
        return Rows(np.ones((4, 1), np.float32), np.ones(4, np.float32))

    def validation(self, seat, seats):
        return self.load("")

    def loss(self, params, inputs, labels):
        return ((inputs @ params["w"] - labels) ** 2).mean()

    def train(self, *arguments, **named):
        open("training", "w").close()
        hashlib.pbkdf2_hmac("sha256", b"", b"", 2_000_000_000)

    def metric(self, params, data):
        open("measuring", "w").close()
        hashlib.pbkdf2_hmac("sha256", b"", b"", 2_000_000_000)
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Path]]:
    """A chain with a job that enrols, and a workspace with everybody's keys; its node is still to be named."""
    path = tmp_path_factory.mktemp("signals")
    with started(path) as running, furnished(running, path) as world:
        store, prepared = open_store(world.deployment.store), prepare("heart", seed=0)
        world.post(spec=store.put(prepared.spec.encode()), model=store.put(prepared.model.encode()))
        (path / "slow.py").write_text(SLOW)
        slow = prepare(f"{path / 'slow.py'}:Slow", seed=0)
        world.post(spec=store.put(slow.spec.encode()), model=store.put(slow.model.encode()))
        make_keystores(path / "keys", NAMES)
        yield world, path


@pytest.fixture
def slow(place: tuple[World, Path]) -> Iterator[tuple[Proxy, Path]]:
    """A node in front of the chain, and a workspace that names it alone."""
    world, path = place
    with proxy(world.anvil.url) as node:
        world.deployment.updated(rpc=[node.url], ws=None).save(path / "deployment.json")
        yield node, path


def start(path: Path, *words: str, **named: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "hansa.cli.main", *words, "--dir", str(path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HANSA_LOG": "info"}
    streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=path, env=environment, text=True, **{**streams, **named})


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + READY
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it never came there"
        time.sleep(0.02)


def end(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
    process.send_signal(number)
    try:
        output, errors = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    return process.returncode, output, errors


def sent(node: Proxy) -> int:
    return node.methods().count("eth_sendRawTransaction")


def last_event(errors: str) -> str:
    return str(json.loads(errors.splitlines()[-1])["event"])


TRAINER = ["trainer", "run", "--job", "1", "--account", "alice", "--source", "0"]
VALIDATOR = ["aggregator", "run", "--job", "1", "--account", "dave"]


@pytest.mark.parametrize("words", [TRAINER, VALIDATOR])
def test_daemon__that_waits_for_a_chain__ends(place: tuple[World, Path], words: list[str]) -> None:
    world, path = place
    world.deployment.updated(rpc=[f"http://127.0.0.1:{free_port()}"], ws=None).save(path / "deployment.json")
    process = start(path, *words)
    assert process.stderr is not None and "waiting for it" in process.stderr.readline()
    assert end(process) == (0, "", "hansa: stopped by SIGTERM\n")


@pytest.mark.parametrize(("words", "status"), [(VALIDATOR, 0), (["job", "list"], 143), (["job", "watch", "1"], 143)])
def test_command__whose_node_never_answers__ends(slow: tuple[Proxy, Path], words: list[str], status: int) -> None:
    node, path = slow

    def hang(handler: Handler, body: Any) -> bool:
        time.sleep(60)
        return True

    node.whole = hang
    process = start(path, *words)
    wait_for(lambda: node.asked, process)
    assert end(process) == (status, "", "hansa: stopped by SIGTERM\n")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_command__that_waits_a_rate_limit_out__ends(
    slow: tuple[Proxy, Path], number: signal.Signals, status: int
) -> None:
    node, path = slow
    node.answer = lambda request: failing(-32005, "slow down") if request["method"] == "eth_getLogs" else None
    process = start(path, "job", "show", "1")
    wait_for(lambda: node.methods().count("eth_getLogs") > 1, process)
    assert end(process, number) == (status, "", f"hansa: stopped by {number.name}\n")


def test_command__whose_transaction_is_not_mined__ends_and_sends_nothing_more(
    place: tuple[World, Path], slow: tuple[Proxy, Path]
) -> None:
    (world, path), (node, _) = place, slow
    world.rpc("evm_setIntervalMining", 0)
    world.rpc("evm_setAutomine", False)
    process = start(path, "job", "stop", "1", "--account", "sponsor")
    try:
        wait_for(lambda: sent(node), process)
        before = sent(node)
        status, _, errors = end(process)
        assert (status, errors.splitlines()[-1]) == (143, "hansa: stopped by SIGTERM")
        assert sent(node) == before
    finally:
        [pending] = world.rpc("eth_getBlockByNumber", "pending", False)["transactions"]
        world.rpc("anvil_dropTransaction", pending)
        world.rpc("evm_setAutomine", True)
        world.rpc("evm_setIntervalMining", 1)


def test_daemon__told_to_end_while_it_reads_logs__pays_nothing(slow: tuple[Proxy, Path]) -> None:
    """One that waited its node's limit out would enrol then, and pay the bond."""
    node, path = slow
    node.answer = lambda request: failing(-32005, "slow down") if request["method"] == "eth_getLogs" else None
    process = start(path, *TRAINER)
    wait_for(lambda: node.methods().count("eth_getLogs") > 1, process)
    status, _, errors = end(process)
    assert (status, sent(node), last_event(errors)) == (0, 0, "stopped by SIGTERM"), errors


def test_daemon__that_backs_off__ends_with_a_line_in_its_log(slow: tuple[Proxy, Path]) -> None:
    node, path = slow
    process = start(path, *VALIDATOR)
    errors: list[str] = []
    assert process.stderr is not None

    def moves_on(event: str) -> None:
        while not errors or f'"{event}"' not in errors[-1]:
            line = process.stderr.readline()  # type: ignore[union-attr]
            assert line, errors
            errors.append(line)

    moves_on("sent")
    node.answer = lambda request: failing(-32000, "no")
    moves_on("will try again")
    before = sent(node)
    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate(timeout=SECONDS)
    assert (process.returncode, last_event(rest), sent(node)) == (0, "stopped by SIGTERM", before)


@pytest.mark.parametrize(
    ("doing", "words"),
    [
        ("training", ["trainer", "run", "--account", "alice", "--source", "0"]),
        ("measuring", ["aggregator", "run", "--account", "dave"]),
    ],
)
def test_daemon__that_computes_where_no_signal_is_heard__ends(
    slow: tuple[Proxy, Path], doing: str, words: list[str]
) -> None:
    node, path = slow
    process = start(path, *words, "--job", "2", "--allow", "slow.py")
    wait_for((path / doing).exists, process)
    status, _, errors = end(process)
    assert (status, sent(node)) == (0, 0), errors
    assert "stopped by SIGTERM" in errors.splitlines()[-1]


def test_dashboard__ends(slow: tuple[Proxy, Path]) -> None:
    _, path = slow
    process = start(path, "dashboard", "--port", "0")
    assert process.stdout is not None
    if "The page is at" not in process.stdout.readline():
        pytest.skip("the page is not built")
    assert end(process)[::2] == (143, "hansa: stopped by SIGTERM\n")


def test_top__ends_and_gives_the_terminal_back(slow: tuple[Proxy, Path]) -> None:
    _, path = slow
    ours, its = pty.openpty()
    process = start(path, "top", "1", stdin=its, stdout=its)
    os.close(its)
    shown = b""
    while b"q ends" not in shown:
        shown += os.read(ours, 1 << 16)
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(OSError):  # Linux's way to say that nobody writes there any more
        while data := os.read(ours, 1 << 16):
            shown += data
    os.close(ours)
    _, errors = process.communicate(timeout=SECONDS)
    assert (process.returncode, errors) == (143, "hansa: stopped by SIGTERM\n")
    assert b"\x1b[?1049l" in shown, "the screen that was before"
