"""`hansa up`: a chain and a store of your own, with the contracts on it and accounts to play every part."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from hansa.cli.command import Command
from hansa.cli.party_options import PartyOptions
from hansa.cli.up.background import start_in_background
from hansa.cli.up.view import answer_chain
from hansa.devnet.anvil import Anvil, require_free, rpc
from hansa.devnet.bootstrap import bootstrap
from hansa.devnet.chain_file import ChainFile, hold, require_stopped
from hansa.devnet.chains.node import Network
from hansa.devnet.chains.starting import ANVIL, KINDS, start_chain, state_of
from hansa.devnet.checks import check_setup
from hansa.devnet.folder import STATE, Devnet, make_room, require_deployment
from hansa.devnet.furnish import furnish
from hansa.devnet.kubo import KuboNode, start_nodes
from hansa.devnet.setup import Setup
from hansa.protocol.errors import ChainUnavailable, FatalError, check_range
from hansa.protocol.tables import LIMITS
from hansa.runtime import stopping
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.log import open_log
from hansa.sponsor.committees import APPOINTED

TRAINERS, VALIDATORS = 4, 3
SAVE_SECONDS = 5.0  # between two savings of a chain that changes
LAST_SAVE_SECONDS = 30.0  # that a chain may take to be saved at its end
SAVE_SHARE = 0.05  # of the time, at most, goes into saving


def run(
    command: Command,
    *,
    port: Annotated[
        int | None, typer.Option("--port", help="Where the chain listens; where it did before, or a free port.")
    ] = None,
    trainers: Annotated[
        int | None, typer.Option("--trainers", help=f"Accounts called trainer-1 and so on; {TRAINERS} by default.")
    ] = None,
    validators: Annotated[
        int | None,
        typer.Option("--validators", help=f"Seats of a committee, and accounts for these; {VALIDATORS} by default."),
    ] = None,
    chain: Annotated[
        str | None, typer.Option("--chain", help=f"One of {', '.join(KINDS)}; {ANVIL} by default.")
    ] = None,
    store: Annotated[str | None, typer.Option("--store", help="local, or kubo: a node of its own.")] = None,
    parties: PartyOptions,
    background: Annotated[bool, typer.Option("--background", help="Return as soon as it runs.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Drop the directory's chain and start a new one.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Stop the chain that runs in the background.")] = False,
) -> None:
    """Start a local chain and store, deploy the contracts, print the accounts. Ctrl-C stops it.

    With --consensus, --admission and --gasless it has all that a job of that kind needs: a pool whose members have
    staked, credentials, trainers without coin. Started again in the same directory, it goes on where it was.
    """
    if stop:
        stop_chain(command)
        return
    asked = asked_for(trainers, validators, chain, store, parties)
    directory = command.workspace.dir
    require_stopped(directory)
    if port is not None:
        require_free(port)
    with contextlib.nullcontext() if background else hold(directory):
        ChainFile.remove(directory)
        kept = None if fresh else find_kept(directory)
        if kept is None:
            make_room(directory, asked)
        else:
            typed = {"--trainers": trainers, "--validators": validators, "--chain": chain, "--store": store}
            require_same(directory, kept, typed, parties)
        if background:
            start_in_background(command, kept or asked, port)
        else:
            _run(command, kept or asked, kept is not None, port)


def asked_for(
    trainers: int | None, validators: int | None, chain: str | None, store: str | None, parties: PartyOptions
) -> Devnet:
    """What the options ask for, and what is usual. FatalError for what doesn't go together."""
    chosen = parties.chosen()
    setup = Setup(
        trainers=check_range("--trainers", TRAINERS if trainers is None else trainers, 0, 200),
        validators=check_range(
            "--validators",
            VALIDATORS if validators is None else validators,
            0 if chosen["consensus"] == APPOINTED else 1,
            LIMITS.seats,
        ),
        chain=chain or ANVIL,
        store=store or "local",
        **chosen,
    )
    return Devnet.of("up", check_setup(setup))


def find_kept(directory: Path) -> Devnet | None:
    """The chain that `up` keeps in a directory; None where it keeps none, or had not finished it."""
    found = Devnet.load(directory)
    if found is None or found.maker != "up" or not found.url:
        return None
    state = state_of(found.chain, STATE)
    if not (directory / state).exists():
        raise FatalError(f"{directory} has lost {state}", next_step="start a new chain with --fresh")
    require_deployment(directory, found)
    return found


def require_same(directory: Path, kept: Devnet, typed: Mapping[str, int | str | None], parties: PartyOptions) -> None:
    """FatalError where a chain that goes on was made otherwise than is asked for. typed: by option, None for those that
    were not."""
    there: dict[str, int | str | bool] = {
        "--trainers": kept.trainers,
        "--validators": kept.setup.validators,
        "--chain": kept.chain,
        "--store": kept.store,
        "--consensus": kept.consensus,
        "--admission": kept.admission,
        "--gasless": kept.gasless,
    }
    asked = {**typed, "--consensus": parties.consensus, "--admission": parties.admission}
    for option, wanted in {**asked, "--gasless": parties.gasless or None}.items():
        if wanted not in (None, there[option]):
            made = f"without {option}" if there[option] is False else f"with {option} {there[option]}"
            raise FatalError(
                f"the chain of {directory} was made {made}",
                next_step=f"leave {option} out, start a new chain with --fresh, or name another --dir",
            )


def _run(command: Command, made: Devnet, goes_on: bool, port: int | None) -> None:
    """The chain, until it is stopped; it is saved while it runs and at its end."""
    workspace = command.workspace
    state = workspace.dir / STATE
    anvil = start_chain(
        made.chain,
        workspace.dir,
        accounts=len(made.names),
        port=port if port is not None or not goes_on else _port_of(made.url),
        state=state if goes_on else None,
        gas_limit=made.gas_limit if goes_on else None,
    )
    nodes: list[KuboNode] = []
    try:
        nodes += start_nodes(workspace.dir / "kubo", [made.maker]).values() if made.store == "kubo" else ()
        kubo = {"kind": "kubo", "api": nodes[0].api} if nodes else None
        if goes_on:
            deployment = _moved(require_deployment(workspace.dir, made), made, anvil)
            deployment = deployment.updated(store=kubo) if kubo else deployment
            deployment.save(workspace.deployment_file)
        else:
            deployment = bootstrap(workspace, anvil, made.names, name="local", store=kubo)
            made = replace(made, pool=furnish(workspace, anvil, made, deployment))
            deployment = workspace.deployment()
        anvil.save(state)
        made.save(workspace.dir, gas_limit=anvil.gas_limit, url=anvil.url, federation=deployment.federation)
        ChainFile.of(anvil, *(node.process.pid for node in nodes)).save(workspace.dir)
        answer_chain(command, deployment, made)
        others = {node.name: node.process for node in (anvil.nodes[1:] if isinstance(anvil, Network) else ())}
        _wait(anvil, {**others, **{f"Kubo's node in {node.path.name}": node.process for node in nodes}}, state)
        anvil.save(state)
    finally:
        for node in nodes:
            node.stop()
        anvil.stop()
        ChainFile.remove(workspace.dir)


def _port_of(url: str) -> int | None:
    """The port that a chain had; None where another program took it meanwhile."""
    port = urlsplit(url).port
    try:
        require_free(port or 0)
    except FatalError:
        return None
    return port


def _moved(deployment: Deployment, made: Devnet, anvil: Anvil) -> Deployment:
    """The deployment with its chain's new address in place of the old one; with all of them where it has several."""
    if made.chain != ANVIL:
        return deployment.updated(rpc=anvil.urls, ws=anvil.ws)
    before = Anvil(made.url, anvil.process)
    places = {before.url: anvil.url, before.ws: anvil.ws}
    rpc_urls = [places.get(each, each) for each in deployment.rpc]
    return deployment.updated(rpc=rpc_urls, ws=places.get(deployment.ws or "", deployment.ws))


def stop_chain(command: Command) -> None:
    """Stops what `up --background` or `demo --keep` left running."""
    directory = command.workspace.dir
    running = ChainFile.load(directory)
    if running is None or not running.alive:
        ChainFile.remove(directory)
        raise FatalError(f"no chain of {directory} is running")
    running.stop()
    ChainFile.remove(directory)
    made = Devnet.load(directory)
    kept = made is not None and made.maker == "up"
    after = f"`hansa up{command.dir_option}` goes on with it" if kept else "what was on it is gone"
    command.say(f"stopped the chain at {running.url}; {after}")


def _wait(anvil: Anvil, others: Mapping[str, subprocess.Popen[bytes]], state: Path) -> None:
    """Until Ctrl-C, SIGTERM, or the end of the chain; what changes on it is saved every few seconds. others: nodes by
    name, of which it is said when one ends."""
    there = dict(others)
    sys.stdout.flush()
    saved, due = _state_root(anvil), 0.0
    stopping.ends_well(grace=LAST_SAVE_SECONDS)
    try:
        while True:
            time.sleep(0.5)
            if anvil.process.poll() is not None:
                raise FatalError("the chain ended by itself", next_step="look into its log in --dir")
            for name in [name for name, process in there.items() if process.poll() is not None]:
                del there[name]
                told = {"next_step": "look into its log in --dir, stop, and start again"}
                open_log().warning(f"{name} ended by itself", **told)
            if (now := time.monotonic()) >= due and (root := _state_root(anvil)) not in (saved, None):
                anvil.save(state)
                saved, due = root, now + max(SAVE_SECONDS, (time.monotonic() - now) / SAVE_SHARE)
    except stopping.Stopped as stopped:
        stopping.say(stopped)


def _state_root(anvil: Anvil) -> str | None:
    """What changes with every transaction; None while the chain doesn't answer."""
    try:
        return str(rpc(anvil.url, "eth_getBlockByNumber", "latest", False)["stateRoot"])
    except ChainUnavailable:
        return None
