"""`hansa wallet fund`: test coins and tokens for an account of a local chain."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from eth_account import Account
from rich.console import Console

from hansa.cli.command import Command
from hansa.cli.document import INLINE, Amount
from hansa.cli.tables import named
from hansa.cli.wallet.list import Balances, balances_text, read_balances
from hansa.devnet.anvil import LOCAL_CHAINS, published_address, published_key, rpc
from hansa.protocol.errors import ChainUnavailable, FatalError, TransientError
from hansa.protocol.types import Address
from hansa.runtime.accounts import address_of, names_of_accounts
from hansa.runtime.amounts import Token
from hansa.runtime.chain.bytecode import is_ours
from hansa.runtime.chain.calls import transfer_call
from hansa.runtime.session import Session, connect

GIVER = published_address(0)  # `up` and `demo` deploy with it, so it has all test tokens
COIN = Token("", "of the chain's coin", 18)
MINED_SECONDS = 20.0
GAS = 100_000  # more than a gift of coins or of tokens takes


@dataclass(frozen=True)
class FundedView:
    """What an account was given, and has now."""

    address: Address
    given_coins: Amount
    given_tokens: Amount
    balances: Annotated[Balances, INLINE]


def run(
    command: Command,
    who: Annotated[str, typer.Argument(help="A keystore's name, or an address.", metavar="WHO")],
    tokens: Annotated[str, typer.Option("--tokens", help="Test tokens, for escrows and bonds.")] = "1000",
    coins: Annotated[str, typer.Option("--coins", help="Of the chain's own coin, for gas.")] = "10",
) -> None:
    """Give an account test coins and tokens, on a local chain alone.

    They come from the published account that `hansa up` deploys with, which belongs to everybody.
    """
    session, to = connect(command.workspace), address_of(command.workspace, who)
    token = session.token()
    amounts = COIN.units(coins, "--coins"), token.units(tokens, "--tokens")
    if not any(amounts):
        raise FatalError("nothing would be given", next_step="give --coins or --tokens an amount")
    url = session.deployment.expanded(session.deployment.rpc[0])
    check_source(session, url, token, amounts[1])
    transfer = transfer_call(Address(token.address), to, amounts[1])
    if amounts[0]:
        give(url, {"to": to, "value": amounts[0]})
    if amounts[1]:
        give(url, {"to": token.address, "value": 0, "data": transfer.data})
    view = FundedView(to, *amounts, read_balances(session, to))
    name = named(to, names_of_accounts(command.workspace.keys))
    command.answer(view, lambda console: show(console, view, token, name))


def check_source(session: Session, url: str, token: Token, amount: int) -> None:
    """FatalError where the chain is not a local one, its token not our test token, or nobody has enough of that."""
    chain_id = int(rpc(url, "eth_chainId"), 16)
    if chain_id not in LOCAL_CHAINS:
        raise FatalError(
            f"chain {chain_id} is not a local test chain",
            cause="nobody gives coins away on another",
            next_step="send the account coins and tokens from one that has some",
        )
    session.federation.check()
    if not is_ours(session.chain, "RewardToken", Address(token.address)):
        raise FatalError(
            f"{token.symbol} is not our test token", next_step="ask those for it who made it, or who have some"
        )
    remedy = "ask whoever deployed the contracts, who got all of them"
    session.check_funds(GIVER, token, amount, "a gift", remedy, name=f"the published account {GIVER}")


def give(url: str, transaction: Mapping[str, Any]) -> None:
    """Signs a transaction with the published account's key, sends it, and waits until it is mined."""
    try:
        nonce, price = rpc(url, "eth_getTransactionCount", GIVER, "pending"), rpc(url, "eth_gasPrice")
        priced = {"nonce": int(nonce, 16), "gasPrice": 2 * int(price, 16), "gas": GAS}
        chain = int(rpc(url, "eth_chainId"), 16)
        signed = Account.from_key(published_key(0)).sign_transaction({"chainId": chain, **priced, **transaction})
        sent = rpc(url, "eth_sendRawTransaction", signed.raw_transaction.to_0x_hex())
    except ChainUnavailable as error:
        raise FatalError(
            f"the node does not send for the published account {GIVER}",
            cause=error.cause,
            next_step="ask for fewer --coins; or start the chain with `hansa up`",
        ) from error
    deadline = time.monotonic() + MINED_SECONDS
    while (receipt := rpc(url, "eth_getTransactionReceipt", sent)) is None:
        if time.monotonic() > deadline:
            raise TransientError(f"{sent} is not mined after {MINED_SECONDS:.0f} s", next_step="does the chain mine?")
        time.sleep(0.05)
    if int(receipt["status"], 16) == 0:
        raise FatalError(f"{sent} failed on chain", next_step="ask for less")


def show(console: Console, view: FundedView, token: Token, name: str) -> None:
    """What was given, and what the account has."""
    console.print(f"gave {name} {COIN.text(view.given_coins)} and {token.text(view.given_tokens)}")
    console.print(f"it has {balances_text(view.balances, token)}")
