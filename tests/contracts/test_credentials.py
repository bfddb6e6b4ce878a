"""Credentials: issued, expiring, revocable; only the latest counts."""

from __future__ import annotations

import pytest
from brownie import Credentials, chain
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from node import at, now, refused, word

DAY = 86_400
SCHEMA = keccak(text="hansa.participant.v1")


@pytest.fixture
def credentials(actors):
    return Credentials.deploy({"from": actors["deployer"]})


@pytest.fixture
def issue(credentials, sponsor):
    def issue(subject, expires=None, data=b"", schema=SCHEMA, by=None, contract=credentials):
        done = contract.attest(schema, subject, expires or now() + DAY, data, {"from": by or sponsor})
        return bytes(done.events["CredentialIssued"]["uid"])

    return issue


def test_attest__is_kept_whole(credentials, issue, sponsor, alice):
    expires = now() + DAY
    uid = issue(alice, expires, b"ward 7")
    assert bytes(credentials.latest(sponsor, SCHEMA, alice)) == uid
    kept = credentials.credentialOf(uid).dict()
    assert (kept["issuer"], kept["subject"], bytes(kept["schema"])) == (sponsor, alice, SCHEMA)
    assert (kept["time"], kept["expires"], kept["revoked"], bytes(kept["data"])) == (now(), expires, 0, b"ward 7")
    types = ["uint256", "address", "bytes32", "address", "address", "uint48", "uint48", "bytes", "bytes32"]
    parties = [sponsor.address, alice.address]
    named = [chain.id, credentials.address, SCHEMA, *parties, now(), expires, b"ward 7", bytes(32)]
    assert uid == keccak(encode(types, named))


def test_attest__that_is_over_when_it_begins__reverts(credentials, sponsor, alice):
    end = now() + 100
    at(end)
    with refused("Credentials_Expired", end):
        credentials.attest(SCHEMA, alice, end, b"", {"from": sponsor})


def test_valid__until_it_expires(credentials, issue, sponsor, alice, bob):
    end = now() + 100
    issue(alice, end)
    at(end - 1)
    issue(bob)
    assert credentials.isValid(sponsor, SCHEMA, alice)
    at(end)
    issue(bob)
    assert not credentials.isValid(sponsor, SCHEMA, alice)


def test_valid__is_of_one_issuer_one_schema_one_subject(credentials, issue, sponsor, alice, bob):
    issue(alice)
    assert credentials.isValid(sponsor, SCHEMA, alice)
    assert not credentials.isValid(sponsor, SCHEMA, bob), "another subject"
    assert not credentials.isValid(bob, SCHEMA, alice), "another issuer"
    assert not credentials.isValid(sponsor, word("schema"), alice), "another schema"


def test_revoke__takes_it_back_for_good(credentials, issue, sponsor, alice):
    uid = issue(alice)
    event = credentials.revoke(uid, {"from": sponsor}).events["CredentialRevoked"]
    assert (bytes(event["uid"]), event["issuer"], event["subject"], bytes(event["schema"])) == (
        *(uid, sponsor, alice, SCHEMA),
    )
    assert not credentials.isValid(sponsor, SCHEMA, alice)
    assert credentials.credentialOf(uid).dict()["revoked"] == now()
    with refused("Credentials_AlreadyRevoked"):
        credentials.revoke(uid, {"from": sponsor})


def test_revoke__by_anybody_else__reverts(credentials, issue, alice, mallory):
    uid = issue(alice)
    for who in (alice, mallory):
        with refused("Credentials_NotIssuer"):
            credentials.revoke(uid, {"from": who})
    with refused("Credentials_NotIssuer"):
        credentials.revoke(word("no credential"), {"from": alice})


def test_issued_again__is_valid_again(credentials, issue, sponsor, alice):
    credentials.revoke(issue(alice), {"from": sponsor})
    second = issue(alice)
    assert bytes(credentials.latest(sponsor, SCHEMA, alice)) == second
    assert credentials.isValid(sponsor, SCHEMA, alice)


def test_older_one__revoked__changes_nothing(credentials, issue, sponsor, alice):
    first, second = issue(alice), issue(alice)
    assert first != second
    credentials.revoke(first, {"from": sponsor})
    assert credentials.isValid(sponsor, SCHEMA, alice)
    credentials.revoke(second, {"from": sponsor})
    assert not credentials.isValid(sponsor, SCHEMA, alice), "the older one doesn't come back"


def test_uids__of_two_contracts__differ(actors, issue, alice):
    other = Credentials.deploy({"from": actors["deployer"]})
    expires = now() + DAY
    assert issue(alice, expires) != issue(alice, expires, contract=other)
