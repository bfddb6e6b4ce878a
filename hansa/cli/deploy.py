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
    store_auth: Annotated[
        str | None, typer.Option("--store-auth", help="What the Kubo API asks for, as '${NAME}'.", metavar="NAME")
    ] = None,
    ws: Annotated[str | None, typer.Option("--ws", help="A WebSocket endpoint; wakes daemons up sooner.")] = None,
    confirmations: Annotated[int, typer.Option("--confirmations", help="Blocks to wait for what can't be undone.")] = 0,
) -> None:
    """Deploy the contracts on any EVM chain and write DIR/deployment.json.

    Passwords and keys of endpoints stand as '${NAME}', whose value is in the environment or in DIR/secrets.env. A
    deployment that stops half-way goes on with the same command.
    """
    from hansa.runtime import deploy_progress
    from hansa.runtime.deploy import deploy_contracts, store_settings
    from hansa.runtime.deploy_check import checked_chain
    from hansa.runtime.secrets import Secrets
    from hansa.runtime.transactions.signer import signing_with

    progress = here.dir / deploy_progress.FILE
    if here.deployment_file.exists():
        if progress.exists():
            deploy_progress.forget_finished(progress, here.deployment())
        raise FatalError(
            f"{here.deployment_file} exists", next_step="name another directory with --dir, or move that file away"
        )
    settings = store_settings(store, here.dir, store_auth)
    chain, checked_token = checked_chain(
        rpc, name=name, store=settings, token=token, ws=ws, confirmations=confirmations, secrets=Secrets(here.dir)
    )
    signer = load_account(here, account, password_file)
    with signing_with(chain, signer, here.journal(signer.address)) as actor:
        made = deploy_contracts(
            actor,
            rpc,
            name=name,
            token=checked_token,
            store=settings,
            ws=ws,
            confirmations=confirmations,
            progress=progress,
            say=here.say,
        )
        made.save(here.deployment_file)
        deploy_progress.forget_finished(progress, made)
    here.answer(made.model_dump(mode="json"), lambda console: show(console, made, here.deployment_file))


def show(console: Console, made: Deployment, file: Path) -> None:
    console.print(f"[bold]{made.name}[/] on chain {made.chain_id}, from block {made.first_block}")
    for label in ("federation", "vault", "token", "admission"):
        console.print(f"  {label:11} {getattr(made, label)}")
    console.print(f"written to {file}")
