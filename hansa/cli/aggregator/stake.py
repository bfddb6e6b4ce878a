"""`hansa aggregator stake`: tokens into a pool that committees are drawn from."""

from __future__ import annotations

from typing import Annotated

import typer

from hansa.cli.aggregator.stakes import PoolOption, answer_stake, pool_of
from hansa.cli.command import Command
from hansa.cli.key_options import AccountName, FeeOptions, PasswordFile
from hansa.protocol import envelope
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address
from hansa.runtime import keystore
from hansa.runtime.accounts import load_account
from hansa.runtime.chain.calls import approve_call
from hansa.runtime.session import connect
from hansa.runtime.transactions.signer import signing_with

Amount = Annotated[str, typer.Option("--amount", help="Tokens.")]


def run(
    command: Command,
    *,
    pool_address: PoolOption,
    amount: Amount,
    account_name: AccountName = None,
    password_file: PasswordFile = None,
    fees: FeeOptions,
) -> None:
    """Stake tokens in a pool that committees are drawn from.

    Announces the account's key first, where it is not in force. A stake counts from the next epoch on; then every job
    of the pool's sponsors and specs may seat you: run `hansa aggregator run --jobs all`.
    """
    session, workspace = connect(command.workspace), command.workspace
    pool = pool_of(session, pool_address)
    terms = pool.terms()
    token = session.token(terms.token)
    units = token.units(amount, "--amount")
    account = load_account(workspace, account_name, password_file)
    me = Address(account.address)
    session.check_funds(me, token, units, "a stake", "send it tokens, or name another account")
    least = terms.minimum * terms.unit
    if pool.stake_of(me).staked + units < least:
        raise FatalError(f"a stake of {amount} is too small", cause=f"the pool asks for {token.text(least)}")
    leaf = pool.free_leaf(session.chain.latest().timestamp, terms.epoch_time)
    if leaf is None:
        raise FatalError(
            f"the pool {pool.address} is full", next_step="stake in another, or wait until somebody leaves"
        )
    key = envelope.public_key(keystore.encryption_secret(account))
    with signing_with(session.chain, account, workspace.journal(me), fees.caps) as signer:
        if session.federation.announced_key(me) != key:
            signer.do(session.federation.announce_key_call(key))
        signer.do(approve_call(terms.token, pool.address, units))
        signer.do(pool.stake_call(units, leaf))
    answer_stake(command, session, pool, me)
