"""`hansa up --background`: the same command as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from hansa.cli.command import Command
from hansa.cli.up.view import next_lines
from hansa.devnet.anvil import end, last_line
from hansa.devnet.chain_file import ChainFile
from hansa.devnet.folder import Devnet
from hansa.devnet.furnish import next_commands
from hansa.protocol.errors import FatalError

START_SECONDS = 300.0  # on a machine that is busy; one that ends early is told at once
ACCOUNT_SECONDS = 5.0  # more, for each account


@dataclass(frozen=True)
class BackgroundView:
    url: str
    pid: int
    log: str
    next: list[str]  # commands, the first of which posts a job


def start_in_background(command: Command, made: Devnet, port: int | None) -> None:
    """Runs `hansa up` as a process of its own and waits until it is ready."""
    directory = command.workspace.dir
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / "up.log"
    words = [sys.executable, "-P", "-m", "hansa.cli.main", "up", "--dir", str(directory), "--json", *_words(made)]
    words += ["--port", str(port)] if port else []
    root = Path(__file__).resolve().parents[3]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))}
    with log.open("wb") as output:
        process = subprocess.Popen(
            words, stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
    try:
        running = _wait_for_chain(directory, process, log, START_SECONDS + ACCOUNT_SECONDS * len(made.names))
    except BaseException:  # a signal too: what was not waited for does not go on by itself
        end(process)
        raise
    known = Devnet.load(directory) or made
    suggested = next_commands(known.setup, known.pool, command.dir_option)
    text = [
        f"a chain runs at {running.url}; `hansa up --stop --dir {directory}` stops it and keeps what is on it",
        *next_lines(suggested, command.dir_option),
    ]
    view = BackgroundView(running.url, process.pid, str(log), suggested)
    command.answer(view, lambda console: console.print("\n".join(text)))


def _words(made: Devnet) -> list[str]:
    """The options that a folder was made with."""
    setup = made.setup
    words = ["--trainers", str(setup.trainers), "--validators", str(setup.validators)]
    words += ["--chain", setup.chain, "--store", setup.store]
    return [*words, "--consensus", setup.consensus, "--admission", setup.admission, *["--gasless"] * setup.gasless]


def _wait_for_chain(directory: Path, process: subprocess.Popen[bytes], log: Path, seconds: float) -> ChainFile:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise FatalError("`hansa up` ended early", cause=last_line(log))
        running = ChainFile.load(directory)
        if running is not None and running.owner == process.pid and running.alive:
            return running
        time.sleep(0.1)
    raise FatalError("`hansa up` did not come up", cause=last_line(log))
