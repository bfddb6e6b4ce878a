"""A federation whose trainers have no coin: validators relay for them."""

from __future__ import annotations

from collections.abc import Sequence

from hansa.devnet.anvil import Anvil, free_port, rpc
from hansa.devnet.setup import Setup
from hansa.protocol.types import Address

RELAYS = 2  # validators that relay, where there are so many


def relay_places(setup: Setup) -> dict[str, str]:
    """HOST:PORT by validator, of those that relay."""
    number = min(RELAYS, setup.validators) if setup.gasless else 0
    return {f"validator-{index}": f"127.0.0.1:{free_port()}" for index in range(1, number + 1)}


def take_coin(anvil: Anvil, accounts: Sequence[Address]) -> None:
    """Leaves these accounts none of the chain's coin."""
    for account in accounts:
        rpc(anvil.url, "anvil_setBalance", account, "0x0")


def have_sent_nothing(anvil: Anvil, accounts: Sequence[Address]) -> bool:
    """Whether none of these accounts has any coin, or has ever sent a transaction."""
    asked = ("eth_getBalance", "eth_getTransactionCount")
    return not any(int(rpc(anvil.url, method, account, "latest"), 16) for method in asked for account in accounts)
