"""Content identifiers: CIDv0 in text, its 32-byte sha2-256 digest on chain.

The profile is what `ipfs add` gives by default: 256 KiB chunks, dag-pb leaves, a balanced tree of 174 links a node.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple

from hansa.protocol.errors import Malformed
from hansa.protocol.types import Digest

CHUNK: Final = 1 << 18  # bytes of a leaf
LINKS: Final = 174  # of a node
NO_DIGEST: Final = Digest(bytes(32))  # stands for "no file" on chain

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES: Final = {letter: value for value, letter in enumerate(_ALPHABET)}
_PREFIX: Final = b"\x12\x20"  # multihash: sha2-256, 32 bytes
_TEXT_LENGTH: Final = 46
_FILE: Final = b"\x08\x02"  # UnixFS: what this is part of


class Block(NamedTuple):
    """A node of a file's tree."""

    digest: bytes
    size: int  # bytes of the file below it
    stored: int  # bytes of the blocks below it, its own among them


def digest_of(data: bytes | memoryview) -> Digest:
    """Digest of the CIDv0 that a file of these bytes has."""
    return root_of(leaves_of(memoryview(data)))


def leaves_of(data: memoryview) -> list[Block]:
    """Leaves of a file, or of a part of one that begins at a multiple of `CHUNK`."""
    return [_leaf(data[start : start + CHUNK]) for start in range(0, max(1, len(data)), CHUNK)]


def root_of(leaves: list[Block]) -> Digest:
    """Digest of the file with these leaves, at least one, in order."""
    level = leaves
    while len(level) > 1:
        level = [_node(level[start : start + LINKS]) for start in range(0, len(level), LINKS)]
    return Digest(level[0].digest)


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


def _leaf(chunk: memoryview) -> Block:
    """A chunk as a dag-pb node without links, hashed where it lies."""
    size = len(chunk)
    before, after = _field(2, size) if size else b"", b"\x18" + _varint(size)
    head = _field(1, len(_FILE) + len(before) + size + len(after)) + _FILE + before
    hashed = hashlib.sha256(head)
    hashed.update(chunk)
    hashed.update(after)
    return Block(hashed.digest(), size, len(head) + size + len(after))


def _node(children: Sequence[Block]) -> Block:
    """A dag-pb node: a link to each child, then the sizes of the file's parts below them."""
    size = sum(child.size for child in children)
    unixfs = _FILE + b"\x18" + _varint(size) + b"".join(b"\x20" + _varint(child.size) for child in children)
    node = b"".join(map(_link, children)) + _field(1, len(unixfs)) + unixfs
    return Block(hashlib.sha256(node).digest(), size, len(node) + sum(child.stored for child in children))


def _link(child: Block) -> bytes:
    """A link by multihash, without a name, and how much is stored below."""
    link = _field(1, 34) + _PREFIX + child.digest + _field(2, 0) + b"\x18" + _varint(child.stored)
    return _field(2, len(link)) + link


def _field(number: int, size: int) -> bytes:
    """The head of a protobuf field of `size` bytes."""
    return bytes([number << 3 | 2]) + _varint(size)


def _varint(value: int) -> bytes:
    low = b""
    while value > 127:
        low, value = low + bytes([value & 127 | 128]), value >> 7
    return low + bytes([value])
