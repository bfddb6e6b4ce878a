"""The peer of `round` and `control`: Flower on this machine, a SuperLink and SuperNodes as processes of their own, or
its simulation engine.

Its clients add a constant instead of training."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from benchmarks.peers import FOLDER, offered
from benchmarks.processes import cpu_seconds, with_variable
from hansa.devnet.anvil import free_port
from hansa.devnet.processes import proportional_memory

PATIENCE = 1800.0  # seconds
LOOK = 0.2  # seconds between two looks
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
SIMULATED = """\
options.num-supernodes = {clients}
options.backend.client-resources.num-cpus = 1
options.backend.client-resources.num-gpus = 0.0
"""


@dataclass
class Deployed:
    """rounds: seconds by the clock. cpu: seconds of all processes, by round. memory: bytes of all, most at once.
    The simulation engine's first round, in which Ray starts, is in none of the former two."""

    rounds: list[float]
    cpu: float
    memory: int


def is_installed() -> bool:
    return offered("flwr") is not None and (FOLDER / "bin" / "flower-superlink").is_file()


def has_simulation() -> bool:
    """Whether its simulation engine is there too, which is Ray's."""
    return is_installed() and offered("ray") is not None


def deployed(folder: Path, clients: int, parameters: int, rounds: int, *, simulated: bool = False) -> Deployed:
    """Plays FedAvg over so many clients, each a SuperNode, which starts its client's process anew in every round; or,
    on the simulation engine, on as many of Ray's processes as there are processors. RuntimeError: it fails."""
    app, home, ends = folder / "app", folder / "home", folder / "ends"
    (app / "still").mkdir(parents=True)
    home.mkdir()
    ends.touch()
    uncounted = int(simulated)
    project = PROJECT.format(parameters=parameters, clients=clients, rounds=uncounted + rounds, ends=ends)
    (app / "pyproject.toml").write_text(project)
    (app / "still" / "__init__.py").touch()
    (app / "still" / "apps.py").write_text(APPS)
    port = free_port()
    (home / "config.toml").write_text(CONNECTION.format(port=port) + (SIMULATED.format(clients=clients) * simulated))

    def times() -> list[float]:
        return [float(line) for line in ends.read_text().split()]

    with _Programs(folder, home) as programs:
        options = ["--simulation"] if simulated else []
        programs.start(
            "flower-superlink", "--insecure", "--disable-runtime-dependency-installation", "--port", str(port), *options
        )
        programs.wait(lambda: _answers(port), "SuperLink does not answer")
        for _ in range(0 if simulated else clients):
            node = ["--insecure", "--superlink", f"127.0.0.1:{port}", "--port", str(free_port())]
            programs.start("flower-supernode", *node)
        programs.start("flwr", "run", str(app))
        programs.wait(lambda: len(times()) > uncounted, "ServerApp does not begin")
        before = programs.look()
        programs.wait(lambda: len(times()) > uncounted + rounds, "rounds do not end")
        spent = programs.look() - before
    ends_at = times()[uncounted:]
    lengths = [later - sooner for sooner, later in zip(ends_at, ends_at[1:], strict=False)]
    return Deployed(lengths, spent / rounds, programs.memory)


class _Programs:
    """Programs of Flower, and what they start, known by `home` in their environment; all are over when it is left.
    Their words go to folder/*.log. memory: bytes of them all, the most that a look found."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.memory = 0
        self._folder, self._home = folder, str(home)
        self._started: list[subprocess.Popen[bytes]] = []
        self._seconds: dict[int, float] = {}

    def __enter__(self) -> Self:
        return self

    def start(self, name: str, *arguments: str) -> None:
        environment = {
            **os.environ,
            HOME: self._home,
            "PATH": f"{FOLDER / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(FOLDER),
            "FLWR_TELEMETRY_ENABLED": "0",
        }
        with (self._folder / f"{len(self._started)}-{name}.log").open("wb") as log:
            command = [str(FOLDER / "bin" / name), *arguments]
            self._started.append(subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT))

    def wait(self, holds: Callable[[], bool], complaint: str) -> None:
        """Until it holds, looking at memory meanwhile. RuntimeError where a program fails, or after PATIENCE."""
        end = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > end or any(process.poll() for process in self._started):
                logs = [log.read_text(errors="replace")[-1000:] for log in sorted(self._folder.glob("*.log"))]
                raise RuntimeError("\n".join([f"Flower's {complaint}:", *logs]))
            self.look()
            time.sleep(LOOK)

    def look(self) -> float:
        """CPU seconds until now; of those that are over, as at the last look."""
        memory = 0
        for pid in with_variable(HOME, self._home):
            with suppress(OSError):  # it is over
                self._seconds[pid] = cpu_seconds(pid)
            memory += proportional_memory(pid)
        self.memory = max(self.memory, memory)
        return sum(self._seconds.values())

    def __exit__(self, *_: object) -> None:
        for process in self._started:
            process.terminate()
        for process in self._started:
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
        for pid in with_variable(HOME, self._home):
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        for process in self._started:
            process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
