"""ERC-1056: owners, delegates, attributes, and the chain of blocks that a resolver walks back."""

from __future__ import annotations

import brownie
import pytest
from brownie import DidRegistry
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from node import at, now, refused, together

KEY = b"did/pub/X25519/enc/base64".ljust(32, b"\0")
SIGNING = b"veriKey".ljust(32, b"\0")
DAY = 86_400
NOBODY = "0x" + "0" * 40


@pytest.fixture
def registry(actors):
    return DidRegistry.deploy({"from": actors["deployer"]})


def test_identity__is_its_own_owner_at_first(registry, alice):
    assert registry.identityOwner(alice) == alice
    assert (registry.owners(alice), registry.changed(alice), registry.nonce(alice)) == (NOBODY, 0, 0)


def test_change_owner__hands_everything_over(registry, alice, bob):
    event = registry.changeOwner(alice, bob, {"from": alice}).events["DIDOwnerChanged"]
    assert (event["identity"], event["owner"], event["previousChange"]) == (alice, bob, 0)
    assert registry.identityOwner(alice) == registry.owners(alice) == bob
    with refused("Did_NotOwner", alice, alice):
        registry.changeOwner(alice, alice, {"from": alice})
    registry.changeOwner(alice, alice, {"from": bob})
    assert registry.identityOwner(alice) == alice


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("changeOwner", ()),
        ("addDelegate", (SIGNING, DAY)),
        ("revokeDelegate", (SIGNING,)),
        ("setAttribute", (KEY, b"key", DAY)),
        ("revokeAttribute", (KEY, b"key")),
    ],
)
def test_change__by_anybody_else__reverts(registry, alice, mallory, call, arguments):
    given = list(arguments)
    if call == "changeOwner":
        given = [mallory]
    elif "Delegate" in call:
        given.insert(1, mallory)
    with refused("Did_NotOwner", alice, mallory):
        getattr(registry, call)(alice, *given, {"from": mallory})


def test_delegate__is_valid_for_its_time(registry, alice, bob):
    added = registry.addDelegate(alice, SIGNING, bob, DAY, {"from": alice})
    until = added.timestamp + DAY
    assert added.events["DIDDelegateChanged"]["validTo"] == until
    assert registry.delegates(alice, keccak(encode(["bytes32"], [SIGNING])), bob) == until
    assert registry.validDelegate(alice, SIGNING, bob)
    assert not registry.validDelegate(alice, KEY, bob) and not registry.validDelegate(bob, SIGNING, alice)
    at(until)
    registry.revokeDelegate(bob, SIGNING, alice, {"from": bob})
    assert not registry.validDelegate(alice, SIGNING, bob)


def test_delegate__revoked__is_none_at_once(registry, alice, bob):
    registry.addDelegate(alice, SIGNING, bob, DAY, {"from": alice})
    revoked = registry.revokeDelegate(alice, SIGNING, bob, {"from": alice})
    assert revoked.events["DIDDelegateChanged"]["validTo"] == revoked.timestamp
    assert not registry.validDelegate(alice, SIGNING, bob)


def test_attribute__is_an_event_alone(registry, alice):
    event = registry.setAttribute(alice, KEY, b"a key", DAY, {"from": alice}).events["DIDAttributeChanged"]
    assert (event["identity"], bytes(event["name"]), bytes(event["value"])) == (alice, KEY, b"a key")
    assert event["validTo"] == now() + DAY
    assert registry.revokeAttribute(alice, KEY, b"a key", {"from": alice}).events[0]["validTo"] == 0


def test_validity__without_end__reverts(registry, alice, bob):
    with brownie.reverts():
        registry.addDelegate(alice, SIGNING, bob, 2**256 - 1, {"from": alice})


def test_changed__leads_back_through_every_block(registry, alice, bob):
    blocks = [registry.setAttribute(alice, KEY, b"first", DAY, {"from": alice}).block_number]
    registry.setAttribute(bob, KEY, b"another's", DAY, {"from": bob})
    done = [
        registry.addDelegate(alice, SIGNING, bob, DAY, {"from": alice}),
        registry.changeOwner(alice, bob, {"from": alice}),
    ]
    for receipt in done:
        assert receipt.events[0]["previousChange"] == blocks[-1]
        blocks.append(receipt.block_number)
    assert registry.changed(alice) == blocks[-1]


def test_changed__twice_in_a_block__names_that_block(registry, alice):
    before = registry.setAttribute(alice, KEY, b"first", DAY, {"from": alice}).block_number
    second, third = together(
        now() + 10,
        (registry.setAttribute, (alice.address, KEY, b"second", DAY), alice),
        (registry.revokeAttribute, (alice.address, KEY, b"first"), alice),
    )
    assert second.events[0]["previousChange"] == before
    assert third.events[0]["previousChange"] == third.block_number == registry.changed(alice)
