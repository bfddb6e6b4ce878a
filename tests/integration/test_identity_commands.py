"""`hansa id` and `hansa credential`, on a chain, as people type them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from worlds import NAMES, World

from hansa.cli.main import app
from hansa.devnet.anvil import published_key
from hansa.protocol import envelope
from hansa.protocol.credential import schema_of
from hansa.protocol.did import did_of
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.identity.credentials import CredentialBook
from hansa.runtime.identity.registry import Registry
from hansa.runtime.keystore import Keyfile, encryption_secret

ACCOUNTS = ("alice", "bob", "carol")


@pytest.fixture
def here(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the deployment and three keystores."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.setenv("HANSA_DIR", str(folder))
    monkeypatch.setenv("HANSA_PASSWORD", "secret")
    world.deployment.save(folder / "deployment.json")
    for name in ACCOUNTS:
        Keyfile.create(folder / "keys" / f"{name}.json", "secret", published_key(NAMES.index(name)), light=True)
    return folder


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, done.output


def told(*words: str) -> Any:
    code, output = run(*words, "--json")
    assert code == 0, output
    return json.loads(output)


def test_show__of_an_account_that_did_nothing__is_its_own(world: World, here: Path) -> None:
    found = told("id", "show", "alice")
    alice = world.address("alice")
    assert found == {
        "did": did_of(world.chain.chain_id, alice),
        "account": alice,
        "owner": alice,
        "signers": [alice],
        "announced_key": None,
        "did_keys": [],
        "keys_agree": True,
    }
    assert f"owner      alice {alice}" in run("id", "show", "alice")[1].replace("(", "").replace(")", "")


def test_key__goes_to_both_places_once(world: World, here: Path) -> None:
    account = Keyfile.load(here / "keys" / "alice.json", "secret")
    key = f"0x{envelope.public_key(encryption_secret(account)).hex()}"
    found = told("id", "key", "--account", "alice")
    assert (found["announced_key"], found["did_keys"], found["keys_agree"]) == (key, [key], True)
    assert world.federation.announced_key(world.address("alice")) == bytes.fromhex(key[2:])
    code, said = run("id", "key", "--account", "alice")
    assert code == 0 and "it was announced already" in said
    assert int(world.rpc("eth_getTransactionCount", account.address, "latest"), 16) == 2


def test_key__another_in_the_did__is_revoked_and_doctor_says_so_before(world: World, here: Path) -> None:
    registry = Registry.of(world.chain, world.deployment)
    told("id", "key", "--account", "alice")
    world.do("alice", registry.set_encryption_key(world.address("alice"), b"\7" * 32))
    found = told("id", "show", "alice")
    assert len(found["did_keys"]) == 2 and not found["keys_agree"]
    said = run("doctor")[1]
    assert "the DID of alice names another key than it announced; `hansa id key` makes them the same" in said
    found = told("id", "key", "--account", "alice")
    assert len(found["did_keys"]) == 1 and found["keys_agree"]
    assert "registry and credentials are ours; 3 accounts with one key each" in run("doctor")[1]


def test_delegate__signs_until_it_is_taken_back(world: World, here: Path) -> None:
    alice, bob = sorted((world.address("alice"), world.address("bob")))
    assert told("id", "delegate", "bob", "--for", "1d", "--account", "alice")["signers"] == [alice, bob]
    revoked = told("id", "delegate", "bob", "--revoke", "--account", "alice")
    assert revoked["signers"] == [world.address("alice")], "at once, and on a chain that stands still"
    assert told("id", "show", "alice")["signers"] == [world.address("alice")]


def test_resolve__prints_the_document(world: World, here: Path) -> None:
    did = did_of(world.chain.chain_id, world.address("alice"))
    found = told("id", "resolve", "alice")
    assert found["id"] == did and found == told("id", "resolve", did) == json.loads(run("id", "resolve", did)[1])
    code, said = run("id", "resolve", did.replace("0x7a69", "0x1"))
    assert code == 1 and "is of chain 1" in said
    assert "is not a did:ethr" in run("id", "resolve", "did:key:z6Mk")[1]


def test_credential__from_issue_to_revoke(world: World, here: Path, tmp_path: Path) -> None:
    issued = told("credential", "issue", "bob", "--for", "30d", "--account", "alice")
    assert issued["valid"] and issued["issuer"] == world.address("alice") and issued["subject"] == world.address("bob")
    assert told("credential", "list", "bob")["credentials"] == [issued]
    assert told("credential", "list", "carol")["credentials"] == []
    assert told("credential", "list", "--issuer", "alice")["credentials"] == [issued]
    assert told("credential", "verify", "bob", "--issuer", "alice")["valid"]

    file = tmp_path / "bob.jwt"
    exported = told("credential", "export", "bob", "--out", str(file), "--account", "alice")
    assert exported["uid"] == issued["uid"] and file.read_text() == f"{exported['jwt']}\n"
    assert told("credential", "verify", str(file))["uid"] == issued["uid"]
    code, said = run("credential", "verify", str(file), "--issuer", "carol")
    assert code == 1 and f"it is not by {world.address('carol')}" in said

    revoked = told("credential", "revoke", "bob", "--account", "alice")
    assert (revoked["uid"], revoked["valid"], revoked["faults"]) == (issued["uid"], False, ["it is revoked"])
    for words in (("verify", str(file)), ("verify", "bob", "--issuer", "alice")):
        code, said = run("credential", *words)
        assert code == 1 and "counts no: it is revoked" in said
    code, said = run("credential", "export", "bob", "--account", "alice")
    assert code == 1 and "no credential" in said and "it is revoked" in said
    code, said = run("credential", "revoke", "bob", "--account", "alice")
    assert code == 1 and "has revoked it already" in said


def test_credential__issued_again__takes_the_place_of_the_first(world: World, here: Path, tmp_path: Path) -> None:
    file = tmp_path / "bob.jwt"
    told("credential", "issue", "bob", "--account", "alice")
    told("credential", "export", "bob", "--out", str(file), "--account", "alice")
    told("credential", "issue", "bob", "--account", "alice")
    code, said = run("credential", "verify", str(file))
    assert code == 1 and "a newer one" in said
    assert [each["valid"] for each in told("credential", "list")["credentials"]] == [False, True]


def test_credential__of_another_schema_or_none__is_none(here: Path) -> None:
    told("credential", "issue", "bob", "--schema", "ward-7", "--account", "alice")
    code, said = run("credential", "verify", "bob", "--issuer", "alice")
    assert code == 1 and "has issued it no credential of schema participant" in said
    assert told("credential", "verify", "bob", "--issuer", "alice", "--schema", "ward-7")["valid"]
    code, said = run("credential", "revoke", "bob", "--account", "alice")
    assert code == 1 and "has issued it no credential" in said
    code, said = run("credential", "issue", "bob", "--schema", "two words", "--account", "alice")
    assert code == 1 and "is not the name of a schema" in said


def test_verify__of_a_token__asks_what_it_says(here: Path, tmp_path: Path) -> None:
    """An issuer that vouches for a guest has not vouched for a member."""
    file = tmp_path / "bob.jwt"
    told("credential", "issue", "bob", "--schema", "guest", "--account", "alice")
    told("credential", "export", "bob", "--schema", "guest", "--out", str(file), "--account", "alice")
    found = told("credential", "verify", str(file), "--issuer", "alice", "--schema", "guest")
    assert found["valid"] and found["schema"] == f"0x{schema_of('guest').hex()}"
    code, said = run("credential", "verify", str(file), "--issuer", "alice", "--schema", "participant")
    assert code == 1 and "counts no: it is not of schema participant" in said
    code, said = run("credential", "verify", str(file), "--issuer", "alice")
    assert code == 0 and f"schema 0x{schema_of('guest').hex()}" in said


def test_list__with_a_strangers_endless_credential__is_shown(world: World, here: Path) -> None:
    """Anybody can issue one whose end no calendar has."""
    book = CredentialBook.of(world.chain, world.deployment)
    told("credential", "issue", "bob", "--account", "alice")
    world.do("carol", book.attest(schema_of("participant"), world.address("bob"), 2**48 - 1))
    code, said = run("credential", "list")
    assert code == 0 and said.count("counts yes") == 2 and f"until  second {2**48 - 1} of Unix time" in said


def test_verify__of_an_account__asks_whom_one_trusts(here: Path) -> None:
    code, said = run("credential", "verify", "bob")
    assert code == 1 and "anybody can issue a credential about anybody; name whom you trust with --issuer" in said


def test_verify__of_a_file_that_is_no_token__says_so(here: Path, tmp_path: Path) -> None:
    for text, said in (("hello", "not a JSON web token"), ("é", "not a JSON web token"), ("a.b.c", "base64url")):
        (tmp_path / "x.jwt").write_text(text)
        code, output = run("credential", "verify", str(tmp_path / "x.jwt"))
        assert code == 1 and said in output


def test_deployment__of_an_earlier_version__says_what_is_missing(world: World, here: Path) -> None:
    """It loads, and everything else works."""
    fields = json.loads((here / "deployment.json").read_text())
    for name in ("registry", "credentials"):
        fields.pop(name)
    (here / "deployment.json").write_text(json.dumps(fields))
    assert Deployment.load(here / "deployment.json").registry is None
    code, said = run("id", "show", "alice")
    assert code == 1 and "names no registry" in said and "`hansa deploy --dir " in said
    code, said = run("credential", "list")
    assert code == 1 and "names no credentials" in said
    assert "jobs open to everybody need none" in run("doctor")[1]
