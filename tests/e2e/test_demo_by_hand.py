"""Every part run by hand, as separate commands, with a task file that is nowhere near the project."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import warm_command

ROOT = Path(__file__).resolve().parents[2]
TASK = '''
"""Which side of a line is a point on?"""

import numpy as np

from hansa.tasks.learning import TorchTask
from hansa.tasks.rows import Rows


class Line(TorchTask):
    name = "line"
    batch = 8
    learning_rate = 0.1

    def __init__(self, settings, seed):
        self.seed = seed

    def model(self):
        return {"w": np.zeros(3, np.float32)}

    def load(self, source):
        return self._rows(int(source))

    def validation(self, seat, seats):
        return self._rows(1000 + seat)

    def loss(self, params, inputs, labels):
        from torch.nn.functional import binary_cross_entropy_with_logits

        return binary_cross_entropy_with_logits(inputs @ params["w"], labels)

    def metric(self, params, data):
        return float(np.mean((data.inputs @ params["w"] > 0) == (data.labels > 0.5)))

    def _rows(self, number):
        inputs = np.random.default_rng([self.seed, number]).normal(size=(60, 3)).astype(np.float32)
        return Rows(inputs, (inputs.sum(1) > 0).astype(np.float32))
'''
WITHOUT_GRADIENTS = '''
"""Which side of a line is a point on? Learnt by a perceptron: nothing here has a gradient."""

import numpy as np

from hansa import Trained
from hansa.tasks.rows import Rows, generator


class Line:
    name = "line"

    def __init__(self, settings, seed):
        self.seed = seed

    def model(self):
        return {"w": np.zeros(12, np.float32)}

    def load(self, source):
        inputs = np.random.default_rng([self.seed, int(source)]).normal(size=(60, 12)).astype(np.float32)
        return Rows(inputs, np.sign(inputs.sum(1)))

    def validation(self, seat, seats):
        return self.load(1000 + seat)

    def train(self, params, data, *, steps, loss_threshold, seed):
        w = params["w"].copy()
        for i in generator(seed).randint(len(data), size=steps):
            if data.labels[i] * (data.inputs[i] @ w) <= 0:
                w += np.float32(0.1) * data.labels[i] * data.inputs[i]
        return Trained({"w": w}, steps, -self.metric({"w": w}, data))

    def metric(self, params, data):
        return -float(np.mean(np.logaddexp(0, -data.labels * (data.inputs @ params["w"]))))
'''
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


class Terminal:
    """One user's shell: commands in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.running: list[subprocess.Popen[str]] = []

    def command(self, *words: str) -> list[str]:
        return [*warm_command(), *words, "--dir", str(self.directory / "hansa")]

    def run(self, *words: str) -> dict[str, Any]:
        done = self.attempt(*words, "--json")
        assert done.returncode == 0, done.stderr
        shown: dict[str, Any] = json.loads(done.stdout)
        return shown

    def attempt(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words), cwd=self.directory, env=ENVIRONMENT, capture_output=True, text=True, timeout=120
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            self.command(*words),
            cwd=self.directory,
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        return process


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    with opened(tmp_path) as shell:
        yield shell


@pytest.fixture(scope="module")
def terminal_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """For commands that change nothing."""
    with opened(tmp_path_factory.mktemp("once")) as shell:
        yield shell


@contextlib.contextmanager
def opened(directory: Path) -> Iterator[Terminal]:
    (directory / "line.py").write_text(TASK)
    shell = Terminal(directory)
    shell.run("up", "--background", "--trainers", "2", "--validators", "1")
    try:
        yield shell
    finally:
        for process in shell.running:
            process.kill()
            process.wait()
        with contextlib.suppress(subprocess.TimeoutExpired):
            shell.attempt("up", "--stop")


def post(shell: Terminal, *words: str) -> dict[str, Any]:
    times = [word for phase in ("slash=2s", "enrol=1m") for word in ("--time", phase)]
    return shell.run(
        "job", "post", "--task", "line.py", "--account", "sponsor", "--validators", "validator-1", "--trainers", "2",
        "--rounds", "2", "--steps", "30", *times, *words,
    )  # fmt: skip


def run_job(terminal: Terminal) -> None:
    """One validator and two trainers run a job of line.py to its end."""
    assert post(terminal)["task"] == "line.py:Line"
    allowed = ("--task-file", "line.py", "--allow", "line.py")
    daemons = [terminal.start("aggregator", "run", "--job", "1", "--account", "validator-1", *allowed)]
    for _ in range(60):  # updates are sealed to keys that are there when a cycle opens
        if terminal.run("aggregator", "status", "--job", "1", "--account", "validator-1")["key"]:
            break
    daemons += [
        terminal.start("trainer", "run", "--job", "1", "--account", "trainer-1", "--source", "1", *allowed),
        terminal.start("trainer", "run", "--job", "1", "--account", "trainer-2", "--source", "2", *allowed),
    ]
    for daemon in daemons:
        assert daemon.wait(120) == 0, daemon.stderr.read() if daemon.stderr else ""


def test_job__with_a_task_file__and_daemons_in_terminals_of_their_own(terminal: Terminal) -> None:
    run_job(terminal)
    job = terminal.run("job", "show", "1")
    assert job["state"]["phase"] == "COMPLETED"
    assert job["cycles"][-1]["metric"] > 0.8
    earned = {row["address"]: int(row["earned"]) for row in job["trainers"]}
    for name in ("trainer-1", "trainer-2"):
        wallet = terminal.run("wallet", "show", name)
        assert int(wallet["balance"]) == 10_000 * 10**18 + earned[wallet["address"]], "claimed, and the bond is back"
    fees = terminal.run("wallet", "history", "validator-1")["movements"]
    assert [row["amount"] for row in fees] == [str(2 * 5 * 10**18)]
    assert terminal.run("wallet", "claim", "--account", "sponsor")["jobs"][0]["rest"] == "0"


def test_job__of_a_task_without_gradients__is_measured_by_its_metric(terminal: Terminal) -> None:
    (terminal.directory / "line.py").write_text(WITHOUT_GRADIENTS)
    run_job(terminal)
    job = terminal.run("job", "show", "1")
    assert job["state"]["phase"] == "COMPLETED"
    assert job["cycles"][-1]["metric"] > -0.65, "model 0 has -ln 2 = -0.69"
    for name in ("trainer-1", "trainer-2"):
        first = terminal.run("wallet", "why", name)["rounds"][0]
        assert first["verdict"] == "ok" and first["median_gain"] > 0 and int(first["pay"]) > 0
        assert first["median_news"] == first["median_gain"], "no model came before"
    assert terminal.run("audit", "1", "--account", "validator-1")["checked"]["models made again, bit for bit"] == 2


def test_trainer__without_the_sponsors_file__is_told_how_to_get_it(terminal: Terminal) -> None:
    post(terminal)
    refused = terminal.attempt("trainer", "run", "--job", "1", "--account", "trainer-1", "--source", "1")
    assert refused.returncode == 1
    assert refused.stderr.strip().splitlines()[-1].startswith("hansa: task file line.py (SHA-256 ")
    assert "Traceback" not in refused.stderr

    (terminal.directory / "line.py").write_text(TASK + "\n# changed\n")
    words = ("--source", "1", "--task-file", "line.py", "--allow", "line.py")
    refused = terminal.attempt("trainer", "run", "--job", "1", "--account", "trainer-1", *words)
    assert refused.returncode == 1
    assert "differs from the job's" in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--validators", "nobody"), "no keystore is called nobody"),
        (("--validators", "validator-1,validator-1"), "named twice"),
        (("--reward", "a lot"), "is not a number"),
        (("--reward", "10000000000"), "can't pay an escrow of"),
        (("--time", "submit=31d"), "SUBMIT would take 2678400 s"),
        (("--quorum", "2"), "--quorum 2 is out of range"),
        (("--token", "0x" + "12" * 20), "is not an ERC-20 token"),
        (("--task", "nothing.py"), "can't be read"),
        (("--account", "trainer-9"), "no keystore is called trainer-9"),
        (("--set", "speed=3", "--task", "heart"), "no setting speed"),
    ],
)  # fmt: skip
def test_post__of_what_cannot_be__is_one_sentence(terminal_once: Terminal, words: tuple[str, ...], said: str) -> None:
    base = ["job", "post", "--task", "heart", "--account", "sponsor", "--validators", "validator-1"]
    refused = terminal_once.attempt(*base, *words)
    assert refused.returncode == 1, refused.stdout
    assert said in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_stop__ends_a_job_that_waits_for_trainers(terminal: Terminal) -> None:
    post(terminal)
    before = int(terminal.run("wallet", "show", "sponsor")["balance"])
    assert terminal.run("job", "stop", "1", "--account", "sponsor")["phase"] == "CANCELLED"
    assert terminal.run("wallet", "claim", "--account", "sponsor")["jobs"][0]["rest"] == str(2 * 105 * 10**18)
    assert int(terminal.run("wallet", "show", "sponsor")["balance"]) == before + 2 * 105 * 10**18
    again = terminal.attempt("job", "stop", "1", "--account", "sponsor")
    assert again.returncode == 1
    late = terminal.attempt("trainer", "run", "--job", "1", "--account", "trainer-1", "--source", "1")
    assert late.returncode == 1


def test_up__in_the_foreground__ends_with_ctrl_c(tmp_path: Path) -> None:
    shell = Terminal(tmp_path)
    process = shell.start("up", "--trainers", "1", "--validators", "1")
    try:
        for _ in range(900):
            if (tmp_path / "hansa" / "chain.json").exists():
                break
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        assert shell.run("job", "list") == {"jobs": []}
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert not (tmp_path / "hansa" / "chain.json").exists()
        gone = shell.attempt("job", "list")
        assert gone.returncode == 1
        assert "does not answer" in gone.stderr
    finally:
        process.kill()
        process.wait()
