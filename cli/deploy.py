"""`hansa deploy`: the contracts on any EVM chain, and a deployment.json that says where they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.accounts import Account, PasswordFile, load_account
from cli.context import Here
from protocol.errors import FatalError

if TYPE_CHECKING:
    from rich.console import Console

    from cli.wire import Actor
    from protocol.chain.deployment import Deployment
    from protocol.types import Address

KUBO_API = "/ip4/127.0.0.1/tcp/5001"


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
    from cli.wire import acting, journal_of
    from protocol.chain.client import Chain

    if here.deployment_file.exists():
        raise FatalError(
            f"{here.deployment_file} exists", next_step="name another directory with --dir, or move that file away"
        )
    signer = load_account(here, account, password_file)
    chain = Chain(rpc, None)
    with acting(chain, signer, journal_of(here, signer.address)) as actor:
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


def deploy_contracts(
    actor: Actor,
    rpc: Sequence[str],
    *,
    name: str,
    store: dict[str, str],
    token: str | None = None,
    ws: str | None = None,
    confirmations: int = 0,
    say: Any = lambda text: None,
) -> Deployment:
    """Deploys terms, federation (with its vault), open admission and, without `token`, a test token."""
    from cli.contracts import create, create_federation
    from cli.wire import read_token
    from protocol.chain.deploy import SUPPLY
    from protocol.chain.deployment import Allowed, Deployment
    from protocol.chain.federation import vault_of
    from protocol.types import Address

    first_block = actor.chain.head().number
    if token is not None:
        say(f"using token {read_token(actor.chain, Address(token)).symbol} at {token}")
    say("deploying the federation and its vault …")
    federation = create_federation(actor)
    admission = create(actor, "OpenAdmission")
    if token is None:
        say("deploying a test token …")
        token = create(actor, "RewardToken", SUPPLY)
    return Deployment(
        name=name,
        chain_id=actor.chain.chain_id,
        rpc=list(rpc),
        ws=ws,
        federation=federation,
        vault=vault_of(actor.chain, federation),
        token=Address(token),
        admission=admission,
        first_block=first_block,
        store=store,
        confirmations=confirmations,
        allowed=Allowed(tokens=[Address(token)], admissions=[admission]),
    )


def allow_committee(deployment: Deployment, committee: Address) -> Deployment:
    """The deployment with a committee on its allow-list."""
    listed = deployment.allowed.model_copy(update={"committees": [*deployment.allowed.committees, committee]})
    return deployment.model_copy(update={"allowed": listed})


def store_settings(store: str, directory: Path) -> dict[str, str]:
    """`local` keeps files in a folder of the directory, which it makes; anything else is a Kubo node's API address."""
    if store == "local":
        folder = (directory / "store").resolve()
        folder.mkdir(parents=True, exist_ok=True)
        return {"kind": "local", "path": str(folder)}
    if store == "kubo":
        return {"kind": "kubo", "api": KUBO_API}
    if store.startswith("/"):
        return {"kind": "kubo", "api": store}
    raise FatalError(f"--store {store!r} is no store", next_step="use local, kubo, or a Kubo API like /ip4/…/tcp/5001")


def show(console: Console, made: Deployment, file: Path) -> None:
    console.print(f"[bold]{made.name}[/] on chain {made.chain_id}, from block {made.first_block}")
    for label in ("federation", "vault", "token", "admission"):
        console.print(f"  {label:11} {getattr(made, label)}")
    console.print(f"written to {file}")
