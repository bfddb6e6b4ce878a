"""Our registry and our credentials, as the field's libraries and as we read them: the same."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from worlds import NAMES, World

from hansa.devnet.anvil import published_key
from hansa.protocol import jwt
from hansa.protocol.credential import claims_of, schema_of
from hansa.protocol.did import did_of, encryption_keys, require_whole
from hansa.protocol.errors import HistoryMismatch, Malformed
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.calls import Call
from hansa.runtime.identity.credentials import CredentialBook
from hansa.runtime.identity.registry import ENCRYPTION, Registry

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).parent / "node" / "did.mjs"
PACKAGES = ("ethr-did-resolver", "did-resolver", "did-jwt-vc", "did-jwt")
YEAR = 365 * 86_400
Ask = Callable[..., Any]


@pytest.fixture
def registry(world: World) -> Registry:
    return Registry.of(world.chain, world.deployment)


@pytest.fixture
def book(world: World) -> CredentialBook:
    return CredentialBook.of(world.chain, world.deployment)


@pytest.fixture
def node_says(world: World) -> Ask:
    """What the libraries answer; skips where they are not installed."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    if missing := [name for name in PACKAGES if not (ROOT / "node_modules" / name).is_dir()]:
        pytest.skip(f"node_modules has no {', '.join(missing)}: npm ci")

    def ask(task: str, **more: Any) -> Any:
        asked = {
            "task": task,
            "rpc": world.anvil.url,
            "chainId": world.chain.chain_id,
            "registry": world.deployment.registry,
        }
        done = subprocess.run(
            ["node", str(SCRIPT)], input=json.dumps({**asked, **more}), capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


def key_of(name: str) -> bytes:
    return published_key(NAMES.index(name))


def change(world: World, name: str, function: str, *arguments: Any, of: str | None = None) -> None:
    """Sends a change of an identity, one's own by default."""
    assert world.deployment.registry is not None
    data = artifact("DidRegistry").functions[function].encode(world.address(of or name), *arguments)
    world.do(name, Call(world.deployment.registry, data, function))


def word(text: str) -> bytes:
    return text.encode().ljust(32, b"\0")


def busy(world: World) -> None:
    """A little of everything that an identity can change, two events in one block too."""
    bob, carol = world.address("bob"), world.address("carol")
    change(world, "alice", "setAttribute", ENCRYPTION, b"\1" * 32, YEAR)
    change(world, "alice", "setAttribute", word("did/svc/HansaTrainer"), b"https://example.org/a", YEAR)
    change(world, "alice", "setAttribute", word("did/svc/Other"), b'{"uri": ["https://b", 1]}', YEAR)
    change(world, "alice", "setAttribute", word("did/pub/Ed25519/veriKey/base58"), b"\0\7" * 16, YEAR)
    change(world, "alice", "setAttribute", word("did/pub/Secp256k1/veriKey/hex"), b"\2" * 33, YEAR)
    change(world, "alice", "setAttribute", word("did/pub/RSA/sigAuth/pem"), b"-----BEGIN", YEAR)
    change(world, "alice", "setAttribute", word("did/pub/Odd/thing/other"), b"\3", YEAR)
    change(world, "alice", "setAttribute", b"\xff" * 32, b"not text", YEAR)
    change(world, "alice", "setAttribute", word("nothing of a DID"), b"x", YEAR)
    change(world, "alice", "addDelegate", word("veriKey"), bob, YEAR)
    change(world, "alice", "addDelegate", word("sigAuth"), carol, YEAR)
    change(world, "alice", "addDelegate", word("stranger"), carol, YEAR)
    change(world, "bob", "setAttribute", ENCRYPTION, b"\5" * 32, YEAR)
    change(world, "alice", "revokeAttribute", word("did/svc/Other"), b'{"uri": ["https://b", 1]}')
    change(world, "alice", "setAttribute", word("did/svc/Brief"), b"over", 1)
    over = world.chain.latest().timestamp + 2
    time.sleep(max(0.0, over - time.time()))  # the library asks the clock what is over, we the chain
    sent: list[Any] = []
    world.rpc("evm_setIntervalMining", 3600)  # nothing is mined by itself
    nonce = int(world.rpc("eth_getTransactionCount", world.address("alice"), "latest"), 16)
    for place, function in enumerate((("setAttribute", ENCRYPTION, b"\6" * 32, YEAR), ("changeOwner", carol))):
        name, *arguments = function
        data = artifact("DidRegistry").functions[name].encode(world.address("alice"), *arguments)
        sending = {
            "from": world.address("alice"),
            "to": world.deployment.registry,
            "data": "0x" + data.hex(),
            "nonce": hex(nonce + place),
            "gas": hex(200_000),
        }
        sent.append(world.rpc("eth_sendTransaction", sending))
    world.rpc("evm_mine")
    world.rpc("evm_setAutomine", True)
    world.rpc("evm_mine")
    mined = [world.rpc("eth_getTransactionReceipt", each) for each in sent]
    assert mined[0]["blockNumber"] == mined[1]["blockNumber"], mined
    world.pass_time(5)


def without_dangling(document: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The library's document without the references to revoked encryption keys that it leaves, and those."""
    known = {method["id"] for method in document["verificationMethod"]}
    whole, dangling = deepcopy(document), [each for each in document.get("keyAgreement", ()) if each not in known]
    left = [each for each in document.get("keyAgreement", ()) if each in known]
    if "keyAgreement" in whole:
        whole["keyAgreement"] = left
    if not left:
        whole.pop("keyAgreement", None)
    return whole, dangling


def test_document__of_an_untouched_identity__is_the_librarys(world: World, registry: Registry, node_says: Ask) -> None:
    did = did_of(world.chain.chain_id, world.address("dave"))
    found = node_says("resolve", did=did)
    assert registry.resolve(did) == found["didDocument"]
    assert found["didDocumentMetadata"] == {}


def test_document__of_a_busy_identity__is_the_librarys(world: World, registry: Registry, node_says: Ask) -> None:
    busy(world)
    did = did_of(world.chain.chain_id, world.address("alice"))
    ours, theirs = registry.resolve(did), node_says("resolve", did=did)["didDocument"]
    assert ours == theirs
    assert len(ours["verificationMethod"]) == 9 and len(ours["service"]) == 1 and len(ours["keyAgreement"]) == 2
    assert list(ours["verificationMethod"][0].values())[-1].endswith(world.address("carol"))


def test_document__after_an_encryption_key_was_revoked__is_the_librarys_but_for_what_dangles(
    world: World, registry: Registry, node_says: Ask
) -> None:
    did = did_of(world.chain.chain_id, world.address("alice"))
    change(world, "alice", "setAttribute", ENCRYPTION, b"\1" * 32, YEAR)
    change(world, "alice", "setAttribute", ENCRYPTION, b"\2" * 32, YEAR)
    change(world, "alice", "revokeAttribute", ENCRYPTION, b"\1" * 32)
    world.pass_time(2)
    ours, theirs = registry.resolve(did), node_says("resolve", did=did)["didDocument"]
    whole, dangling = without_dangling(theirs)
    assert ours == whole and dangling == [f"{did}#delegate-1"], "if nothing dangles any more, so much the better"
    assert encryption_keys(ours) == [b"\2" * 32]
    with pytest.raises(Malformed, match="delegate-1"):
        require_whole(theirs)


def test_document__given_up__is_the_librarys(world: World, registry: Registry, node_says: Ask) -> None:
    did = did_of(world.chain.chain_id, world.address("alice"))
    change(world, "alice", "setAttribute", ENCRYPTION, b"\1" * 32, YEAR)
    change(world, "alice", "changeOwner", "0x" + "0" * 40)
    found = node_says("resolve", did=did)
    # The registry itself takes an owner of 0 for none: the account is its own owner still.
    assert registry.resolve(did) == found["didDocument"] and found["didDocumentMetadata"]["deactivated"]


def test_document__of_a_did_that_names_a_key__is_the_librarys(world: World, registry: Registry, node_says: Ask) -> None:
    key = Account.from_key(key_of("alice"))._key_obj.public_key.to_compressed_bytes().hex()
    did = f"did:ethr:{hex(world.chain.chain_id)}:0x{key}"
    assert registry.resolve(did) == node_says("resolve", did=did)["didDocument"]


def test_changes__that_a_node_leaves_out__are_missed(
    world: World, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = world.address("alice")
    change(world, "alice", "setAttribute", ENCRYPTION, b"\1" * 32, YEAR)
    change(world, "alice", "revokeAttribute", ENCRYPTION, b"\1" * 32)
    assert len(registry.changes(alice, world.chain.latest())) == 2
    read = world.chain.logs
    monkeypatch.setattr(world.chain, "logs", lambda *of: [])
    with pytest.raises(HistoryMismatch, match="leaves some out"):
        registry.changes(alice, world.chain.latest())

    def twice(*of: Any) -> Any:
        """One more event than there was, in a block that had one."""
        return read(*of) * 2

    monkeypatch.setattr(world.chain, "logs", twice)
    with pytest.raises(HistoryMismatch, match="leaves some out"):
        registry.changes(alice, world.chain.latest())


def issued(world: World, book: CredentialBook, subject: str = "bob", issuer: str = "alice") -> str:
    """A credential on chain, and its token."""
    expires = world.chain.latest().timestamp + YEAR
    receipt = world.do(issuer, book.attest(schema_of("participant"), world.address(subject), expires)).receipt
    found = book.credential(book.issued_in(receipt))
    claims = claims_of(found, world.chain.chain_id, book.address, "participant")
    return jwt.sign(claims, key_of(issuer))


def test_credential__of_ours__is_verified_by_the_library(world: World, book: CredentialBook, node_says: Ask) -> None:
    token = issued(world, book)
    found = node_says("verify", jwt=token)
    assert found["verified"], found
    credential = found["verifiableCredential"]
    assert credential["issuer"] == {"id": did_of(world.chain.chain_id, world.address("alice"))}
    assert credential["credentialSubject"] == {"id": did_of(world.chain.chain_id, world.address("bob"))}
    assert credential["credentialStatus"]["id"].startswith(f"eip155:{world.chain.chain_id}:{book.address}/0x")


def test_credential__changed_or_by_another__is_refused_by_both(
    world: World, book: CredentialBook, registry: Registry, node_says: Ask
) -> None:
    claims = jwt.read(issued(world, book)).claims
    forged = jwt.sign(claims, key_of("carol"))
    found = node_says("verify", jwt=forged)
    assert not found["verified"] and "no matching public key" in found["reason"]
    assert book.verify(forged, registry)[1] == ["nobody signed it whose key its issuer's DID names"]


def test_credential__by_a_delegate_of_the_issuer__is_verified_by_both(
    world: World, book: CredentialBook, registry: Registry, node_says: Ask
) -> None:
    change(world, "alice", "addDelegate", word("veriKey"), world.address("carol"), YEAR)
    token = jwt.sign(jwt.read(issued(world, book)).claims, key_of("carol"))
    assert node_says("verify", jwt=token)["verified"] and book.verify(token, registry)[1] == []


def test_credential__issued_by_the_library__is_verified_by_ours(
    world: World, book: CredentialBook, registry: Registry, node_says: Ask
) -> None:
    claims = jwt.read(issued(world, book)).claims
    payload = {name: claims[name] for name in ("sub", "nbf", "exp", "vc")}
    token = node_says("issue", did=claims["iss"], key=key_of("alice").hex(), payload=payload)["jwt"]
    claim, faults = book.verify(token, registry)
    assert (faults, claim.subject) == ([], claims["sub"])
    world.do("alice", book.revoke(claim.uid))
    assert book.verify(token, registry)[1] == ["it is revoked"]
    assert node_says("verify", jwt=token)["verified"], "the library looks at signature and times alone"


def test_credential__after_the_issuer_changed_hands__is_the_new_owners_to_sign(
    world: World, book: CredentialBook, registry: Registry, node_says: Ask
) -> None:
    token = issued(world, book)
    change(world, "alice", "changeOwner", world.address("carol"))
    again = jwt.sign(jwt.read(token).claims, key_of("carol"))
    assert not node_says("verify", jwt=token)["verified"] and node_says("verify", jwt=again)["verified"]
    assert book.verify(token, registry)[1] and book.verify(again, registry)[1] == []


def test_credential__expired__is_refused_by_ours(world: World, book: CredentialBook, registry: Registry) -> None:
    token = issued(world, book)
    world.pass_time(YEAR + 1)
    assert book.verify(token, registry)[1] == ["it has expired"]
