"""did:ethr: what an account's DID is, and which document its registry's events make, as ethr-did-resolver 11 makes it.

An identity's document follows from its events in the order of the chain. It differs from that resolver's in two things:
a revoked key leaves `keyAgreement` too, so that no reference dangles; and what ends at a second doesn't count in it, as
the registry itself has it: a delegate that is taken back is none as of that very block.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from eth_keys.datatypes import PublicKey
from eth_utils.address import to_checksum_address

from hansa.protocol.errors import Malformed
from hansa.protocol.types import Address

KEY_NAME: Final = b"did/pub/X25519/enc/base64"
"""The attribute that carries an account's X25519 key."""

NOBODY: Final = Address("0x" + "0" * 40)
RECOVERY: Final = "EcdsaSecp256k1RecoveryMethod2020"
SECP256K1: Final = "EcdsaSecp256k1VerificationKey2019"
CONTEXT: Final = (
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/suites/secp256k1recovery-2020/v2",
    "https://w3id.org/security/v3-unstable",
)

_DID = re.compile(r"did:ethr:(?:(0x[0-9a-fA-F]{1,16}|mainnet):)?(0x[0-9a-fA-F]{40}|0x0[23][0-9a-fA-F]{64})")
_ATTRIBUTE = re.compile(r"did/(pub|svc)/(\w+)(?:/(\w+))?(?:/(\w+))?", re.ASCII)
_PURPOSES = {"sigAuth": "SignatureAuthentication2018", "veriKey": "VerificationKey2018", "enc": "KeyAgreementKey2019"}
_TYPES = {
    "Secp256k1VerificationKey2018": SECP256K1,
    "Ed25519SignatureAuthentication2018": "Ed25519VerificationKey2018",
    "Secp256k1SignatureAuthentication2018": SECP256K1,
    "RSAVerificationKey2018": "RSAVerificationKey2018",
    "Ed25519VerificationKey2018": "Ed25519VerificationKey2018",
    "X25519KeyAgreementKey2019": "X25519KeyAgreementKey2019",
}
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

Document = dict[str, Any]


@dataclass(frozen=True)
class OwnerChanged:
    owner: Address


@dataclass(frozen=True)
class DelegateChanged:
    kind: bytes  # 32 bytes
    delegate: Address
    valid_to: int  # seconds


@dataclass(frozen=True)
class AttributeChanged:
    name: bytes  # 32 bytes
    value: bytes
    valid_to: int  # seconds; 0: revoked


Change = OwnerChanged | DelegateChanged | AttributeChanged


@dataclass(frozen=True)
class Did:
    """A parsed did:ethr. public_key: the compressed key that the DID names in place of an address."""

    text: str
    chain_id: int
    account: Address
    public_key: bytes | None = None


def did_of(chain_id: int, account: Address) -> str:
    """The DID of an account."""
    return f"did:ethr:{hex(chain_id)}:{account}"


def parse_did(text: str) -> Did:
    """Malformed for what is no did:ethr. A network that isn't named is Ethereum's main one."""
    found = _DID.fullmatch(text)
    if found is None:
        raise Malformed(f"{text[:100]} is not a did:ethr", next_step="write it like did:ethr:0x7a69:0x…")
    network, identifier = found[1], found[2]
    chain_id = 1 if network in (None, "mainnet") else int(network, 16)
    if len(identifier) == 42:
        return Did(text, chain_id, Address(to_checksum_address(identifier)))
    key = bytes.fromhex(identifier[2:])
    return Did(text, chain_id, account_of_key(key), key)


def account_of_key(key: bytes) -> Address:
    """The account of a secp256k1 public key: 33 bytes, 65, or 64 without their prefix. Malformed for any other."""
    try:
        if len(key) == 33:
            return Address(PublicKey.from_compressed_bytes(key).to_checksum_address())
        return Address(PublicKey(key[-64:] if len(key) == 65 and key[0] == 4 else key).to_checksum_address())
    except Exception as error:  # eth_keys raises its own, ValueError and AssertionError
        raise Malformed("a public key is no point of secp256k1", cause=type(error).__name__) from error


def document_of(did: Did, changes: Iterable[Change], now: int) -> Document:
    """The DID document. changes: all of the identity, oldest first. now: seconds."""
    made = _Making(did.text, did.chain_id, did.account)
    for change in changes:
        if isinstance(change, OwnerChanged):
            made.owner = change.owner
            if change.owner == NOBODY:
                return _with_context({"id": did.text, **{part: [] for part in made.parts}})
        else:
            made.take(change, now)
    return _with_context(made.document(did.public_key))


def require_whole(document: Document) -> None:
    """Malformed where a reference of a document names a key that is not in it."""
    known = {method["id"] for method in document.get("verificationMethod", ())}
    for purpose in ("authentication", "assertionMethod", "keyAgreement"):
        for reference in document.get(purpose, ()):
            if reference not in known:
                raise Malformed(
                    f"the DID document of {document.get('id')} is not whole",
                    cause=f"its {purpose} names {reference}, which is not among its keys",
                    next_step="use a resolver that leaves out what is revoked, such as `hansa id resolve`",
                )


def encryption_keys(document: Document) -> list[bytes]:
    """The X25519 keys that a document says messages may be sealed to, oldest first. Malformed as `require_whole`."""
    require_whole(document)
    methods = {method["id"]: method for method in document["verificationMethod"]}
    named = [methods[reference] for reference in document.get("keyAgreement", ())]
    kind = "X25519KeyAgreementKey2019"
    keys = [each.get("publicKeyBase64") for each in named if each["type"] == kind]
    return [base64.b64decode(key) for key in keys if key is not None]


def signers_of(document: Document, chain_id: int) -> set[Address]:
    """The accounts whose secp256k1 signatures count for an identity. Malformed as `require_whole`."""
    require_whole(document)
    allowed, found = set(document.get("assertionMethod", ())), set()
    for method in document.get("verificationMethod", ()):
        if method["id"] not in allowed:
            continue
        prefix, _, account = str(method.get("blockchainAccountId", "")).rpartition(":")
        if method["type"] == RECOVERY and prefix == f"eip155:{chain_id}":
            found.add(Address(to_checksum_address(account)))
        elif method["type"] == SECP256K1 and "publicKeyHex" in method:
            found.add(account_of_key(bytes.fromhex(method["publicKeyHex"])))
    return found


@dataclass
class _Making:
    """A document while the events of its identity are read. Keys and services are numbered as they come, revocations
    too."""

    did: str
    chain_id: int
    owner: Address
    keys: int = 0
    services: int = 0
    methods: dict[Any, Document] = field(default_factory=dict)
    endpoints: dict[Any, Document] = field(default_factory=dict)
    uses: dict[str, dict[Any, str]] = field(
        default_factory=lambda: {"authentication": {}, "assertionMethod": {}, "keyAgreement": {}}
    )
    parts: Sequence[str] = ("verificationMethod", "authentication", "assertionMethod")

    def take(self, change: DelegateChanged | AttributeChanged, now: int) -> None:
        """One event. What is no longer valid is taken out; one whose name isn't text says nothing."""
        is_delegate = isinstance(change, DelegateChanged)
        name = _text(change.kind if isinstance(change, DelegateChanged) else change.name)
        if name is None:
            return
        key = (name, change.delegate if isinstance(change, DelegateChanged) else change.value, is_delegate)
        if change.valid_to > now:
            if isinstance(change, DelegateChanged):
                self._add_delegate(key, name, change.delegate)
            else:
                self._add_attribute(key, name, change.value)
            return
        if is_delegate or name.startswith("did/pub/"):
            self.keys += 1
        elif name.startswith("did/svc/"):
            self.services += 1
        self.methods.pop(key, None)
        self.endpoints.pop(key, None)
        for use in self.uses.values():
            use.pop(key, None)

    def _add_delegate(self, key: Any, kind: str, delegate: Address) -> None:
        self.keys += 1
        if kind not in ("sigAuth", "veriKey"):
            return
        self._add_method(key, {"type": RECOVERY, "blockchainAccountId": f"eip155:{self.chain_id}:{delegate}"})
        if kind == "sigAuth":
            self.uses["authentication"][key] = self.methods[key]["id"]
        self.uses["assertionMethod"][key] = self.methods[key]["id"]

    def _add_attribute(self, key: Any, name: str, value: bytes) -> None:
        found = _ATTRIBUTE.fullmatch(name)
        if found is None:
            return
        section, algorithm, purpose, encoding = found.groups()
        if section == "svc":
            self._add_service(key, algorithm, value)
            return
        self.keys += 1
        encoded = _encoded(encoding, value)
        if encoded is None:
            return
        kind = f"{algorithm}{_PURPOSES.get(purpose, purpose) if purpose else 'undefined'}"
        self._add_method(key, {"type": _TYPES.get(kind, algorithm), **encoded})
        use = {"sigAuth": ("authentication", "assertionMethod"), "enc": ("keyAgreement",)}
        for each in use.get(purpose, ("assertionMethod",)):
            self.uses[each][key] = self.methods[key]["id"]

    def _add_method(self, key: Any, method: Document) -> None:
        kind = method.pop("type")
        self.methods[key] = {"id": f"{self.did}#delegate-{self.keys}", "type": kind, "controller": self.did, **method}

    def _add_service(self, key: Any, kind: str, value: bytes) -> None:
        self.services += 1
        try:
            text = value.decode()
        except UnicodeDecodeError:
            return
        self.endpoints[key] = {
            "id": f"{self.did}#service-{self.services}",
            "type": kind,
            "serviceEndpoint": _json_or_text(text),
        }

    def document(self, public_key: bytes | None) -> Document:
        controller = f"{self.did}#controller"
        methods = [
            {
                "id": controller,
                "type": RECOVERY,
                "controller": self.did,
                "blockchainAccountId": f"eip155:{self.chain_id}:{self.owner}",
            }
        ]
        own = [controller]
        if public_key is not None and account_of_key(public_key) == self.owner:
            own.append(f"{self.did}#controllerKey")
            methods.append({"id": own[1], "type": SECP256K1, "controller": self.did, "publicKeyHex": public_key.hex()})
        made: Document = {
            "id": self.did,
            "verificationMethod": [*methods, *self.methods.values()],
            "authentication": [*own, *self.uses["authentication"].values()],
            "assertionMethod": [*own, *self.uses["assertionMethod"].values()],
        }
        if self.endpoints:
            made["service"] = list(self.endpoints.values())
        if self.uses["keyAgreement"]:
            made["keyAgreement"] = list(self.uses["keyAgreement"].values())
        return made


def _with_context(document: Document) -> Document:
    return {**document, "@context": list(CONTEXT)}


def _text(word: bytes) -> str | None:
    try:
        return word.decode().rstrip("\0")
    except UnicodeDecodeError:
        return None


def _encoded(encoding: str | None, value: bytes) -> Document | None:
    """A public key as its attribute's name asks for it; None for one that can't be written so."""
    if encoding in (None, "hex"):
        return {"publicKeyHex": value.hex()}
    if encoding == "base64":
        return {"publicKeyBase64": base64.b64encode(value).decode()}
    if encoding == "base58":
        return {"publicKeyBase58": _base58(value)}
    if encoding == "pem":
        try:
            return {"publicKeyPem": value.decode()}
        except UnicodeDecodeError:
            return None
    return {"value": value.hex()}


def _base58(value: bytes) -> str:
    number, digits = int.from_bytes(value, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        digits = _BASE58[digit] + digits
    return _BASE58[0] * (len(value) - len(value.lstrip(b"\0"))) + digits


def _json_or_text(text: str) -> Any:
    def finite(number: str) -> float:
        """Python takes NaN and Infinity for JSON, and 1e999 for infinite: what it would write of these nobody reads."""
        value = float(number)
        if not math.isfinite(value):
            raise ValueError(number)
        return value

    try:
        return json.loads(text, parse_constant=finite, parse_float=finite)
    except (ValueError, RecursionError):
        return text
