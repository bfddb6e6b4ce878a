"""`hansa deploy`: the contracts on any EVM chain, and a deployment.json that says where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hansa.cli.command import Command
from hansa.cli.key_options import AccountName, PasswordFile
from hansa.protocol.errors import FatalError
from hansa.runtime.accounts import load_account
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.deploy import deploy_contracts, store_settings
from hansa.runtime.transactions.signer import signing_with


def run(
    command: Command,
    rpc: Annotated[list[str], typer.Option("--rpc", help="An RPC endpoint; repeat it for fail-over.")],
    name: Annotated[str, typer.Option("--name", help="What people call this deployment.")] = "hansa",
    account_name: AccountName = None,
    password_file: PasswordFile = None,
    token: Annotated[str | None, typer.Option("--token", help="An ERC-20 to use; else a test token is made.")] = None,
    store: Annotated[str, typer.Option("--store", help="`local`, or a Kubo API like /ip4/…/tcp/5001.")] = "local",
    ws: Annotated[str | None, typer.Option("--ws", help="A WebSocket endpoint; wakes daemons up sooner.")] = None,
    confirmations: Annotated[int, typer.Option("--confirmations", help="Blocks to wait for what can't be undone.")] = 0,
) -> None:
    """Deploy the contracts on any EVM chain and write DIR/deployment.json."""
    workspace = command.workspace
    if workspace.deployment_file.exists():
        raise FatalError(
            f"{workspace.deployment_file} exists", next_step="name another directory with --dir, or move that file away"
        )
    account = load_account(workspace, account_name, password_file)
    chain = Chain(rpc, None)
    with signing_with(chain, account, workspace.journal(account.address)) as signer:
        made = deploy_contracts(
            signer,
            rpc,
            name=name,
            token=token,
            store=store_settings(store, workspace.dir),
            ws=ws,
            confirmations=confirmations,
            say=command.say,
        )
    made.save(workspace.deployment_file)
    command.answer(made, lambda console: show(console, made, workspace.deployment_file))


def show(console: Console, made: Deployment, file: Path) -> None:
    """What was deployed, and where that is written down."""
    console.print(f"[bold]{made.name}[/] on chain {made.chain_id}, from block {made.first_block}")
    for label in ("federation", "vault", "token", "admission"):
        console.print(f"  {label:11} {getattr(made, label)}")
    console.print(f"written to {file}")
