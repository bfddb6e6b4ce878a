"""The peer of `round`: Flower's own deployment on this machine, a SuperLink and SuperNodes as processes of their own.

Its clients add a constant instead of training."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import FOLDER, offered
from benchmarks.processes import cpu_seconds, proportional_bytes, with_variable
from hansa.devnet.anvil import free_port

PATIENCE = 1800.0  # seconds
HOME = "FLWR_HOME"
PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "still"
version = "1.0.0"
license = "Apache-2.0"
dependencies = []

[tool.flwr.app]
publisher = "benchmark"

[tool.flwr.app.components]
serverapp = "still.apps:server"
clientapp = "still.apps:client"

[tool.flwr.app.config]
parameters = {parameters}
clients = {clients}
rounds = {rounds}
ends = "{ends}"
"""
APPS = """\
import time

import numpy as np
from flwr.app import ArrayRecord, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import ServerApp
from flwr.serverapp.strategy import FedAvg

client = ClientApp()
server = ServerApp()


@client.train()
def train(message, context):
    moved = [array + np.float32(1e-3) for array in message.content["arrays"].to_numpy_ndarrays()]
    content = {"arrays": ArrayRecord(moved), "metrics": MetricRecord({"num-examples": 1})}
    return Message(RecordDict(content), reply_to=message)


@server.main()
def main(grid, context):
    config = context.run_config
    clients, model = config["clients"], np.zeros(config["parameters"], np.float32)

    def evaluate(number, arrays):
        with open(config["ends"], "a") as file:
            file.write(f"{time.time()}\\n")
        return MetricRecord({"round": number})

    strategy = FedAvg(fraction_evaluate=0.0, min_train_nodes=clients, min_available_nodes=clients)
    strategy.start(grid, ArrayRecord([model]), num_rounds=config["rounds"], evaluate_fn=evaluate)
"""
CONNECTION = """\
[superlink]
default = "here"

[superlink.here]
address = "127.0.0.1:{port}"
insecure = true
"""


@dataclass
class Deployed:
    """rounds: seconds by the clock. cpu: seconds of all processes, by round. memory: bytes of all, most at once."""

    rounds: list[float]
    cpu: float
    memory: int


def is_installed() -> bool:
    return offered("flwr") is not None and (FOLDER / "bin" / "flower-superlink").is_file()


def deployed(folder: Path, clients: int, parameters: int, rounds: int) -> Deployed:
    """Plays FedAvg over so many clients, each a SuperNode.

    Flower starts each client's process anew in every round, which is a part of the round. RuntimeError: it fails."""
    app, home, ends = folder / "app", folder / "home", folder / "ends"
    (app / "still").mkdir(parents=True)
    home.mkdir()
    ends.touch()
    project = PROJECT.format(parameters=parameters, clients=clients, rounds=rounds, ends=ends)
    (app / "pyproject.toml").write_text(project)
    (app / "still" / "__init__.py").touch()
    (app / "still" / "apps.py").write_text(APPS)
    port, used = free_port(), _Used(home)
    (home / "config.toml").write_text(CONNECTION.format(port=port))

    def times() -> list[float]:
        return [float(line) for line in ends.read_text().split()]

    with _programs(folder, home) as (start, wait):
        start("flower-superlink", "--insecure", "--disable-runtime-dependency-installation", "--port", str(port))
        wait(lambda: _answers(port), "SuperLink does not answer")
        for _ in range(clients):
            node = ["--insecure", "--superlink", f"127.0.0.1:{port}", "--port", str(free_port())]
            start("flower-supernode", *node)
        start("flwr", "run", str(app))
        wait(lambda: len(times()) > 0, "ServerApp does not begin")
        before = used.look()
        wait(lambda: used.look() > 0 and len(times()) > rounds, "rounds do not end")
        spent = used.look() - before
    lengths = [later - sooner for sooner, later in zip(times(), times()[1:], strict=False)]
    return Deployed(lengths, spent / rounds, used.memory)


class _Used:
    """Of all processes that have `home` in their environment. memory: bytes, most at once."""

    def __init__(self, home: Path) -> None:
        self.memory = 0
        self._home = home
        self._seconds: dict[int, float] = {}

    def look(self) -> float:
        """CPU seconds until now, of those that are over as at the last look."""
        memory = 0
        for pid in with_variable(HOME, str(self._home)):
            with suppress(OSError, StopIteration):  # it is over
                self._seconds[pid] = cpu_seconds(pid)
                memory += proportional_bytes(pid)
        self.memory = max(self.memory, memory)
        return sum(self._seconds.values())


@contextmanager
def _programs(
    folder: Path, home: Path
) -> Iterator[tuple[Callable[..., None], Callable[[Callable[[], bool], str], None]]]:
    """Starts programs of Flower, and waits for something as long as none of them fails; at the end all are over, and
    what they started too. Their words go to *.log."""
    environment = {
        **os.environ,
        HOME: str(home),
        "PATH": f"{FOLDER / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(FOLDER),
        "FLWR_TELEMETRY_ENABLED": "0",
    }
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str, *arguments: str) -> None:
        with (folder / f"{len(started)}-{name}.log").open("wb") as log:
            command = [str(FOLDER / "bin" / name), *arguments]
            started.append(subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT))

    def wait(holds: Callable[[], bool], complaint: str) -> None:
        end = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > end or any(process.poll() for process in started):
                logs = "\n".join(log.read_text(errors="replace")[-1000:] for log in sorted(folder.glob("*.log")))
                raise RuntimeError(f"Flower's {complaint}:\n{logs}")
            time.sleep(0.2)

    try:
        yield start, wait
    finally:
        for process in started:
            process.terminate()
        for process in started:
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
        for pid in with_variable(HOME, str(home)):
            with suppress(OSError):
                os.kill(pid, 9)
        for process in started:
            process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
