"""Content identifiers: CIDv0 in text, its 32-byte sha2-256 digest on chain.

The profile is what `ipfs add` gives by default: 256 KiB chunks, dag-pb leaves, a balanced tree of 174 links a node.
"""

from __future__ import annotations

from typing import Final

import aleph_cid

from hansa.protocol.errors import Malformed
from hansa.protocol.types import Digest

NO_DIGEST: Final = Digest(bytes(32))  # stands for "no file" on chain

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES: Final = {letter: value for value, letter in enumerate(_ALPHABET)}
_PREFIX: Final = b"\x12\x20"  # multihash: sha2-256, 32 bytes
_TEXT_LENGTH: Final = 46


def digest_of(data: bytes) -> Digest:
    """Digest of the CIDv0 that a file of these bytes has."""
    return from_cid(aleph_cid.compute_cid(data))


def to_cid(digest: bytes) -> str:
    """CIDv0 ('Qm…') of a 32-byte digest."""
    if len(digest) != 32:
        raise ValueError(f"a digest has 32 bytes, not {len(digest)}")
    number = int.from_bytes(_PREFIX + digest, "big")
    letters = []
    while number:
        number, value = divmod(number, 58)
        letters.append(_ALPHABET[value])
    return "".join(reversed(letters))


def from_cid(text: str) -> Digest:
    """Digest of a CIDv0. Raises Malformed for anything else, other CID versions included."""
    if len(text) != _TEXT_LENGTH or not all(letter in _VALUES for letter in text):
        raise Malformed(f"{text[:64]!r} is no CIDv0")
    number = 0
    for letter in text:
        number = number * 58 + _VALUES[letter]
    if number >> 256 != int.from_bytes(_PREFIX, "big"):
        raise Malformed(f"{text!r} is no CIDv0", cause="it does not name a sha2-256 digest")
    return Digest((number & (2**256 - 1)).to_bytes(32, "big"))
