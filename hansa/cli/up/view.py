"""What `hansa up` answers: the chain, its accounts, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console

from hansa.cli.command import Command
from hansa.cli.deploy import show as show_deployment
from hansa.devnet.anvil import published_key
from hansa.devnet.folder import Devnet
from hansa.devnet.furnish import next_commands
from hansa.protocol.types import Address
from hansa.runtime.accounts import address_of
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.workspace import Workspace


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
    pool: Address | None  # that committees are drawn from
    next: list[str]  # commands, the first of which posts a job


def answer_chain(command: Command, deployment: Deployment, made: Devnet) -> None:
    """Tells of a chain that runs."""
    accounts = [
        TestAccount(name, address_of(command.workspace, name), "0x" + published_key(index).hex())
        for index, name in enumerate(made.names)
    ]
    suggested = next_commands(made.setup, made.pool, command.dir_option)
    view = ChainView(deployment.rpc[0], deployment, accounts, made.pool, suggested)
    command.answer(view, lambda console: show(console, view, command.workspace, command.dir_option))


def show(console: Console, view: ChainView, workspace: Workspace, where: str) -> None:
    """where: --dir as a suggested command needs it."""
    show_deployment(console, view.deployment, workspace.deployment_file)
    console.print(f"  chain       {view.url}\n  store       {' '.join(view.deployment.store.values())}")
    if view.pool is not None:
        console.print(f"  pool        {view.pool}, for the job below; whoever may be drawn has staked in it")
    console.print("\ntest accounts: address and private key (published: never use it elsewhere)")
    for account in view.accounts:
        console.print(f"  {account.name:12} {account.address}\n    {account.private_key}")
    console.print()
    for line in next_lines(view.next, where):
        console.print(line)
    console.print(f"Ctrl-C stops the chain; `hansa up{where}` goes on with it, and --fresh starts a new one.")


def next_lines(commands: Sequence[str], where: str) -> list[str]:
    """What to do next, for people."""
    first, *others = commands
    lines = [f"next, in another terminal: {first}", *(f"and then: {line}" for line in others)]
    return [*lines, f"and to look at it, or join, in the browser: hansa dashboard --open{where}"]
