"""Putting the contracts on a chain, from the committed bytecode: no compiler is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from protocol.chain.deploy import creation_call
from protocol.errors import FatalError
from protocol.types import Address

if TYPE_CHECKING:
    from cli.wire import Actor


def create(actor: Actor, name: str, *arguments: Any, libraries: Mapping[str, Address] | None = None) -> Address:
    """Deploys a contract and returns its address."""
    from eth_utils.address import to_checksum_address

    receipt = actor.do(creation_call(name, *arguments, libraries=libraries))
    address = receipt.get("contractAddress")
    if not address:
        raise FatalError(f"{name} was not deployed", cause="the receipt names no contract")
    return Address(to_checksum_address(address))


def create_federation(actor: Actor) -> Address:
    """The federation with its library and its vault; the vault is the federation's own contract."""
    terms = create(actor, "Terms")
    return create(actor, "Federation", libraries={"Terms": terms})
