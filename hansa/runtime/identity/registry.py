"""The DID registry on chain: an identity's owner, keys and document, and the calls that change them."""

from __future__ import annotations

from eth_utils.address import to_checksum_address

from hansa.protocol import did
from hansa.protocol.did import AttributeChanged, Change, DelegateChanged, Did, Document, OwnerChanged
from hansa.protocol.errors import FatalError, HistoryMismatch, Malformed, WrongChain
from hansa.protocol.types import Address
from hansa.runtime.chain.abi import BadEncoding, artifact
from hansa.runtime.chain.calls import Call
from hansa.runtime.chain.client import Block, Chain, Log
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.chain.structs import address

MOST_CHANGES = 10_000  # of one identity: who makes more is not read
FOR_GOOD = 100 * 365 * 86_400  # seconds, of what is to stay until it is revoked
ENCRYPTION = did.KEY_NAME.ljust(32, b"\0")


class Registry:
    """Reads at the latest block unless `at` names one. ChainUnavailable, or WrongChain where nothing is deployed."""

    def __init__(self, chain: Chain, at: Address) -> None:
        self.chain = chain
        self.address = at

    @classmethod
    def of(cls, chain: Chain, deployment: Deployment) -> Registry:
        """FatalError where the federation was deployed without one."""
        if deployment.registry is None:
            raise without("registry", deployment)
        return cls(chain, deployment.registry)

    # --- reads

    def owner(self, identity: Address, at: Block | None = None) -> Address:
        """Who may change an identity: itself, until it says otherwise."""
        function = artifact("DidRegistry").functions["identityOwner"]
        return address(self.chain.read([(self.address, function, (identity,))], at)[0][0])

    def resolve(self, text: str, at: Block | None = None) -> Document:
        """The document of a DID as of a block. Malformed for what is none, WrongChain for another chain's."""
        named = did.parse_did(text)
        if named.chain_id != self.chain.chain_id:
            raise WrongChain(
                f"{text} is of chain {named.chain_id}",
                cause=f"this deployment is on chain {self.chain.chain_id}",
                next_step="name a deployment of that chain with --dir",
            )
        return self.document(named, at)

    def document(self, named: Did, at: Block | None = None) -> Document:
        block = at or self.chain.latest()
        document = did.document_of(named, self.changes(named.account, block), block.timestamp)
        did.require_whole(document)
        return document

    def changes(self, identity: Address, at: Block) -> list[Change]:
        """Every event of an identity up to a block, oldest first: each names the block of the one before it, and is
        looked for there alone. HistoryMismatch where a node leaves one out."""
        function = artifact("DidRegistry").functions["changed"]
        number = int(self.chain.read([(self.address, function, (identity,))], at)[0][0])
        found: list[Change] = []
        while number:
            if number > at.number:
                raise HistoryMismatch(f"{identity} is said to have changed in block {number}, which is to come")
            changes, number = self._changes_in(identity, number)
            found = changes + found
            if len(found) > MOST_CHANGES:
                raise Malformed(f"{identity} has changed more than {MOST_CHANGES} times", cause="nobody reads all that")
        return found

    def _changes_in(self, identity: Address, number: int) -> tuple[list[Change], int]:
        """The events in one block, and the number of the block of the one before them; 0 for none."""
        topic = bytes.fromhex(identity[2:]).rjust(32, b"\0")
        events = artifact("DidRegistry").events
        names = ("DIDOwnerChanged", "DIDDelegateChanged", "DIDAttributeChanged")
        kinds = [kind for kind, event in events.items() if event.name in names]
        logs = self.chain.logs(self.address, [kinds, topic], number, self.chain.block(number))
        if not logs:
            raise _omitted(identity, number)
        found, before = [], []
        for log in logs:
            change, previous = _change_in(log)
            found.append(change)
            before.append(previous)
        first, *rest = before
        if first >= number or any(previous != number for previous in rest):
            raise _omitted(identity, number)
        return found, first

    # --- calls

    def set_encryption_key(self, identity: Address, key: bytes) -> Call:
        return self._call("set the encryption key of a DID", "setAttribute", identity, ENCRYPTION, key, FOR_GOOD)

    def revoke_encryption_key(self, identity: Address, key: bytes) -> Call:
        return self._call("revoke an encryption key of a DID", "revokeAttribute", identity, ENCRYPTION, key)

    def add_delegate(self, identity: Address, kind: str, delegate: Address, validity: int) -> Call:
        """kind: veriKey (signs) or sigAuth (signs, and authenticates). validity: seconds."""
        return self._call(f"name {delegate} a delegate", "addDelegate", identity, _word(kind), delegate, validity)

    def revoke_delegate(self, identity: Address, kind: str, delegate: Address) -> Call:
        return self._call(f"take {delegate} back as a delegate", "revokeDelegate", identity, _word(kind), delegate)

    def _call(self, what: str, function: str, *arguments: object) -> Call:
        return Call(self.address, artifact("DidRegistry").functions[function].encode(*arguments), what)


def without(what: str, deployment: Deployment) -> FatalError:
    """What is said of a deployment that has no such contract."""
    return FatalError(
        f"the deployment {deployment.name} names no {what}",
        cause="it was made by an earlier version, or its file was changed by hand",
        next_step="ask whoever deployed it for a newer deployment.json; `hansa deploy` makes one with all contracts",
    )


def _word(text: str) -> bytes:
    return text.encode().ljust(32, b"\0")


def _change_in(log: Log) -> tuple[Change, int]:
    """An event, and the block that it names as that of the one before."""
    event = artifact("DidRegistry").events[log.topics[0]]
    try:
        fields = event.decode(log.topics, log.data)
    except BadEncoding as error:
        raise HistoryMismatch(f"an event of the registry can't be read: {error}") from error
    previous = int(fields["previousChange"])
    if event.name == "DIDOwnerChanged":
        return OwnerChanged(Address(to_checksum_address(fields["owner"]))), previous
    if event.name == "DIDDelegateChanged":
        delegate = Address(to_checksum_address(fields["delegate"]))
        return DelegateChanged(fields["delegateType"], delegate, int(fields["validTo"])), previous
    return AttributeChanged(fields["name"], fields["value"], int(fields["validTo"])), previous


def _omitted(identity: Address, number: int) -> HistoryMismatch:
    return HistoryMismatch(
        f"the events of {identity} in block {number} are not those that the registry counts",
        cause="an RPC node leaves some out, or keeps none of that age",
        next_step="name an endpoint that keeps all logs in deployment.json",
    )
