"""Releases count as their signer's alone, whatever a node says of them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from eth_account import Account
from eth_utils.address import to_checksum_address
from masked_chain import Given, given

from hansa.protocol.types import Address, Digest, Seat
from hansa.runtime.chain.abi import artifact
from hansa.runtime.masked import signed_releases
from hansa.runtime.masked.signed_releases import SignedReleases

KEYS = [Account.from_key(bytes([number + 1]) * 32) for number in range(4)]
MEMBERS = tuple(Address(key.address) for key in KEYS)


def raw(here: Given, key: Any, seat: int, digest: bytes, **changed: Any) -> bytes:
    """A signed call of `release`."""
    asked = {"job": 1, "cycle": here.cycles[0].cycle, "seat": seat, "digest": digest} | changed
    function = artifact("Federation").functions["release"]
    data = function.encode(*[asked[field.name] for field in function.inputs])
    sent = {
        "to": changed.get("to", here.base.place.federation),
        "chainId": changed.get("chain", here.base.place.chain_id),
        "data": data,
        "nonce": 0,
        "gas": 100_000,
        "maxFeePerGas": 1,
        "maxPriorityFeePerGas": 1,
        "value": 0,
    }
    return bytes(key.sign_transaction(sent).raw_transaction)


def verified(monkeypatch: pytest.MonkeyPatch, here: Given, raws: list[bytes], contracts: tuple[Address, ...] = ()):
    logs = [SimpleNamespace(transaction=bytes([number]) * 32) for number in range(len(raws))]
    monkeypatch.setattr(
        signed_releases, "fetch_transactions", lambda chain, hashes: dict(zip(hashes, raws, strict=True))
    )
    chain = SimpleNamespace(logs=lambda *_: logs, code=lambda account: b"\1" if account in contracts else b"")
    federation = cast(Any, SimpleNamespace(chain=chain))
    return SignedReleases(federation).of(here.base, cast(Any, None))


@pytest.fixture
def here() -> Given:
    made = given(4, 2)
    place = made.world.place._replace(federation=Address(to_checksum_address("0x" + "fe" * 20)))
    made.world.place = place
    made.cycles[0] = replace(made.cycles[0], committee=MEMBERS)
    made.release({seat: Digest(bytes([seat + 65]) * 32) for seat in range(4)})
    return made


def test_release__that_its_member_signed_counts(monkeypatch: pytest.MonkeyPatch, here: Given) -> None:
    raws = [raw(here, KEYS[seat], seat, bytes([seat + 65]) * 32) for seat in range(3)]
    assert verified(monkeypatch, here, raws) == {Seat(s): {bytes([s + 65]) * 32} for s in range(3)}


@pytest.mark.parametrize(
    "key, seat, digest, changed",
    [
        (3, 0, b"A" * 32, {}),
        (0, 0, b"Z" * 32, {}),
        (0, 0, b"A" * 32, {"job": 2}),
        (0, 0, b"A" * 32, {"cycle": 9}),
        (0, 0, b"A" * 32, {"to": to_checksum_address("0x" + "ab" * 20)}),
        (0, 0, b"A" * 32, {"chain": 5}),
        (0, 200, b"A" * 32, {}),
    ],
    ids=["another's", "other file", "other job", "other cycle", "other contract", "other chain", "no seat"],
)
def test_release__of_anything_else_does_not(monkeypatch, here: Given, key, seat, digest, changed) -> None:
    assert verified(monkeypatch, here, [raw(here, KEYS[key], seat, digest, **changed)]) == {}


def test_nonsense__is_passed_over(monkeypatch: pytest.MonkeyPatch, here: Given) -> None:
    good = raw(here, KEYS[1], 1, b"B" * 32)
    assert verified(monkeypatch, here, [b"", b"\x02nothing", good]) == {Seat(1): {b"B" * 32}}


def test_contract_in_a_members_place__counts_for_nobody(monkeypatch: pytest.MonkeyPatch, here: Given) -> None:
    assert verified(monkeypatch, here, [raw(here, KEYS[0], 0, b"A" * 32)], contracts=(MEMBERS[0],)) == {}
