"""`hansa deploy`: the contracts on any EVM chain, and a deployment.json that says where they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hansa.cli.command import Here
from hansa.cli.key_options import Account, PasswordFile
from hansa.protocol.errors import FatalError
from hansa.runtime.accounts import load_account

if TYPE_CHECKING:
    from rich.console import Console

    from hansa.runtime.chain.deployment import Deployment


def deploy(
    here: Here,
    rpc: Annotated[list[str], typer.Option("--rpc", help="An RPC endpoint; repeat it for fail-over.")],
    name: Annotated[str, typer.Option("--name", help="What people call this deployment.")] = "hansa",
    account: Account = None,
    password_file: PasswordFile = None,
    token: Annotated[str | None, typer.Option("--token", help="An ERC-20 to use; else a test token is made.")] = None,
    store: Annotated[str, typer.Option("--store", help="`local`, or a Kubo API like /ip4/…/tcp/5001.")] = "local",
    ws: Annotated[str | None, typer.Option("--ws", help="A WebSocket endpoint; wakes daemons up sooner.")] = None,
    confirmations: Annotated[int, typer.Option("--confirmations", help="Blocks to wait for what can't be undone.")] = 0,
) -> None:
    """Deploy the contracts on any EVM chain and write DIR/deployment.json."""
    from hansa.runtime.chain.client import Chain
    from hansa.runtime.deploy import deploy_contracts, store_settings
    from hansa.runtime.transactions.signer import signing_with

    if here.deployment_file.exists():
        raise FatalError(
            f"{here.deployment_file} exists", next_step="name another directory with --dir, or move that file away"
        )
    signer = load_account(here, account, password_file)
    chain = Chain(rpc, None)
    with signing_with(chain, signer, here.journal(signer.address)) as actor:
        made = deploy_contracts(
            actor,
            rpc,
            name=name,
            token=token,
            store=store_settings(store, here.dir),
            ws=ws,
            confirmations=confirmations,
            say=here.say,
        )
    made.save(here.deployment_file)
    here.answer(made.model_dump(mode="json"), lambda console: show(console, made, here.deployment_file))


def show(console: Console, made: Deployment, file: Path) -> None:
    console.print(f"[bold]{made.name}[/] on chain {made.chain_id}, from block {made.first_block}")
    for label in ("federation", "vault", "token", "admission"):
        console.print(f"  {label:11} {getattr(made, label)}")
    console.print(f"written to {file}")
