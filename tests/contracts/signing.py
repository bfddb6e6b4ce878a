"""What the actors sign: the chain's first accounts, whose keys everybody knows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from brownie import chain
from brownie.network.account import Account
from eth_account import Account as Keys
from eth_account.signers.local import LocalAccount

from hansa.devnet.anvil import published_key
from hansa.protocol import typed_data


@cache
def keys_of(address: str) -> LocalAccount:
    """The key of one of the chain's first 30 accounts."""
    return next(found for found in map(_published, range(30)) if found.address == address)


@cache
def _published(index: int) -> LocalAccount:
    return Keys.from_key(published_key(index))


def sign(who: Account, contract: str, kind: str, values: Mapping[str, Any], chain_id: int | None = None) -> bytes:
    """What `who` signs of one type for a contract; for this chain unless another is named."""
    separator = typed_data.domain(chain.id if chain_id is None else chain_id, contract)
    return bytes(keys_of(who.address).unsafe_sign_hash(typed_data.digest(separator, kind, values)).signature)
