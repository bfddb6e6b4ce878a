"""Putting the contracts on a chain from their committed bytecode: no compiler is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eth_abi.abi import encode

from protocol.chain.calls import Call
from protocol.chain.client import Chain
from protocol.chain.codec import artifact
from protocol.chain.deployment import Allowed, Deployment
from protocol.chain.federation import vault_of
from protocol.chain.records import address
from protocol.chain.sender import Mined, Pending, Refused, Sender
from protocol.errors import FatalError, TransientError
from protocol.types import Address

SUPPLY = 10**9 * 10**18  # of a new test token, to whoever deploys
WAIT = 120.0  # seconds for one deployment


def creation_call(name: str, *arguments: Any, libraries: Mapping[str, Address] | None = None) -> Call:
    """The transaction that creates a contract, its libraries' addresses filled in."""
    found = artifact(name)
    code = bytearray(bytes.fromhex(found.bytecode))
    for library, places in found.links.items():
        linked = bytes.fromhex((libraries or {})[library][2:])
        for place in places:
            code[place : place + 20] = linked
    return Call(None, bytes(code) + encode([field.type for field in found.constructor], arguments), f"deploy {name}")


class Deployer:
    """Deploys with one key. FatalError where the chain refuses, TransientError where it takes too long."""

    def __init__(self, chain: Chain, sender: Sender) -> None:
        self._chain = chain
        self._sender = sender
        self._started = chain.head()

    def create(self, name: str, *arguments: Any, libraries: Mapping[str, Address] | None = None) -> Address:
        """Deploys one contract; its address."""
        call = creation_call(name, *arguments, libraries=libraries)
        match self._sender.send(call, key=("deploy", self._chain.head().hash, name), wait=WAIT):
            case Mined(receipt):
                return address(receipt["contractAddress"])
            case Refused(error):
                raise FatalError(f"{name} can't be deployed", cause=error)
            case Pending():
                raise TransientError(f"the deployment of {name} is not mined yet", next_step="try again later")

    def federation(self) -> Address:
        """The federation, with its library and its own vault."""
        return self.create("Federation", libraries={"Terms": self.create("Terms")})

    def committee(self, members: Sequence[Address]) -> Address:
        """A committee of appointed members."""
        return self.create("AppointedCommittee", list(members))

    def deploy(
        self,
        urls: Sequence[str],
        *,
        name: str,
        store: Mapping[str, str],
        ws: str | None = None,
        confirmations: int = 0,
        token: Address | None = None,
        members: Sequence[Address] = (),
    ) -> Deployment:
        """Federation with vault, open admission, a test token unless `token` is named, a committee of `members`."""
        federation = self.federation()
        admission = self.create("OpenAdmission")
        coin = token if token is not None else self.create("RewardToken", SUPPLY)
        committee = self.committee(members) if members else None
        return Deployment(
            name=name,
            chain_id=self._chain.chain_id,
            rpc=list(urls),
            ws=ws,
            federation=federation,
            vault=vault_of(self._chain, federation),
            token=coin,
            admission=admission,
            committee=committee,
            first_block=self._started.number,
            store=dict(store),
            confirmations=confirmations,
            allowed=Allowed(tokens=[coin], committees=[committee] if committee else [], admissions=[admission]),
        )
