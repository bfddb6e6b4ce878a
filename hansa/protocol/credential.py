"""A credential of the chain as a W3C verifiable credential, a VC-JWT, and back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from hansa.protocol.did import did_of, parse_did
from hansa.protocol.errors import Malformed
from hansa.protocol.tables import STANDING
from hansa.protocol.types import Address

CONTEXT: Final = "https://www.w3.org/2018/credentials/v1"
PARTICIPANT: Final = "participant"
"""The schema of who may take part, where nobody names another."""

STATUS: Final = "HansaCredentialStatus"
SCHEMA: Final = "HansaCredentialSchema"
_STATUS_ID = re.compile(r"eip155:([1-9]\d{0,18}):(0x[0-9a-fA-F]{40})/(0x[0-9a-f]{64})", re.ASCII)
_SCHEMA_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
_SCHEMA_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


@dataclass(frozen=True)
class Credential:
    """What an issuer says of a subject on chain. Times in seconds; revoked 0: it is not."""

    uid: bytes
    schema: bytes
    issuer: Address
    subject: Address
    time: int
    expires: int
    revoked: int = 0
    data: bytes = b""


@dataclass(frozen=True)
class Claim:
    """What a VC-JWT claims: a credential's identity, and where on chain it stands."""

    issuer: str  # a DID
    subject: str  # a DID
    schema: bytes
    not_before: int
    expires: int
    chain_id: int
    contract: Address
    uid: bytes


def schema_of(name: str) -> bytes:
    """A schema by its name, or by its hash, 0x and 64 digits. Malformed for neither."""
    if _SCHEMA_HASH.fullmatch(name):
        return bytes.fromhex(name[2:])
    if not _SCHEMA_NAME.fullmatch(name):
        raise Malformed(
            f"{name[:80]!r} is not the name of a schema",
            cause="it has 1 to 64 letters, digits, dots, hyphens and underscores, or is 0x and 64 digits",
        )
    return keccak(text=name)


def claims_of(credential: Credential, chain_id: int, contract: Address, schema: str | None = None) -> dict[str, Any]:
    """The claims of a VC-JWT. schema: the name that hashes to the credential's, where it is known."""
    name = schema if schema is not None and schema_of(schema) == credential.schema else f"0x{credential.schema.hex()}"
    return {
        "iss": did_of(chain_id, credential.issuer),
        "sub": did_of(chain_id, credential.subject),
        "nbf": credential.time,
        "exp": credential.expires,
        "vc": {
            "@context": [CONTEXT],
            "type": ["VerifiableCredential"],
            "credentialSubject": {"id": did_of(chain_id, credential.subject)},
            "credentialSchema": {"id": f"urn:hansa:schema:{name}", "type": SCHEMA},
            "credentialStatus": {"id": f"eip155:{chain_id}:{contract}/0x{credential.uid.hex()}", "type": STATUS},
        },
    }


def read_claims(claims: dict[str, Any]) -> Claim:
    """What a token claims. Malformed where it isn't a VC-JWT with a status on a chain."""
    try:
        vc = claims["vc"]
        if CONTEXT not in vc["@context"] or "VerifiableCredential" not in vc["type"]:
            raise ValueError("it has not the context or the type of one")
        status = _STATUS_ID.fullmatch(vc["credentialStatus"]["id"])
        prefix, _, schema = vc["credentialSchema"]["id"].rpartition(":")
        if status is None or vc["credentialStatus"]["type"] != STATUS or prefix != "urn:hansa:schema":
            raise ValueError("its status or its schema is none of ours")
        if vc["credentialSubject"].get("id", claims["sub"]) != claims["sub"]:
            raise ValueError("it names two subjects")
        times = claims["nbf"], claims["exp"]
        if not all(type(time) is int for time in times):
            raise ValueError("a time is not a number of seconds")
        return Claim(
            parse_did(claims["iss"]).text,
            parse_did(claims["sub"]).text,
            schema_of(schema),
            *times,
            int(status[1]),
            Address(to_checksum_address(status[2])),
            bytes.fromhex(status[3][2:]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, Malformed) as error:
        raise Malformed("the token is not a credential of a chain", cause=str(error)) from error


def faults(claim: Claim, found: Credential, latest: bytes, now: int) -> list[str]:
    """Why a claim does not hold by what the chain says of it; nothing where it does. found: the credential of its uid,
    with issuer 0 where there is none. latest: uid of the issuer's newest of this schema and subject."""
    parties = parse_did(claim.issuer).account, parse_did(claim.subject).account
    if (found.issuer, found.subject) != parties or found.schema != claim.schema:
        return ["the chain has no such credential of this issuer for this subject"]
    said = []
    if (found.time, found.expires) != (claim.not_before, claim.expires):
        said.append("its times are not those of the chain")
    return said + standing(found, latest, now)


def standing(found: Credential, latest: bytes, now: int) -> list[str]:
    """Why a credential of the chain doesn't count now; nothing where it does."""
    said = []
    if found.revoked:
        said.append(STANDING["revoked"])
    if now >= found.expires:
        said.append(STANDING["expired"])
    if latest != found.uid:
        said.append(STANDING["replaced"])
    return said
