"""What accounts sign, against another implementation of EIP-712, and what counts as a signature."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from hansa.protocol import typed_data
from hansa.protocol.types import Address

ALICE = Account.from_key("0x" + "a1" * 32)
FEDERATION = Address("0x" + "22" * 20)
KINDS: dict[str, dict[str, Any]] = {
    typed_data.ENROL: {"job": 7, "termsHash": b"\1" * 32, "bond": 2**96 - 1, "data": b"proof", "deadline": 2**40},
    typed_data.SUBMIT: {"job": 7, "cycle": 2**64 - 1, "seed": b"\2" * 32, "digest": b"\3" * 32},
    typed_data.REJOIN: {"job": 2**255, "cycle": 5},
    typed_data.PERMIT: {"owner": ALICE.address, "spender": FEDERATION, "value": 1, "nonce": 0, "deadline": 9},
}
SEPARATOR = typed_data.domain(31337, FEDERATION)


def sign(kind: str, values: dict[str, Any]) -> bytes:
    """By eth_account's own implementation."""
    name, _, rest = kind.partition("(")
    fields = [field.split(" ") for field in rest.rstrip(")").split(",")]
    domain = {"name": "Hansa", "version": "1", "chainId": 31337, "verifyingContract": FEDERATION}
    types = {name: [{"type": type_, "name": field} for type_, field in fields]}
    return bytes(ALICE.sign_message(encode_typed_data(domain, types, values)).signature)


@pytest.mark.parametrize("kind", KINDS)
def test_digest__is_what_others_sign(kind: str) -> None:
    hashed = typed_data.digest(SEPARATOR, kind, {**KINDS[kind], "more": 1})
    assert typed_data.signer_of(hashed, sign(kind, KINDS[kind])) == ALICE.address


@pytest.mark.parametrize("kind", KINDS)
def test_digest__of_anything_else__is_another(kind: str) -> None:
    hashed = typed_data.digest(SEPARATOR, kind, KINDS[kind])
    others = [
        typed_data.digest(separator, kind, KINDS[kind])
        for separator in (
            typed_data.domain(1, FEDERATION),
            typed_data.domain(31337, Address("0x" + "33" * 20)),
            typed_data.domain(31337, FEDERATION, "Other"),
            typed_data.domain(31337, FEDERATION, version="2"),
        )
    ]
    for name, value in KINDS[kind].items():
        other: Any = value + b"\1" if name == "data" else b"\7" * 32 if isinstance(value, bytes) else 77
        other = "0x" + "77" * 20 if isinstance(value, str) else other
        others.append(typed_data.digest(SEPARATOR, kind, {**KINDS[kind], name: other}))
    assert hashed not in others and len(set(others)) == len(others)


def test_signature__that_is_none__is_refused() -> None:
    hashed = typed_data.digest(SEPARATOR, typed_data.REJOIN, KINDS[typed_data.REJOIN])
    good = sign(typed_data.REJOIN, KINDS[typed_data.REJOIN])
    s, v = int.from_bytes(good[32:64], "big"), good[64]
    high = good[:32] + (typed_data.ORDER - s).to_bytes(32, "big") + bytes([55 - v])
    zero = good[:32] + bytes(32) + good[64:]
    for bad in (b"", good[:-1], good + b"\0", bytes(65), high, zero, good[:64] + b"\x1d", good[:64] + bytes([v - 27])):
        with pytest.raises(typed_data.BadSignature):
            typed_data.signer_of(hashed, bad)
    assert typed_data.signer_of(b"\1" * 32, good) != ALICE.address
