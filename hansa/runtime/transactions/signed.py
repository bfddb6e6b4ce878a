"""Signed transactions as they were sent: who signed what for which chain.

Kinds 0 (with and without a chain id), 1 and 2 (EIP-155, EIP-2930, EIP-1559). Read in one form only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from eth_utils.crypto import keccak
from eth_utils.hexadecimal import decode_hex

from hansa.protocol.typed_data import BadSignature, recover
from hansa.protocol.types import Address
from hansa.runtime.chain.structs import address
from hansa.runtime.transactions.strict_rlp import BadRlp, Item, decode, encode, number_bytes, to_number

LEGACY = ("nonce", "gasPrice", "gas", "to", "value", "input")
FIELDS: Final = {
    0: LEGACY,
    1: ("chainId", *LEGACY, "accessList"),
    2: ("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas", "to", "value", "input", "accessList"),
}
DEEPEST = 4  # the transaction, its access list, an entry, its keys


class BadTransaction(ValueError):
    """Bytes that are no transaction of a kind that can be read here, or not as they are written."""


@dataclass(frozen=True)
class SignedTransaction:
    """chain_id: None where it was signed for any chain. to: None where it makes a contract."""

    signer: Address
    chain_id: int | None
    to: Address | None
    data: bytes
    hash: bytes


def read_transaction(raw: bytes) -> SignedTransaction:
    """BadTransaction where it can't be read, or nobody's signature is on it."""
    kind = 0 if raw[:1] >= b"\xc0" else raw[0] if raw else -1
    if kind not in FIELDS or (kind == 0) != (raw[:1] >= b"\xc0"):
        raise BadTransaction(f"a transaction of kind {kind}")
    try:
        items = decode(raw[1:] if kind else raw, DEEPEST)
        return _read(kind, items, keccak(raw))
    except (BadRlp, BadSignature) as error:
        raise BadTransaction(str(error)) from error


def _read(kind: int, items: Item, hash_: bytes) -> SignedTransaction:
    names = FIELDS[kind]
    if not isinstance(items, list) or len(items) != len(names) + 3:
        raise BadTransaction("a transaction of other fields")
    fields, (v, r, s) = dict(zip(names, items, strict=False)), map(to_number, items[-3:])
    for name, value in fields.items():
        if name not in ("to", "input", "accessList"):
            to_number(value)
    to, data = fields["to"], fields["input"]
    if not isinstance(to, bytes) or len(to) not in (0, 20) or not isinstance(data, bytes):
        raise BadTransaction("a transaction to no address")
    unsigned, chain_id, odd = items[:-3], fields.get("chainId"), v
    if kind == 0 and v >= 35:
        chain_id, odd = number_bytes((v - 35) // 2), (v - 35) % 2
        unsigned = [*unsigned, chain_id, b"", b""]
    elif kind == 0:
        odd = v - 27
    signed = (bytes([kind]) if kind else b"") + encode(unsigned)
    target = address("0x" + to.hex()) if to else None
    number = None if chain_id is None else to_number(chain_id)
    return SignedTransaction(recover(keccak(signed), r, s, odd), number, target, data, hash_)


def transaction_bytes(answer: Mapping[str, Any]) -> bytes | None:
    """A transaction as it was sent, from a node's answer in fields; None where its hash is of something else."""
    try:
        wanted, kind = decode_hex(answer["hash"]), int(answer.get("type") or "0x0", 16)
        items = [_field(name, answer[name]) for name in FIELDS[kind]]
        odd = answer["v"] if kind == 0 else answer.get("yParity") or answer["v"]
        items += [number_bytes(int(value, 16)) for value in (odd, answer["r"], answer["s"])]
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
    raw = (bytes([kind]) if kind else b"") + encode(items)
    return raw if keccak(raw) == wanted else None


def _field(name: str, value: Any) -> Item:
    if name in ("to", "input"):
        return decode_hex(value) if value is not None else b""
    if name == "accessList":
        return [[decode_hex(entry["address"]), [decode_hex(key) for key in entry["storageKeys"]]] for entry in value]
    return number_bytes(int(value, 16))
