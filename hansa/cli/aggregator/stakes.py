"""What the commands of a pool have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console

from hansa.cli.command import Command
from hansa.cli.document import Amount
from hansa.cli.tables import named
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address
from hansa.runtime.accounts import names_of_accounts
from hansa.runtime.amounts import Token
from hansa.runtime.calendar import local
from hansa.runtime.chain.deployment import checksummed
from hansa.runtime.chain.pool import Pool
from hansa.runtime.session import Session

PoolOption = Annotated[str, typer.Option("--pool", help="The pool's address: `hansa job show` names it.")]


@dataclass(frozen=True)
class StakeView:
    pool: Address
    address: Address
    staked: Amount
    weight: int  # whole units
    leaving: Amount
    leaves_at: int | None  # seconds; None where nothing is leaving
    pool_stakers: int


def pool_of(session: Session, text: str) -> Pool:
    """FatalError where there is no pool of this version."""
    try:
        pool = Pool.of(session.chain, checksummed(text))
    except ValueError as error:
        raise FatalError(f"--pool {text!r} is no address", cause=error) from error
    if pool is None:
        raise FatalError(
            f"{text} is no pool of stakes of this version",
            next_step="look the committee of a job up with `hansa job show`",
        )
    return pool


def stake_view(pool: Pool, account: Address) -> StakeView:
    stake = pool.stake_of(account)
    leaves_at = int(stake.leaves_at) if stake.leaving else None
    return StakeView(pool.address, account, stake.staked, stake.weight, stake.leaving, leaves_at, pool.stakers())


def answer_stake(command: Command, session: Session, pool: Pool, account: Address) -> None:
    """An account's stake as it is now."""
    view, token = stake_view(pool, account), session.token(pool.terms().token)
    names = names_of_accounts(command.workspace.keys)

    def show(console: Console) -> None:
        console.print(f"[bold]{named(account, names)}[/] in the pool {pool.address}: {in_words(view, token)}")

    command.answer(view, show)


def in_words(view: StakeView, token: Token) -> str:
    """A stake in a line."""
    said = f"{token.text(view.staked)} staked, weight {view.weight} among {view.pool_stakers} stakers"
    if view.leaves_at is None:
        return said
    return f"{said}; {token.text(view.leaving)} leaving, free from {local(view.leaves_at)}"
