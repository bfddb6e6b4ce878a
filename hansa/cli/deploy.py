"""`hansa deploy`: the contracts on any EVM chain, and a deployment.json that says where they are."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hansa.cli.command import Command
from hansa.cli.key_options import AccountName, FeeOptions, PasswordFile
from hansa.protocol.errors import FatalError
from hansa.runtime import deploy_progress
from hansa.runtime.accounts import load_account
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.chain.dialects import parse_confirmations
from hansa.runtime.deploy import deploy_contracts, store_settings
from hansa.runtime.deploy_check import checked_chain, draft
from hansa.runtime.transactions.signer import signing_with


def run(
    command: Command,
    *,
    rpc: Annotated[list[str], typer.Option("--rpc", help="An RPC endpoint; repeat it for fail-over.")],
    name: Annotated[str, typer.Option("--name", help="What people call this deployment.")] = "hansa",
    account_name: AccountName = None,
    password_file: PasswordFile = None,
    fees: FeeOptions,
    token: Annotated[str | None, typer.Option("--token", help="An ERC-20 to use; else a test token is made.")] = None,
    store: Annotated[
        str, typer.Option("--store", help="`local`: this machine alone; `kubo`, or a Kubo API like /ip4/…/tcp/5001.")
    ] = "local",
    store_auth: Annotated[
        str | None, typer.Option("--store-auth", help="What the Kubo API asks for, as '${NAME}'.", metavar="NAME")
    ] = None,
    peers: Annotated[
        list[str] | None,
        typer.Option(
            "--peer",
            help="A party's Kubo node, /dns4/…/tcp/4001/p2p/ID; repeat it. All are kept connected.",
            metavar="ADDRESS",
        ),
    ] = None,
    ws: Annotated[str | None, typer.Option("--ws", help="A WebSocket endpoint; wakes daemons up sooner.")] = None,
    explorer: Annotated[
        str | None, typer.Option("--explorer", help="A block explorer, https://…, that the page links to.")
    ] = None,
    confirmations: Annotated[
        str,
        typer.Option("--confirmations", help="Blocks to wait for what can't be undone; or safe, or finalized."),
    ] = "0",
) -> None:
    """Deploy the contracts on any EVM chain and write DIR/deployment.json.

    Passwords and keys of endpoints stand as '${NAME}', whose value is in the environment or in DIR/secrets.env. A
    deployment that stops half-way goes on with the same command.
    """
    workspace = command.workspace
    progress = workspace.dir / deploy_progress.FILE
    if workspace.deployment_file.exists():
        if progress.exists():
            deploy_progress.forget_finished(progress, workspace.deployment())
        raise FatalError(
            f"{workspace.deployment_file} exists", next_step="name another directory with --dir, or move that file away"
        )
    settings = store_settings(store, workspace.dir, store_auth)
    depth = parse_confirmations(confirmations)
    planned = draft(
        rpc,
        name=name,
        store=settings,
        ws=ws,
        explorer=explorer,
        confirmations=depth,
        folder=workspace.dir,
        peers=peers or (),
    )
    chain, checked_token = checked_chain(planned, token)
    if warning := store_warning(planned, chain.rpc.local):
        print(f"hansa: {warning}", file=sys.stderr)
    account = load_account(workspace, account_name, password_file)
    with signing_with(chain, account, workspace.journal(account.address), fees.caps) as signer:
        made = deploy_contracts(signer, planned, checked_token, progress=progress, say=command.say)
        made.save(workspace.deployment_file)
        deploy_progress.forget_finished(progress, made)
    command.answer(made, lambda console: show(console, made, workspace.deployment_file))


def store_warning(deployment: Deployment, is_local: bool) -> str | None:
    """Why others can't read what goes into the store. is_local: the chain's node is on this machine."""
    if deployment.store["kind"] != "local" or is_local:
        return None
    return (
        f"the store is a folder of this machine, {deployment.store['path']}, which parties on others can't read; "
        "--store kubo takes the Kubo node of each machine, --store /ip4/…/tcp/5001 another one"
    )


def show(console: Console, made: Deployment, file: Path) -> None:
    """What was deployed, and where that is written down."""
    console.print(f"[bold]{made.name}[/] on chain {made.chain_id}, from block {made.first_block}")
    for label in ("federation", "vault", "token", "admission", "registry", "credentials"):
        if (address := getattr(made, label)) is not None:
            console.print(f"  {label:11} {address}")
    console.print(f"written to {file}")
