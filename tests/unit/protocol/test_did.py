"""DIDs, and the documents that a registry's events make."""

from __future__ import annotations

import base64

import pytest

from hansa.protocol.did import (
    KEY_NAME,
    NOBODY,
    AttributeChanged,
    Change,
    DelegateChanged,
    OwnerChanged,
    account_of_key,
    did_of,
    document_of,
    encryption_keys,
    parse_did,
    require_whole,
    signers_of,
)
from hansa.protocol.errors import Malformed
from hansa.protocol.types import Address

ALICE = Address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
BOB = Address("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC")
ALICES_KEY = bytes.fromhex("02ba5734d8f7091719471e7f7ed6b9df170dc70cc661ca05e688601ad984f068b0")
DID = did_of(31337, ALICE)
NOW, LATER = 1000, 2000
KEY, OTHER_KEY = b"\1" * 32, b"\2" * 32


def word(text: str | bytes) -> bytes:
    return (text.encode() if isinstance(text, str) else text).ljust(32, b"\0")


def made(*changes: Change, did: str = DID) -> dict[str, object]:
    return document_of(parse_did(did), changes, NOW)


def enc(key: bytes, valid_to: int = LATER) -> AttributeChanged:
    return AttributeChanged(word(KEY_NAME), key, valid_to)


def test_did__is_parsed_as_it_is_written() -> None:
    assert f"did:ethr:0x7a69:{ALICE}" == DID
    assert (parse_did(DID).chain_id, parse_did(DID).account) == (31337, ALICE)
    assert parse_did(f"did:ethr:{ALICE.lower()}").chain_id == 1
    assert parse_did(f"did:ethr:mainnet:{ALICE}").account == ALICE
    named = parse_did(f"did:ethr:0x7a69:0x{ALICES_KEY.hex()}")
    assert (named.account, named.public_key) == (ALICE, ALICES_KEY)


@pytest.mark.parametrize(
    "text",
    ["", ALICE, f"did:key:{ALICE}", f"{DID}#controller", f"{DID}\n", "did:ethr:0x1:0x12", f"did:ethr:goerli:{ALICE}"],
)
def test_did__that_is_none__is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse_did(text)


def test_document__of_an_account_that_never_changed__has_its_own_key() -> None:
    document = made()
    assert document["verificationMethod"] == [
        {
            "id": f"{DID}#controller",
            "type": "EcdsaSecp256k1RecoveryMethod2020",
            "controller": DID,
            "blockchainAccountId": f"eip155:31337:{ALICE}",
        }
    ]
    assert document["authentication"] == document["assertionMethod"] == [f"{DID}#controller"]
    assert "keyAgreement" not in document and "service" not in document
    assert signers_of(document, 31337) == {ALICE} and signers_of(document, 1) == set()


def test_document__encryption_key__can_be_sealed_to_but_not_signed_with() -> None:
    document = made(enc(KEY))
    method = document["verificationMethod"][1]  # type: ignore[index]
    assert (method["id"], method["type"]) == (f"{DID}#delegate-1", "X25519KeyAgreementKey2019")
    assert base64.b64decode(method["publicKeyBase64"]) == KEY
    assert encryption_keys(document) == [KEY]
    assert signers_of(document, 31337) == {ALICE}


def test_document__revoked_key__leaves_every_list() -> None:
    document = made(enc(KEY), enc(KEY, 0), enc(OTHER_KEY))
    assert encryption_keys(document) == [OTHER_KEY]
    assert document["keyAgreement"] == [f"{DID}#delegate-3"], "a revocation is counted too"
    require_whole(document)


def test_document__expired_key__is_not_there() -> None:
    assert encryption_keys(made(enc(KEY, NOW))) == []
    assert encryption_keys(made(enc(KEY, NOW + 1))) == [KEY]


def test_encryption_keys__written_otherwise__are_none_of_them() -> None:
    assert encryption_keys(made(AttributeChanged(word("did/pub/X25519/enc/hex"), KEY, LATER), enc(OTHER_KEY))) == [
        OTHER_KEY
    ]


@pytest.mark.parametrize("purpose", ["keyAgreement", "authentication", "assertionMethod"])
def test_document__with_a_dangling_reference__is_refused(purpose: str) -> None:
    document = {**made(enc(KEY)), purpose: [f"{DID}#delegate-7"]}
    for look in (require_whole, encryption_keys, lambda each: signers_of(each, 31337)):
        with pytest.raises(Malformed, match="delegate-7"):
            look(document)


def test_document__of_a_changed_owner__names_the_owner() -> None:
    assert signers_of(made(OwnerChanged(BOB)), 31337) == {BOB}


def test_document__given_up__has_no_keys() -> None:
    document = made(enc(KEY), OwnerChanged(NOBODY), OwnerChanged(BOB))
    assert document["verificationMethod"] == [] == document["authentication"]
    assert signers_of(document, 31337) == set() and encryption_keys(document) == []


def test_delegate__signs_for_its_time() -> None:
    for kind, uses in (("veriKey", 1), ("sigAuth", 2)):
        document = made(DelegateChanged(word(kind), BOB, LATER))
        assert signers_of(document, 31337) == {ALICE, BOB}
        assert len(document["authentication"]) == uses  # type: ignore[arg-type]
    assert signers_of(made(DelegateChanged(word("veriKey"), BOB, NOW)), 31337) == {ALICE}, "revoked in this block"
    assert signers_of(made(DelegateChanged(word("other"), BOB, LATER)), 31337) == {ALICE}


def test_controller_key__of_a_did_that_names_it__is_a_key_until_the_owner_changes() -> None:
    did = f"did:ethr:0x7a69:0x{ALICES_KEY.hex()}"
    assert made(did=did)["authentication"] == [f"{did}#controller", f"{did}#controllerKey"]
    assert signers_of(made(did=did), 31337) == {ALICE}
    assert made(OwnerChanged(BOB), did=did)["authentication"] == [f"{did}#controller"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("did/pub/Secp256k1/veriKey/hex", ALICES_KEY, {"publicKeyHex": ALICES_KEY.hex()}),
        ("did/pub/Secp256k1/veriKey", ALICES_KEY, {"publicKeyHex": ALICES_KEY.hex()}),
        ("did/pub/Ed25519/veriKey/base58", b"\0\0\1", {"publicKeyBase58": "112"}),
        ("did/pub/RSA/veriKey/pem", b"-----BEGIN", {"publicKeyPem": "-----BEGIN"}),
        ("did/pub/X/veriKey/odd", b"\1", {"value": "01"}),
    ],
)
def test_public_key__is_written_as_its_name_asks(name: str, value: bytes, expected: dict[str, str]) -> None:
    method = made(AttributeChanged(word(name), value, LATER))["verificationMethod"][1]  # type: ignore[index]
    assert expected.items() <= method.items()


def test_signers__count_a_secp256k1_key_of_the_registry() -> None:
    name = word("did/pub/Secp256k1/veriKey/hex")
    assert signers_of(made(AttributeChanged(name, ALICES_KEY, LATER), did=did_of(31337, BOB)), 31337) == {ALICE, BOB}


@pytest.mark.parametrize(
    ("value", "endpoint"),
    [
        (b"https://a.b", "https://a.b"),
        (b'{"a": 1}', {"a": 1}),
        (b"[0.5]", [0.5]),
        (b"NaN", "NaN"),
        (b"[-Infinity]", "[-Infinity]"),
        (b'{"a": 1e999}', '{"a": 1e999}'),
    ],
)
def test_service__is_text_or_json(value: bytes, endpoint: object) -> None:
    document = made(AttributeChanged(word("did/svc/HansaTrainer"), value, LATER))
    assert document["service"] == [{"id": f"{DID}#service-1", "type": "HansaTrainer", "serviceEndpoint": endpoint}]


@pytest.mark.parametrize(
    "change",
    [
        AttributeChanged(b"\xff" * 32, b"x", LATER),
        AttributeChanged(word("other/name"), b"x", LATER),
        AttributeChanged(word("did/svc/X"), b"\xff", LATER),
        DelegateChanged(b"\xff" * 32, BOB, LATER),
    ],
)
def test_what_is_no_key_or_service__is_passed_over(change: Change) -> None:
    assert made(change) == made()


def test_account_of_key__nonsense__is_refused() -> None:
    for key in (b"", b"\1" * 33, b"\2" * 63):
        with pytest.raises(Malformed):
            account_of_key(key)
