"""JSON web tokens signed ES256K by an account's key: written with low s, read by recovering both accounts that a
signature may be of."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from eth_keys.datatypes import PrivateKey, Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from hansa.protocol.errors import Malformed
from hansa.protocol.types import Address

LONGEST = 65_536  # characters of a token
HEADER = {"alg": "ES256K", "typ": "JWT"}


@dataclass(frozen=True)
class Token:
    """A token's claims, and the accounts of which one has signed it."""

    claims: dict[str, Any]
    signers: frozenset[Address]


def sign(claims: dict[str, Any], key: bytes) -> str:
    """A compact token. key: 32 bytes; the same claims give the same token."""
    signing = f"{_written(HEADER)}.{_written(claims)}"
    signature = PrivateKey(key).sign_msg_hash(hashlib.sha256(signing.encode()).digest())
    return f"{signing}.{_base64(signature.to_bytes()[:64])}"


def read(text: str) -> Token:
    """Malformed for what is no compact token signed ES256K; whether its claims are true, and now, is not looked at."""
    parts = text.strip().split(".")
    if len(text) > LONGEST or len(parts) != 3:
        raise Malformed("that is not a JSON web token", cause=f"it has not three parts in {LONGEST} characters")
    header, claims = (_object(part) for part in parts[:2])
    if header.get("alg") != HEADER["alg"] or "crit" in header:
        raise Malformed("a token is not signed as an account signs", cause=f"its header is {json.dumps(header)[:200]}")
    signature = _bytes(parts[2])
    if len(signature) != 64:
        raise Malformed("a token's signature is not one of ES256K", cause=f"it has {len(signature)} bytes")
    return Token(claims, _signers(hashlib.sha256(f"{parts[0]}.{parts[1]}".encode()).digest(), signature))


def _signers(digest: bytes, signature: bytes) -> frozenset[Address]:
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    found = set()
    for v in (0, 1):
        try:
            key = Signature(vrs=(v, r, s)).recover_public_key_from_msg_hash(digest)
        except (BadSignature, ValidationError, ValueError):
            continue
        found.add(Address(key.to_checksum_address()))
    return frozenset(found)


def _written(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(part: str) -> bytes:
    """Malformed for anything but the one way of writing these bytes."""
    try:
        data = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("a part of a token is not base64url", cause=str(error)) from error
    if _base64(data) != part:
        raise Malformed("a part of a token is not base64url", cause="it is padded, or has bits to spare")
    return data


def _object(part: str) -> dict[str, Any]:
    def only(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a name stands twice")
        return dict(pairs)

    try:
        value = json.loads(_bytes(part), object_pairs_hook=only)
    except (ValueError, RecursionError) as error:
        raise Malformed("a part of a token is not JSON", cause=str(error)) from error
    if not isinstance(value, dict):
        raise Malformed("a part of a token is not a JSON object")
    return value
