"""An account's encryption key, in the two places where others look for it: the federation, and its DID."""

from __future__ import annotations

from dataclasses import dataclass

from hansa.protocol.did import did_of, encryption_keys, parse_did
from hansa.protocol.types import Address
from hansa.runtime.chain.calls import Call
from hansa.runtime.identity.registry import Registry
from hansa.runtime.session import Session


@dataclass(frozen=True)
class EncryptionKeys:
    """announced: on the federation, which updates are sealed to; None: none. in_did: those that the DID names."""

    announced: bytes | None
    in_did: list[bytes]

    @property
    def agree(self) -> bool:
        """Whether both places say the same. A DID that names no key says nothing else."""
        return not self.in_did or self.in_did == [self.announced]

    def missing(self, session: Session, identity: Address, key: bytes) -> list[Call]:
        """What makes `key` the only one in both places: first the federation's, which counts, then the DID's."""
        registry = Registry.of(session.chain, session.deployment)
        calls = [] if self.announced == key else [session.federation.announce_key_call(key)]
        calls += [registry.revoke_encryption_key(identity, old) for old in self.in_did if old != key]
        return calls + ([] if key in self.in_did else [registry.set_encryption_key(identity, key)])


def read_keys(session: Session, identity: Address) -> EncryptionKeys:
    """Both, as of one block."""
    block = session.chain.latest()
    named = parse_did(did_of(session.chain.chain_id, identity))
    document = Registry.of(session.chain, session.deployment).document(named, block)
    return EncryptionKeys(session.federation.announced_key(identity, block), encryption_keys(document))
