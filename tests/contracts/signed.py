"""Every message of the identity contracts that somebody signs and anybody may send: one row a type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from brownie import chain
from eth_account import Account
from node import now, word

REGISTRY, CREDENTIALS = "Hansa DID registry", "Hansa credentials"
SIGNER = Account.from_key(word("the signer's key"))
OTHER = Account.from_key(word("another key"))
DAY = 86_400
ACCOUNT = "0x00000000000000000000000000000000000000A1"


@dataclass(frozen=True)
class Message:
    """domain: what the contract calls itself. whose: the field whose account signs. fields: type by name, in order,
    without nonce and deadline. values: as they are signed, and sent but for `whose` where that is an issuer's."""

    domain: str
    call: str
    type: str
    whose: str
    fields: Mapping[str, str]
    values: Mapping[str, Any]

    def typed(self, contract: Any, number: int, deadline: int, **domain: Any) -> dict[str, Any]:
        """What is signed. domain: fields of the domain that are to be others."""
        fields = {**self.fields, "nonce": "uint256", "deadline": "uint256"}
        named = {"name": self.domain, "version": "1", "chainId": chain.id, "verifyingContract": contract.address}
        return {
            "domain": {**named, **domain},
            "primaryType": self.type,
            "types": {
                "EIP712Domain": [
                    {"name": "name", "type": "string"},
                    {"name": "version", "type": "string"},
                    {"name": "chainId", "type": "uint256"},
                    {"name": "verifyingContract", "type": "address"},
                ],
                self.type: [{"name": name, "type": kind} for name, kind in fields.items()],
            },
            "message": {**self.values, "nonce": number, "deadline": deadline},
        }

    def sign(
        self,
        contract: Any,
        *,
        number: int | None = None,
        deadline: int | None = None,
        signer: Any = SIGNER,
        **domain: Any,
    ) -> tuple[int, bytes]:
        """Deadline and signature of this message; of the signer's next nonce, for an hour, unless told otherwise."""
        number = contract.nonce(self.values[self.whose]) if number is None else number
        deadline = now() + 3600 if deadline is None else deadline
        signed = signer.sign_typed_data(full_message=self.typed(contract, number, deadline, **domain))
        return deadline, bytes(signed.signature)

    def send(self, contract: Any, by: Any, deadline: int, signature: bytes) -> Any:
        return getattr(contract, self.call)(*self.values.values(), deadline, signature, {"from": by})

    def altered(self, field: str) -> Message:
        """The same with another value in one field."""
        kind = self.fields[field]
        other = {
            "address": OTHER.address,
            "bytes32": word("another word"),
            "bytes": b"other bytes",
            "uint256": 2 * DAY,
            "uint48": 2**33,
        }[kind]
        return replace(self, values={**self.values, field: other})

    def __str__(self) -> str:
        return self.type


def messages(uid: bytes) -> list[Message]:
    """uid: of a credential that the signer issued."""
    identity = {"identity": "address"}
    delegate = {**identity, "delegateType": "bytes32", "delegate": "address"}
    attribute = {**identity, "name": "bytes32", "value": "bytes"}
    me = {"identity": SIGNER.address}
    its_delegate = {**me, "delegateType": b"veriKey".ljust(32, b"\0"), "delegate": ACCOUNT}
    its_attribute = {**me, "name": b"did/svc/HansaTrainer".ljust(32, b"\0"), "value": b"https://example.org"}
    validity, valid = {"validity": "uint256"}, {"validity": DAY}
    credential = {
        "issuer": "address",
        "schema": "bytes32",
        "subject": "address",
        "expires": "uint48",
        "data": "bytes",
    }
    issued = {
        "issuer": SIGNER.address,
        "schema": word("schema"),
        "subject": ACCOUNT,
        "expires": 2**32,
        "data": b"data",
    }
    revoked = {"issuer": SIGNER.address, "uid": uid}
    registry = (
        ("ChangeOwner", {**identity, "newOwner": "address"}, {**me, "newOwner": ACCOUNT}),
        ("AddDelegate", {**delegate, **validity}, {**its_delegate, **valid}),
        ("RevokeDelegate", delegate, its_delegate),
        ("SetAttribute", {**attribute, **validity}, {**its_attribute, **valid}),
        ("RevokeAttribute", attribute, its_attribute),
    )
    rows = [
        Message(REGISTRY, f"{name[0].lower()}{name[1:]}Signed", name, "identity", fields, values)
        for name, fields, values in registry
    ]
    rows.append(Message(CREDENTIALS, "attestByDelegation", "Attest", "issuer", credential, issued))
    rows.append(
        Message(CREDENTIALS, "revokeByDelegation", "Revoke", "issuer", {"issuer": "address", "uid": "bytes32"}, revoked)
    )
    return rows
