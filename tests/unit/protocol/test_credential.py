"""Tokens signed by accounts, and the credentials that they carry."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account

from hansa.protocol import jwt
from hansa.protocol.credential import Credential, claims_of, faults, read_claims, schema_of, standing
from hansa.protocol.errors import Malformed
from hansa.protocol.types import Address

KEY = b"\7" * 32
ISSUER = Address(Account.from_key(KEY).address)
SUBJECT = Address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
CONTRACT = Address("0x5FbDB2315678afecb367f032d93F642f64180aa3")
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
CREDENTIAL = Credential(b"\1" * 32, schema_of("participant"), ISSUER, SUBJECT, 100, 200)
CLAIMS = claims_of(CREDENTIAL, 31337, CONTRACT, "participant")


def half(token: str) -> int:
    """s of a token's signature."""
    return int.from_bytes(base64.urlsafe_b64decode(token.rpartition(".")[2] + "==")[32:], "big")


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_token__is_read_as_it_was_signed_by_one_of_two() -> None:
    token = jwt.read(jwt.sign(CLAIMS, KEY))
    assert token.claims == CLAIMS and ISSUER in token.signers and len(token.signers) == 2


def test_token__is_the_same_each_time_and_its_s_is_low() -> None:
    assert jwt.sign(CLAIMS, KEY) == jwt.sign(CLAIMS, KEY)
    assert all(half(jwt.sign({"n": number}, KEY)) <= ORDER // 2 for number in range(30))


def test_token__with_another_claim__is_not_of_the_signer() -> None:
    header, _, signature = jwt.sign(CLAIMS, KEY).split(".")
    changed = {**CLAIMS, "sub": CLAIMS["iss"]}
    assert ISSUER not in jwt.read(f"{header}.{encoded(changed)}.{signature}").signers


def test_token__with_high_s__is_read_too() -> None:
    """Some libraries write it so; who signed is the same."""
    token = jwt.sign(CLAIMS, KEY)
    signing, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    high = base64.urlsafe_b64encode(raw[:32] + (ORDER - half(token)).to_bytes(32, "big")).rstrip(b"=").decode()
    assert ISSUER in jwt.read(f"{signing}.{high}").signers


@pytest.mark.parametrize(
    "header",
    [{"alg": "none"}, {"alg": "ES256"}, {"alg": "ES256K-R"}, {}, {"alg": "ES256K", "crit": ["exp"]}],
)
def test_token__of_another_algorithm__is_refused(header: dict[str, Any]) -> None:
    _, claims, signature = jwt.sign(CLAIMS, KEY).split(".")
    with pytest.raises(Malformed, match="not signed as an account signs"):
        jwt.read(f"{encoded(header)}.{claims}.{signature}")


def test_token__that_is_none__is_refused() -> None:
    header, claims, signature = jwt.sign(CLAIMS, KEY).split(".")
    twice = base64.urlsafe_b64encode(b'{"iss":"a","iss":"b"}').rstrip(b"=").decode()
    for text in (
        "",
        "a.b",
        f"{header}.{claims}",
        f"{header}.{claims}.",
        f"{header}.{claims}.{signature[:-2]}",
        f"{header}.{claims}.{signature}==",
        f"{header}.{twice}.{signature}",
        f"{header}.{encoded([1])}.{signature}",
        f"{header}.{'A' * 70_000}.{signature}",
        f"{header}.{claims}.{encoded('é' * 3)}",
    ):
        with pytest.raises(Malformed):
            jwt.read(text)


def test_token__whose_signature_is_nobodys__has_no_signers() -> None:
    header, claims, _ = jwt.sign(CLAIMS, KEY).split(".")
    nothing = base64.urlsafe_b64encode(bytes(64)).rstrip(b"=").decode()
    assert jwt.read(f"{header}.{claims}.{nothing}").signers == frozenset()


def test_claims__name_chain_contract_and_uid() -> None:
    claim = read_claims(CLAIMS)
    assert (claim.chain_id, claim.contract, claim.uid) == (31337, CONTRACT, CREDENTIAL.uid)
    assert (claim.schema, claim.not_before, claim.expires) == (CREDENTIAL.schema, 100, 200)
    assert CLAIMS["vc"]["credentialStatus"]["id"] == f"eip155:31337:{CONTRACT}/0x{'01' * 32}"
    assert claims_of(CREDENTIAL, 31337, CONTRACT)["vc"]["credentialSchema"]["id"].endswith(CREDENTIAL.schema.hex())


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "did:key:z"},
        {"sub": None},
        {"exp": "200"},
        {"nbf": 1.5},
        {"nbf": True},
        {"vc": None},
        {"vc": {}},
        {"vc": {**CLAIMS["vc"], "type": ["Other"]}},
        {"vc": {**CLAIMS["vc"], "credentialStatus": {"id": "eip155:1:0x00/0x00", "type": "HansaCredentialStatus"}}},
        {"vc": {**CLAIMS["vc"], "credentialStatus": {**CLAIMS["vc"]["credentialStatus"], "type": "Other"}}},
        {"vc": {**CLAIMS["vc"], "credentialSubject": {"id": CLAIMS["iss"]}}},
        {"vc": {**CLAIMS["vc"], "credentialSchema": {"id": "urn:other:x", "type": "X"}}},
    ],
)
def test_claims__that_are_no_credential_of_a_chain__are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match="not a credential of a chain"):
        read_claims({**CLAIMS, **change})


def test_claim__that_the_chain_bears_out__has_no_faults() -> None:
    assert faults(read_claims(CLAIMS), CREDENTIAL, CREDENTIAL.uid, 150) == []


@pytest.mark.parametrize(
    ("found", "latest", "now", "said"),
    [
        (replace(CREDENTIAL, subject=ISSUER), CREDENTIAL.uid, 150, "no such credential"),
        (replace(CREDENTIAL, issuer=SUBJECT), CREDENTIAL.uid, 150, "no such credential"),
        (replace(CREDENTIAL, schema=bytes(32)), CREDENTIAL.uid, 150, "no such credential"),
        (replace(CREDENTIAL, expires=300), CREDENTIAL.uid, 150, "its times"),
        (replace(CREDENTIAL, revoked=120), CREDENTIAL.uid, 150, "revoked"),
        (CREDENTIAL, CREDENTIAL.uid, 200, "expired"),
        (CREDENTIAL, b"\2" * 32, 150, "a newer one"),
    ],
)
def test_claim__that_the_chain_does_not_bear_out__says_why(
    found: Credential, latest: bytes, now: int, said: str
) -> None:
    (fault,) = faults(read_claims(CLAIMS), found, latest, now)
    assert said in fault


def test_standing__says_everything_that_is_wrong() -> None:
    assert len(standing(replace(CREDENTIAL, revoked=120), bytes(32), 300)) == 3


def test_schema__is_a_name_or_a_hash() -> None:
    assert schema_of("0x" + CREDENTIAL.schema.hex()) == schema_of("participant")
    for name in ("", "two words", "a" * 65, "-x", "0x12 "):
        with pytest.raises(Malformed):
            schema_of(name)
