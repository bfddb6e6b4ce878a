"""Putting the contracts on a chain, from the committed bytecode: no compiler is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from protocol.chain.calls import Call
from protocol.chain.codec import artifact
from protocol.errors import FatalError
from protocol.types import Address

if TYPE_CHECKING:
    from cli.wire import Actor

SUPPLY = 10**9 * 10**18  # of a new test token, to whoever deploys


def creation_code(name: str, arguments: tuple[Any, ...] = (), libraries: Mapping[str, Address] | None = None) -> bytes:
    """The data of the transaction that creates a contract, its libraries' addresses filled in."""
    from eth_abi.abi import encode

    found = artifact(name)
    code = bytearray(bytes.fromhex(found.bytecode))
    for library, places in found.links.items():
        address = bytes.fromhex((libraries or {})[library][2:])
        for place in places:
            code[place : place + 20] = address
    return bytes(code) + encode([field.type for field in found.constructor], arguments)


def create(actor: Actor, name: str, *arguments: Any, libraries: Mapping[str, Address] | None = None) -> Address:
    """Deploys a contract and returns its address."""
    from eth_utils.address import to_checksum_address

    receipt = actor.do(Call(None, creation_code(name, arguments, libraries), f"deploy {name}"))
    address = receipt.get("contractAddress")
    if not address:
        raise FatalError(f"{name} was not deployed", cause="the receipt names no contract")
    return Address(to_checksum_address(address))


def create_federation(actor: Actor) -> Address:
    """The federation with its library and its vault; the vault is the federation's own contract."""
    terms = create(actor, "Terms")
    return create(actor, "Federation", libraries={"Terms": terms})
