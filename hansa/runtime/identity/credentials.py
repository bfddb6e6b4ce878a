"""Credentials on chain: what was issued, whether it counts, and the calls that issue and revoke."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address

from hansa.protocol import jwt
from hansa.protocol.credential import Claim, Credential, faults, read_claims, standing
from hansa.protocol.did import signers_of
from hansa.protocol.errors import FatalError, WrongChain
from hansa.protocol.types import Address
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.calls import Call
from hansa.runtime.chain.client import Block, Chain, read_log
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.identity.registry import Registry, without

NONE = bytes(32)  # where a uid would stand


@dataclass(frozen=True)
class Found:
    """A credential, and why it does not count now; nothing where it does."""

    credential: Credential
    faults: list[str]


class CredentialBook:
    """Reads at the latest block. ChainUnavailable, or WrongChain where nothing is deployed."""

    def __init__(self, chain: Chain, at: Address, first_block: int = 0) -> None:
        self.chain = chain
        self.address = at
        self._first_block = first_block

    @classmethod
    def of(cls, chain: Chain, deployment: Deployment) -> CredentialBook:
        """FatalError where the federation was deployed without one."""
        if deployment.credentials is None:
            raise without("credentials", deployment)
        return cls(chain, deployment.credentials, deployment.first_block)

    # --- reads

    def credential(self, uid: bytes, at: Block | None = None) -> Credential:
        """What stands under a uid; its issuer is 0 where nothing does."""
        schema, issuer, time, expires, subject, revoked, data = self._read("credentialOf", uid, at=at)
        by, about = (Address(to_checksum_address(account)) for account in (issuer, subject))
        return Credential(uid, schema, by, about, int(time), int(expires), int(revoked), data)

    def latest(self, issuer: Address, schema: bytes, subject: Address, at: Block | None = None) -> bytes:
        """The uid of the newest one; zero for none."""
        return bytes(self._read("latest", issuer, schema, subject, at=at))

    def newest(self, issuer: Address, schema: bytes, subject: Address, at: Block | None = None) -> Found | None:
        """The newest credential, whatever became of it; None where none was ever issued."""
        block = at or self.chain.latest()
        uid = self.latest(issuer, schema, subject, block)
        if uid == NONE:
            return None
        credential = self.credential(uid, block)
        return Found(credential, standing(credential, uid, block.timestamp))

    def issued(self, issuer: Address | None = None, subject: Address | None = None) -> list[Found]:
        """Every credential of an issuer, of a subject, or of both, oldest first."""
        head = self.chain.latest()
        event = artifact("Credentials").event("CredentialIssued")
        topics = [None if who is None else bytes.fromhex(who[2:]).rjust(32, b"\0") for who in (issuer, subject)]
        found = []
        for log in self.chain.logs(self.address, [event.topic, None, *topics], self._first_block, head):
            credential = self.credential(log.topics[1], head)
            newest = self.latest(credential.issuer, credential.schema, credential.subject, head)
            found.append(Found(credential, standing(credential, newest, head.timestamp)))
        return found

    def verify(self, token: str, registry: Registry) -> tuple[Claim, list[str]]:
        """What a VC-JWT claims, and why it does not hold; nothing where it does. Malformed for what is none, WrongChain
        for a credential of another chain or contract."""
        read = jwt.read(token)
        claim = read_claims(read.claims)
        if (claim.chain_id, claim.contract) != (self.chain.chain_id, self.address):
            raise WrongChain(
                f"the credential stands on chain {claim.chain_id} at {claim.contract}",
                cause=f"this deployment's stand on chain {self.chain.chain_id} at {self.address}",
                next_step="name that deployment with --dir",
            )
        head = self.chain.latest()
        signers = signers_of(registry.resolve(claim.issuer, head), claim.chain_id)
        said = [] if signers & read.signers else ["nobody signed it whose key its issuer's DID names"]
        if head.timestamp < claim.not_before:
            said.append("it does not count yet")
        found = self.credential(claim.uid, head)
        newest = self.latest(found.issuer, found.schema, found.subject, head)
        return claim, said + faults(claim, found, newest, head.timestamp)

    # --- calls

    def attest(self, schema: bytes, subject: Address, expires: int, data: bytes = b"") -> Call:
        return self._call(f"issue a credential to {subject}", "attest", schema, subject, expires, data)

    def revoke(self, uid: bytes) -> Call:
        return self._call(f"revoke credential 0x{uid.hex()}", "revoke", uid)

    def issued_in(self, receipt: Mapping[str, Any]) -> bytes:
        """The uid that a transaction issued."""
        event = artifact("Credentials").event("CredentialIssued")
        for log in (read_log(entry) for entry in receipt.get("logs") or ()):
            if log.address == self.address.lower() and log.topics[:1] == (event.topic,):
                return bytes(log.topics[1])
        raise FatalError("the transaction issued no credential")

    def _call(self, what: str, function: str, *arguments: object) -> Call:
        return Call(self.address, artifact("Credentials").functions[function].encode(*arguments), what)

    def _read(self, function: str, *arguments: object, at: Block | None = None) -> Any:
        reading = (self.address, artifact("Credentials").functions[function], arguments)
        return self.chain.read([reading], at)[0][0]
