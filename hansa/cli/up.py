"""`hansa up`: a chain and a store of your own, with the contracts on it and accounts to play every part."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hansa.cli.command import Command
from hansa.cli.deploy import show as show_deployment
from hansa.devnet.anvil import Anvil, last_line, published_key, start_anvil
from hansa.devnet.bootstrap import account_names, bootstrap
from hansa.devnet.chain_file import ChainFile, forget_stale
from hansa.protocol.errors import FatalError, check_range
from hansa.protocol.tables import LIMITS
from hansa.protocol.types import Address
from hansa.runtime.accounts import address_of
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.workspace import Workspace

BACKGROUND_SECONDS = 60.0


@dataclass(frozen=True)
class TestAccount:
    name: str
    address: Address
    private_key: str  # published


@dataclass(frozen=True)
class ChainView:
    url: str
    deployment: Deployment
    accounts: list[TestAccount]


@dataclass(frozen=True)
class BackgroundView:
    url: str
    pid: int
    log: str


def run(
    command: Command,
    port: Annotated[int | None, typer.Option("--port", help="Where the chain listens; a free port by default.")] = None,
    trainers: Annotated[int, typer.Option("--trainers", help="Accounts called trainer-1 and so on.")] = 4,
    validators: Annotated[int, typer.Option("--validators", help="Accounts called validator-1 and so on.")] = 3,
    background: Annotated[bool, typer.Option("--background", help="Return as soon as it runs.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Stop the chain that runs in the background.")] = False,
) -> None:
    """Start a local chain and store, deploy the contracts, print the accounts. Ctrl-C stops it."""
    if stop:
        stop_chain(command)
        return
    check_range("--trainers", trainers, 0, 200)
    check_range("--validators", validators, 0, LIMITS.seats)
    workspace = command.workspace
    forget_stale(workspace.dir)
    if background:
        _start_in_background(command, port, trainers, validators)
        return
    workspace.dir.mkdir(parents=True, exist_ok=True)
    names = account_names(trainers, validators)
    anvil = start_anvil(workspace.dir / "anvil.log", accounts=len(names), port=port)
    try:
        deployment = bootstrap(workspace, anvil, names, name="local")
        ChainFile.of(anvil).save(workspace.dir)
        _tell(command, deployment, names)
        _wait(anvil)
    finally:
        anvil.stop()
        ChainFile.remove(workspace.dir)


def stop_chain(command: Command) -> None:
    """Stops what `up --background` or `demo --keep` left running."""
    directory = command.workspace.dir
    running = ChainFile.load(directory)
    if running is None or not running.alive:
        ChainFile.remove(directory)
        raise FatalError(f"no chain of {directory} is running")
    running.stop()
    ChainFile.remove(directory)
    command.say(f"stopped the chain at {running.url}")


def _tell(command: Command, deployment: Deployment, names: list[str]) -> None:
    accounts = [
        TestAccount(name, address_of(command.workspace, name), "0x" + published_key(index).hex())
        for index, name in enumerate(names)
    ]
    view = ChainView(deployment.rpc[0], deployment, accounts)
    command.answer(view, lambda console: show(console, view, command.workspace, command.dir_option))


def show(console: Console, view: ChainView, workspace: Workspace, where: str) -> None:
    """The chain, its accounts, and what to do next. where: --dir as a suggested command needs it."""
    show_deployment(console, view.deployment, workspace.deployment_file)
    console.print(f"  chain       {view.url}\n  store       {' '.join(view.deployment.store.values())}\n")
    console.print("test accounts: address and private key (published: never use it elsewhere)")
    for account in view.accounts:
        console.print(f"  {account.name:12} {account.address}\n    {account.private_key}")
    members = ",".join(account.name for account in view.accounts if account.name.startswith("validator"))
    console.print(
        f"\nnext, in another terminal: hansa job post --task heart --account sponsor --validators {members}{where}\n"
        f"and to look at it in the browser: hansa dashboard{where}"
    )
    console.print("Ctrl-C stops the chain; what is on it is gone then.")


def _wait(anvil: Anvil) -> None:
    """Until Ctrl-C, SIGTERM, or the end of the chain."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: ended.set())
    sys.stdout.flush()
    try:
        while not ended.wait(0.5):
            if anvil.process is not None and anvil.process.poll() is not None:
                raise FatalError("anvil ended by itself", next_step="look into anvil.log")
    except KeyboardInterrupt:
        return


def _start_in_background(command: Command, port: int | None, trainers: int, validators: int) -> None:
    """Runs `hansa up` as a process of its own and waits until it is ready."""
    directory = command.workspace.dir
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / "up.log"
    words = [sys.executable, "-P", "-m", "hansa.cli.main", "up", "--dir", str(directory), "--json"]
    words += ["--trainers", str(trainers), "--validators", str(validators)] + (["--port", str(port)] if port else [])
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))}
    with log.open("wb") as output:
        process = subprocess.Popen(
            words, stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
    running = _wait_for_chain(directory, process, log)
    text = f"a chain runs at {running.url}; `hansa up --stop --dir {directory}` stops it"
    command.answer(BackgroundView(running.url, process.pid, str(log)), lambda console: console.print(text))


def _wait_for_chain(directory: Path, process: subprocess.Popen[bytes], log: Path) -> ChainFile:
    deadline = time.monotonic() + BACKGROUND_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise FatalError("`hansa up` ended early", cause=last_line(log))
        if (running := ChainFile.load(directory)) is not None and running.alive:
            return running
        time.sleep(0.1)
    process.terminate()
    raise FatalError("`hansa up` did not come up", cause=last_line(log))
