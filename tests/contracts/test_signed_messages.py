"""What somebody signed counts once, on this chain, at this contract, until its deadline, for what it names."""

from __future__ import annotations

import brownie
import pytest
from brownie import Credentials, DidRegistry
from eth_account import Account
from node import at, now, refused, word
from signed import CREDENTIALS, OTHER, REGISTRY, SIGNER, Message, messages

TYPES = [str(message) for message in messages(bytes(32))]
WRONG = {REGISTRY: "Did_NotOwner", CREDENTIALS: "Credentials_WrongSigner"}
LATE = {REGISTRY: "Did_TooLate", CREDENTIALS: "Credentials_TooLate"}
CONTRACTS = {REGISTRY: DidRegistry, CREDENTIALS: Credentials}


@pytest.fixture
def there(actors):
    """By domain, two contracts of a kind."""
    return {name: [kind.deploy({"from": actors["deployer"]}) for _ in range(2)] for name, kind in CONTRACTS.items()}


@pytest.fixture(params=TYPES)
def message(request, there, mallory) -> Message:
    first = messages(bytes(32))[TYPES.index("Attest")]
    issued = first.send(there[CREDENTIALS][0], mallory, *first.sign(there[CREDENTIALS][0]))
    uid = bytes(issued.events["CredentialIssued"]["uid"])
    return messages(uid)[TYPES.index(request.param)]


@pytest.fixture
def contract(there, message):
    return there[message.domain][0]


def is_refused(message, contract, by, deadline, signature, why=None):
    with refused(why or WRONG[message.domain]):
        message.send(contract, by, deadline, signature)


def test_signed__by_the_account__is_taken_from_anybody(message, contract, mallory):
    number = contract.nonce(SIGNER.address)
    assert message.send(contract, mallory, *message.sign(contract)).events
    assert contract.nonce(SIGNER.address) == number + 1


def test_signed__same_nonce_again__reverts(message, contract, mallory):
    first = message.sign(contract)
    message.send(contract, mallory, *first)
    is_refused(message, contract, mallory, *first)


def test_signed__nonce_to_come__reverts(message, contract, mallory):
    is_refused(message, contract, mallory, *message.sign(contract, number=contract.nonce(SIGNER.address) + 1))


@pytest.mark.parametrize(
    "domain",
    [{"chainId": 1}, {"verifyingContract": OTHER.address}, {"name": "Hansa"}, {"version": "2"}],
    ids=lambda domain: next(iter(domain)),
)
def test_signed__for_another_domain__reverts(message, contract, mallory, domain):
    is_refused(message, contract, mallory, *message.sign(contract, **domain))


def test_signed__at_the_other_contract__reverts(message, contract, there, mallory):
    signed = message.sign(contract, number=0)
    is_refused(message, there[message.domain][1], mallory, *signed)


def test_signed__for_the_other_kinds_domain__reverts(message, contract, mallory):
    other = next(name for name in CONTRACTS if name != message.domain)
    is_refused(message, contract, mallory, *message.sign(contract, name=other))


def test_signed__with_any_other_argument__reverts(message, contract, mallory):
    signed = message.sign(contract)
    for field in message.fields:
        is_refused(message.altered(field), contract, mallory, *signed)


def test_signed__deadline__is_the_last_second(message, contract, mallory):
    end = now() + 100
    signed = message.sign(contract, deadline=end)
    at(end + 1)
    is_refused(message, contract, mallory, *signed, why=LATE[message.domain])


def test_signed__in_the_last_second__is_taken(message, contract, mallory):
    end = now() + 100
    signed = message.sign(contract, deadline=end)
    at(end)
    message.send(contract, mallory, *signed)


def test_signed__deadline_put_off__reverts(message, contract, mallory):
    deadline, signature = message.sign(contract)
    is_refused(message, contract, mallory, deadline + 1, signature)


def test_signed__by_somebody_else__reverts(message, contract, mallory):
    is_refused(message, contract, mallory, *message.sign(contract, signer=OTHER))


def test_signed__other_type_with_the_same_fields__reverts(message, contract, mallory):
    """Only the type's name tells a revocation of a delegate from another message of such fields."""
    typed = message.typed(contract, contract.nonce(SIGNER.address), now() + 3600)
    typed["types"]["Other"] = typed["types"].pop(message.type)
    signed = SIGNER.sign_typed_data(full_message={**typed, "primaryType": "Other"})
    is_refused(message, contract, mallory, typed["message"]["deadline"], bytes(signed.signature))


def test_signed__high_s_and_short_ones__revert(message, contract, mallory):
    deadline, signature = message.sign(contract)
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high = order - int.from_bytes(signature[32:64], "big")
    twisted = signature[:32] + high.to_bytes(32, "big") + bytes([55 - signature[64]])
    for bad in (twisted, signature[:64], b""):
        with brownie.reverts():
            message.send(contract, mallory, deadline, bad)


def test_signed__of_an_identity_that_changed_hands__counts_no_more(there, mallory):
    """The nonce is the identity's: what its former owner signed is refused, and what its owner signs is taken."""
    registry = there[REGISTRY][0]
    owner = Account.from_key(word("the new owner's key"))
    change, _, _, attribute, _ = messages(bytes(32))[:5]
    change = Message(**{**vars(change), "values": {**change.values, "newOwner": owner.address}})
    stale = attribute.sign(registry, number=1)
    change.send(registry, mallory, *change.sign(registry))
    is_refused(attribute, registry, mallory, *stale)
    attribute.send(registry, mallory, *attribute.sign(registry, signer=owner))
    assert registry.nonce(SIGNER.address) == 2 and registry.nonce(owner.address) == 0
