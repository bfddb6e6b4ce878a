"""Writes tests/vectors/did.json: what the changes of an identity say of its owner, delegates and encryption keys.

`python tests/vectors/write/did_vectors.py` writes it, `--check` says whether the committed file is what would be
written. The page must find the same.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from vector_file import VECTORS, write_or_check

from hansa.protocol.did import (
    KEY_NAME,
    NOBODY,
    AttributeChanged,
    Change,
    DelegateChanged,
    OwnerChanged,
    did_of,
    document_of,
    encryption_keys,
    parse_did,
)
from hansa.protocol.types import Address

PATH: Final = VECTORS / "did.json"
CHAIN, NOW, PAST, LATER = 31337, 1000, 999, 2000
ALICE = Address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
BOB = Address("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC")
CAROL = Address("0x90F79bf6EB2c4f870365E785982E1f101E93b906")
KEYS = [bytes([n]) * 32 for n in range(1, 4)]


def _word(text: str | bytes) -> bytes:
    return (text.encode() if isinstance(text, str) else text).ljust(32, b"\0")


def _key(key: bytes, until: int = LATER, name: str | bytes = KEY_NAME) -> AttributeChanged:
    return AttributeChanged(_word(name), key, until)


def _delegate(account: Address, kind: str = "veriKey", until: int = LATER) -> DelegateChanged:
    return DelegateChanged(_word(kind), account, until)


CASES: Final[dict[str, list[Change]]] = {
    "nothing has changed": [],
    "another owner, and itself again": [OwnerChanged(BOB), OwnerChanged(ALICE)],
    "an owner that is another": [OwnerChanged(BOB), _key(KEYS[0])],
    "given up, whatever comes later": [_key(KEYS[0]), OwnerChanged(NOBODY), OwnerChanged(BOB), _key(KEYS[1])],
    "a key, and one in its place": [_key(KEYS[0]), _key(KEYS[0], 0), _key(KEYS[1])],
    "a key that is set twice stays where it was": [_key(KEYS[0]), _key(KEYS[1]), _key(KEYS[0])],
    "a key that is set again after it was revoked is the newest": [
        _key(KEYS[0]), _key(KEYS[1]), _key(KEYS[0], 0), _key(KEYS[0]),
    ],
    "keys to the last second": [_key(KEYS[0], PAST), _key(KEYS[1], NOW), _key(KEYS[2], LATER)],
    "keys of other kinds": [
        _key(KEYS[0], name="did/pub/X25519/enc/hex"), _key(KEYS[1], name="did/pub/Secp256k1/veriKey/hex"),
        _key(b"https://example.test", name="did/svc/HansaTrainer"), _key(KEYS[2], name="did/pub/Ed25519/enc/base64"),
    ],
    "names that are none": [_key(KEYS[0], name=b"\xff\xfe"), _key(KEYS[1], name="key"), _key(KEYS[2], name="did/pub/")],
    "keys of any length": [_key(b""), _key(b"\0" * 300), _key("<script>‮".encode())],
    "delegates that sign, and one that does nothing": [
        _delegate(BOB), _delegate(CAROL, "sigAuth"), _delegate(CAROL, "enc"), _delegate(BOB, until=PAST),
    ],
    "a delegate in two ways": [_delegate(BOB), _delegate(BOB, "sigAuth")],
}  # fmt: skip


def make() -> dict[str, Any]:
    """Every case, its changes and what they come to."""
    return {"account": ALICE, "now": NOW, "cases": [_case(what, changes) for what, changes in CASES.items()]}


def _case(what: str, changes: list[Change]) -> dict[str, Any]:
    document = document_of(parse_did(did_of(CHAIN, ALICE)), changes, NOW)
    own, *delegates = [
        method["blockchainAccountId"].rpartition(":")[2]
        for method in document["verificationMethod"]
        if "blockchainAccountId" in method
    ] or [None]
    keys = [f"0x{key.hex()}" for key in encryption_keys(document)]
    return {"what": what, "changes": list(map(_written, changes)), "owner": own, "delegates": delegates, "keys": keys}


def _written(change: Change) -> dict[str, Any]:
    if isinstance(change, OwnerChanged):
        return {"kind": "owner", "owner": change.owner}
    if isinstance(change, DelegateChanged):
        named = {"kind": "delegate", "name": f"0x{change.kind.hex()}", "delegate": change.delegate}
    else:
        named = {"kind": "attribute", "name": f"0x{change.name.hex()}", "value": f"0x{change.value.hex()}"}
    return {**named, "validTo": str(change.valid_to)}


if __name__ == "__main__":
    sys.exit(write_or_check(PATH, make, __file__, sys.argv[1:]))
