"""`hansa aggregator unstake`: tokens out of a pool, and those that have left to their owner."""

from __future__ import annotations

from typing import Annotated

import typer

from hansa.cli.aggregator.stakes import PoolOption, answer_stake, pool_of
from hansa.cli.command import Command
from hansa.cli.key_options import AccountName, FeeOptions, PasswordFile
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address
from hansa.runtime.accounts import load_account
from hansa.runtime.session import connect
from hansa.runtime.transactions.signer import signing_with


def run(
    command: Command,
    *,
    pool_address: PoolOption,
    amount: Annotated[str | None, typer.Option("--amount", help="Tokens; all that is staked by default.")] = None,
    account_name: AccountName = None,
    password_file: PasswordFile = None,
    fees: FeeOptions,
) -> None:
    """Take a stake out of a pool; what has left before is paid out.

    It weighs nothing from the next epoch on. The tokens stay, and can be burnt for a fault, until the pool's delay is
    over: run this again then.
    """
    session, workspace = connect(command.workspace), command.workspace
    pool = pool_of(session, pool_address)
    token = session.token(pool.terms().token)
    account = load_account(workspace, account_name, password_file)
    me = Address(account.address)
    stake, now = pool.stake_of(me), session.chain.latest().timestamp
    units = stake.staked if amount is None else token.units(amount, "--amount")
    is_free = bool(stake.leaving) and stake.leaves_at <= now
    if units > stake.staked or not (units or is_free):
        raise FatalError(
            f"{me} can't take {token.text(units)} out of the pool {pool.address}"
            if units
            else f"{me} has nothing to take out of the pool {pool.address}",
            cause=f"{token.text(stake.staked)} are staked, {token.text(stake.leaving)} are leaving",
            next_step="wait until what is leaving is free" if stake.leaving else "stake there first",
        )
    with signing_with(session.chain, account, workspace.journal(me), fees.caps) as signer:
        if is_free:
            signer.do(pool.withdraw_call(me))
        if units:
            signer.do(pool.unstake_call(units))
    answer_stake(command, session, pool, me)
