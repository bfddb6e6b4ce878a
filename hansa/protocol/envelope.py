"""Sealed updates: one ciphertext that each member of a cycle's committee can open, and check for all the others.

`hansa1` | seats u8 | context 192 | commitment 32 | ephemeral key 32 | a 48-byte box for each seat | ciphertext.
Everything follows from the update and a fresh content key, so whoever opens one box can seal again and compare the
whole file: an envelope that differs is malformed for every member alike. AES-256-GCM with a zero nonce, as each key is
used once; X25519 (RFC 7748); HKDF-SHA256 (RFC 5869) without salt.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from eth_abi.abi import encode

from hansa.protocol.errors import BadKey, Malformed
from hansa.protocol.tables import LIMITS
from hansa.protocol.types import Address, Digest, Place

MAGIC: Final = b"hansa1"
BOX: Final = 48  # bytes of a seat's: a 32-byte key and a 16-byte tag

CONTEXT: Final = 192
TAG: Final = 16
NO_BOX: Final = bytes(BOX)
NONCE: Final = bytes(12)
_CONTEXT_AT: Final = len(MAGIC) + 1
_EPHEMERAL_AT: Final = _CONTEXT_AT + CONTEXT + 32
BOXES_AT: Final = _EPHEMERAL_AT + 32  # byte where they begin


class Opened(NamedTuple):
    """An update's file and the content key that it was sealed with."""

    update: memoryview
    key: bytes


def context(place: Place, trainer: Address, base: Digest) -> bytes:
    """What an envelope is for, 192 bytes. base: digest of the model that was trained on."""
    types = ["uint256", "address", "uint256", "uint64", "address", "bytes32"]
    return encode(types, [*place, trainer, base])


def new_content_key() -> bytes:
    """A fresh key, 32 bytes; never use one for two updates."""
    return os.urandom(32)


def public_key(secret: bytes) -> bytes:
    """X25519 public key of a 32-byte secret, as `announceKey` takes it."""
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def is_usable(public: bytes) -> bool:
    """Whether something can be sealed to a 32-byte X25519 key; to a low-order point it can't."""
    return exchange(bytes([1]) * 32, public) is not None


def sealed_size(update_size: int, seats: int) -> int:
    """Size of the envelope of an update, in bytes."""
    return BOXES_AT + BOX * seats + update_size + TAG


def seal(update: bytes, key: bytes, ctx: bytes, members: Sequence[bytes | None]) -> bytes:
    """The one envelope of an update under a content key.

    members: announced X25519 public keys by seat; a seat without a usable one (None, or a low-order point) gets no box.
    """
    return b"".join([_head(key, ctx, members), AESGCM(key).encrypt(NONCE, update, ctx)])


def open_envelope(data: bytes, ctx: bytes, seat: int, secret: bytes, members: Sequence[bytes | None]) -> Opened:
    """Opens the box of a seat with its X25519 secret, and checks the whole file.

    Raises BadKey if `secret` is not the one of the seat's announced key (nothing is known about the update then), and
    Malformed if the file is not what sealing gives; that is so for every other member, too.
    """
    public = public_key(secret)
    if members[seat] != public:
        raise BadKey(f"seat {seat} has announced another encryption key than yours", next_step="announce yours")
    view = _checked(data, ctx, members)
    box = view[BOXES_AT + BOX * seat :][:BOX]
    shared = exchange(secret, bytes(view[_EPHEMERAL_AT:BOXES_AT]))
    if shared is None:
        raise Malformed("envelope", cause="its ephemeral key is a low-order point")
    try:
        key = AESGCM(_box_key(shared, ctx, public)).decrypt(NONCE, box, ctx)
    except InvalidTag as error:
        raise Malformed("envelope", cause=f"the box of seat {seat} can't be opened") from error
    return open_with_key(data, ctx, key, members)


def open_with_key(data: bytes, ctx: bytes, key: bytes, members: Sequence[bytes | None]) -> Opened:
    """Opens an envelope with its content key, and checks the whole file. Raises Malformed.

    The ciphertext is not encrypted again: under one key, nonce and context AES-GCM accepts exactly one for each update.
    """
    view = _checked(data, ctx, members)
    head = _head(key, ctx, members)
    if view[: len(head)] != head:
        raise Malformed("envelope", cause="its commitment, ephemeral key or a box is not what sealing gives")
    update = np.empty(len(view) - len(head) - TAG, np.uint8).data  # of huge pages, where there are some
    try:
        AESGCM(key).decrypt_into(NONCE, view[len(head) :], ctx, update)
    except InvalidTag as error:
        raise Malformed("envelope", cause="its ciphertext was changed") from error
    return Opened(update.toreadonly(), key)


def _checked(data: bytes, ctx: bytes, members: Sequence[bytes | None]) -> memoryview:
    """The file, long enough and for this context and number of seats."""
    if len(data) < sealed_size(0, len(members)):
        raise Malformed("envelope", cause=f"{len(data)} bytes are too few for {len(members)} seats")
    view = memoryview(data)
    if bytes(view[: len(MAGIC)]) != MAGIC or view[len(MAGIC)] != len(members):
        raise Malformed("envelope", cause=f"it does not begin as one for {len(members)} seats")
    if view[_CONTEXT_AT : _CONTEXT_AT + CONTEXT] != ctx:
        raise Malformed("envelope", cause="it was sealed for another job, cycle, trainer or model")
    return view


def _head(key: bytes, ctx: bytes, members: Sequence[bytes | None]) -> bytes:
    """Everything before the ciphertext; it does not depend on the update."""
    if len(ctx) != CONTEXT or len(key) != 32 or len(members) > LIMITS.seats:
        raise ValueError(f"a context of {len(ctx)} bytes, a key of {len(key)} or {len(members)} seats")
    secret = derive(key, b"hansa ephemeral" + ctx)
    boxes = [_box(key, ctx, secret, member) for member in members]
    commitment = derive(key, b"hansa commitment" + ctx)
    return b"".join([MAGIC, bytes([len(members)]), ctx, commitment, public_key(secret), *boxes])


def _box(key: bytes, ctx: bytes, secret: bytes, member: bytes | None) -> bytes:
    shared = exchange(secret, member) if member is not None else None
    if member is None or shared is None:
        return NO_BOX
    return AESGCM(_box_key(shared, ctx, member)).encrypt(NONCE, key, ctx)


def exchange(secret: bytes, public: bytes) -> bytes | None:
    """X25519's shared secret; None where it would be all zero, or the key is none."""
    try:
        return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        return None


def _box_key(shared: bytes, ctx: bytes, member: bytes) -> bytes:
    return derive(shared, b"hansa box" + ctx + member)


def derive(secret: bytes, info: bytes) -> bytes:
    """HKDF-SHA256 without salt, 32 bytes."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)
