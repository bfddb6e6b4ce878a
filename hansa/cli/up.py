"""`hansa up`: a chain and a store of your own, with the contracts on it and accounts to play every part."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hansa.cli.command import Here
from hansa.devnet.anvil import Anvil, published_key, start_anvil
from hansa.devnet.chain_file import ChainFile, forget_stale
from hansa.protocol.errors import FatalError, check_range
from hansa.protocol.tables import LIMITS

if TYPE_CHECKING:
    from rich.console import Console

    from hansa.runtime.chain.deployment import Deployment

TOKENS_EACH = 10_000 * 10**18
BACKGROUND_SECONDS = 60.0


def up(
    here: Here,
    port: Annotated[int | None, typer.Option("--port", help="Where the chain listens; a free port by default.")] = None,
    trainers: Annotated[int, typer.Option("--trainers", help="Accounts called trainer-1 and so on.")] = 4,
    validators: Annotated[int, typer.Option("--validators", help="Accounts called validator-1 and so on.")] = 3,
    background: Annotated[bool, typer.Option("--background", help="Return as soon as it runs.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Stop the chain that runs in the background.")] = False,
) -> None:
    """Start a local chain and store, deploy the contracts, print the accounts. Ctrl-C stops it."""
    if stop:
        stop_chain(here)
        return
    from hansa.devnet.bootstrap import account_names, bootstrap

    check_range("--trainers", trainers, 0, 200)
    check_range("--validators", validators, 0, LIMITS.seats)
    forget_stale(here.dir)
    if background:
        _in_background(here, port, trainers, validators)
        return
    here.dir.mkdir(parents=True, exist_ok=True)
    names = account_names(trainers, validators)
    anvil = start_anvil(here.dir / "anvil.log", accounts=len(names), port=port)
    try:
        deployment = bootstrap(here, anvil, names, name="local")
        ChainFile.of(anvil).save(here.dir)
        _tell(here, deployment, names)
        _wait(anvil)
    finally:
        anvil.stop()
        ChainFile.remove(here.dir)


def stop_chain(here: Here) -> None:
    """Stops what `up --background` or `demo --keep` left running."""
    running = ChainFile.load(here.dir)
    if running is None or not running.alive:
        ChainFile.remove(here.dir)
        raise FatalError(f"no chain of {here.dir} is running")
    running.stop()
    ChainFile.remove(here.dir)
    here.say(f"stopped the chain at {running.url}")


def _tell(here: Here, deployment: Deployment, names: list[str]) -> None:
    from hansa.runtime.accounts import address_of

    accounts = [
        {"name": name, "address": address_of(here, name), "private_key": "0x" + published_key(index).hex()}
        for index, name in enumerate(names)
    ]
    data = {"url": deployment.rpc[0], "deployment": deployment.model_dump(mode="json"), "accounts": accounts}
    here.answer(data, lambda console: _show(console, here, deployment, accounts))


def _show(console: Console, here: Here, deployment: Deployment, accounts: list[dict[str, str]]) -> None:
    from hansa.cli.deploy import show

    show(console, deployment, here.deployment_file)
    store = " ".join(deployment.store.values())
    console.print(f"  chain       {deployment.rpc[0]}\n  store       {store}\n")
    console.print("test accounts: address and private key (published: never use it elsewhere)")
    for account in accounts:
        console.print(f"  {account['name']:12} {account['address']}\n    {account['private_key']}")
    where = "" if str(here.dir) == ".hansa" else f" --dir {here.dir}"
    members = ",".join(account["name"] for account in accounts if account["name"].startswith("validator"))
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


def _in_background(here: Here, port: int | None, trainers: int, validators: int) -> None:
    """Runs `hansa up` as a process of its own and waits until it is ready."""
    here.dir.mkdir(parents=True, exist_ok=True)
    log = here.dir / "up.log"
    command = [sys.executable, "-m", "hansa.cli.main", "up", "--dir", str(here.dir), "--json"]
    command += ["--trainers", str(trainers), "--validators", str(validators)] + (["--port", str(port)] if port else [])
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
    running = _wait_for_chain(here.dir, process, log)
    text = f"a chain runs at {running.url}; `hansa up --stop --dir {here.dir}` stops it"
    here.answer({"url": running.url, "pid": process.pid, "log": str(log)}, lambda console: console.print(text))


def _wait_for_chain(directory: Path, process: subprocess.Popen[bytes], log: Path) -> ChainFile:
    deadline = time.monotonic() + BACKGROUND_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise FatalError("`hansa up` ended early", cause=_last(log))
        if (running := ChainFile.load(directory)) is not None and running.alive:
            return running
        time.sleep(0.1)
    process.terminate()
    raise FatalError("`hansa up` did not come up", cause=_last(log))


def _last(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it wrote nothing"
