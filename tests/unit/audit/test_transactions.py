"""Transactions of strangers: who signed them, and what for."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode as abi_encode
from eth_account import Account
from eth_utils.crypto import keccak

from hansa.protocol.typed_data import ORDER
from hansa.runtime.chain.abi import Artifact, BadEncoding, Field, Function, artifact
from hansa.runtime.transactions.asked import BUNDLE, read_calls
from hansa.runtime.transactions.signed import BadTransaction, read_transaction, transaction_bytes
from hansa.runtime.transactions.strict_rlp import decode, encode

ALICE = Account.from_key("0x" + "a1" * 32)
TO = "0x" + "2" * 40
BASE = {"nonce": 3, "gas": 50_000, "to": "0x" + "22" * 20, "value": 0, "data": "0x1234"}
ACCESS = [{"address": "0x" + "33" * 20, "storageKeys": ["0x" + "44" * 32]}]
KINDS: dict[str, dict[str, Any]] = {
    "for any chain": {**BASE, "gasPrice": 7},
    "for one chain": {**BASE, "gasPrice": 7, "chainId": 5},
    "with a large chain id": {**BASE, "gasPrice": 7, "chainId": 2**40},
    "access list": {**BASE, "gasPrice": 7, "chainId": 5, "type": 1, "accessList": ACCESS},
    "dynamic fee": {**BASE, "maxFeePerGas": 7, "maxPriorityFeePerGas": 0, "chainId": 5, "type": 2},
    "dynamic fee, access list": {**BASE, "maxFeePerGas": 7, "maxPriorityFeePerGas": 1, "chainId": 5, "type": 2,
                                 "accessList": ACCESS},
    "no call": {**{k: v for k, v in BASE.items() if k != "to"}, "gasPrice": 7, "chainId": 5},
}  # fmt: skip


def signed(kind: str) -> Any:
    return ALICE.sign_transaction(KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_transaction__says_who_signed_what(kind: str) -> None:
    made = signed(kind)
    sent = read_transaction(bytes(made.raw_transaction))
    assert sent.signer == ALICE.address and sent.hash == bytes(made.hash) and sent.data == b"\x12\x34"
    assert sent.chain_id == KINDS[kind].get("chainId")
    assert sent.to == (KINDS[kind]["to"] if kind != "no call" else None)


@pytest.mark.parametrize("kind", KINDS)
def test_transaction__any_bit_flipped__has_another_signer_or_none(kind: str) -> None:
    raw = bytes(signed(kind).raw_transaction)
    for bit in range(0, 8 * len(raw), 3):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            assert read_transaction(bytes(changed)).signer != ALICE.address
        except BadTransaction:
            continue


def told(kind: str) -> dict[str, Any]:
    """A transaction as a node tells it in fields."""
    made, asked = signed(kind), KINDS[kind]
    names = {"data": "input", "type": "type", "accessList": "accessList", "to": "to"}
    answer = {names.get(name, name): value if name in names else hex(value) for name, value in asked.items()}
    answer |= {"v": hex(made.v), "r": hex(made.r), "s": hex(made.s), "hash": "0x" + bytes(made.hash).hex()}
    answer |= {"type": hex(asked.get("type", 0)), "to": asked.get("to"), "from": ALICE.address}
    return answer if not asked.get("type") else {"accessList": [], **answer, "yParity": hex(made.v)}


@pytest.mark.parametrize("kind", KINDS)
def test_rebuilt__is_what_was_sent__or_none(kind: str) -> None:
    raw, answer = bytes(signed(kind).raw_transaction), told(kind)
    assert transaction_bytes(answer) == raw
    assert transaction_bytes({name: value for name, value in answer.items() if name != "yParity"}) == raw
    for change in ({"nonce": "0x4"}, {"input": "0x"}, {"hash": "0x" + "00" * 32}, {"r": None}, {"type": "0x7e"}):
        assert transaction_bytes({**answer, **change}) is None
    assert transaction_bytes({name: value for name, value in answer.items() if name != "gas"}) is None


def parts(kind: str = "for one chain") -> list[Any]:
    found = decode(bytes(signed(kind).raw_transaction), 3)
    assert isinstance(found, list)
    return found


def high() -> bytes:
    *fields, v, r, s = parts()
    other = (ORDER - int.from_bytes(s, "big")).to_bytes(32, "big")
    return encode([*fields, bytes([v[0] ^ 1 if v[0] > 45 else 46 - (v[0] - 45)]), r, other])


ODD = {
    "nothing": b"",
    "a kind to come": b"\x04" + encode(parts()),
    "a kind of zero": b"\x00" + encode(parts()),
    "no list": encode(b"text"),
    "fewer fields": encode(parts()[:-1]),
    "more fields": encode([*parts(), b""]),
    "a short address": encode([*parts()[:3], b"\x22" * 19, *parts()[4:]]),
    "a list of data": encode([*parts()[:5], [b"\x12"], *parts()[6:]]),
    "a padded nonce": encode([b"\0\3", *parts()[1:]]),
    "no r": encode([*parts()[:7], b"", parts()[8]]),
    "no s": encode([*parts()[:8], b""]),
    "r out of bounds": encode([*parts()[:7], ORDER.to_bytes(32, "big"), parts()[8]]),
    "the other s": high(),
    "v of no form": encode([*parts()[:6], b"\x1d", *parts()[7:]]),
    "v of zero": encode([*parts()[:6], b"", *parts()[7:]]),
    "r on no point": encode([*parts()[:7], b"\5", parts()[8]]),
    "a byte more": bytes(signed("for one chain").raw_transaction) + b"\0",
}


@pytest.mark.parametrize("raw", ODD.values(), ids=ODD)
def test_transaction__that_is_none__is_refused(raw: bytes) -> None:
    with pytest.raises(BadTransaction):
        read_transaction(raw)


# --- calls

MULTICALL = Function(BUNDLE, keccak(text="multicall(bytes[])")[:4], (Field("data", "bytes[]"),), ())
OURS = artifact("Federation")
CONTRACT = Artifact("Federation", {**OURS.functions, BUNDLE: MULTICALL}, {}, {}, (), "", {})
STOP = OURS.functions["stop"].encode(7)
SHEET = OURS.functions["attest"].encode(7, 2**24 | 1, 3, b"\5")


def bundle(*calls: bytes) -> bytes:
    return MULTICALL.encode(list(calls))


def names(data: bytes) -> list[str]:
    return [call.name for call in read_calls(CONTRACT, data)]


def test_calls__of_plain_data_and_of_bundles() -> None:
    [stop] = read_calls(CONTRACT, STOP)
    assert (stop.name, stop.arguments) == ("stop", {"job": 7})
    [attest] = read_calls(CONTRACT, SHEET)
    assert attest.arguments == {"job": 7, "cycle": 2**24 | 1, "seat": 3, "bitmap": b"\5"}
    assert names(bundle(STOP, SHEET)) == ["stop", "attest"] and names(bundle()) == []
    assert names(bundle(SHEET, bundle(STOP, bundle(), SHEET), STOP)) == ["attest", "stop", "attest", "stop"]


def nested(times: int) -> bytes:
    data = STOP
    for _ in range(times):
        data = bundle(data)
    return data


def repeated(count: int) -> bytes:
    """A bundle whose calls are all the same bytes."""
    inner = abi_encode(["bytes"], [STOP * 100])[32:]
    words = [32, count, *[32 * count] * count]
    return MULTICALL.selector + b"".join(word.to_bytes(32, "big") for word in words) + inner


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\1\2\3\4",
        STOP[:-1],
        STOP + b"\0",
        SHEET[:-1] + b"\1",
        SHEET[:68] + b"\1" + SHEET[69:],
        bundle(STOP) + b"\0",
        bundle(STOP)[:-1],
        bundle(STOP)[:-1] + b"\1",
        bundle(STOP + b"\0"),
        bundle(STOP, b"\1\2\3\4"),
        MULTICALL.selector,
        MULTICALL.selector + bytes(31) + b"\x40" + bundle(STOP)[36:],
        repeated(2),
        repeated(1000),
        nested(17),
    ],
)
def test_calls__in_another_encoding__are_refused(data: bytes) -> None:
    with pytest.raises(BadEncoding):
        names(data)


def test_calls__within_calls__are_read_as_deep_as_anybody_would_go() -> None:
    assert names(nested(16)) == ["stop"]
