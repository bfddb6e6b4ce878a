"""Updates sealed to a committee together: shares of any t of its seats open one, fewer tell nothing.

`hansa2` | seats u8 | t u8 | context 192 | commitment 32 | ephemeral key 32 | a 32-byte hash of each seat's share | a
48-byte box for each seat | ciphertext. As in `hansa1` (hansa.protocol.envelope) everything follows from the update and
a fresh content key, so whoever has that can seal again and compare the whole file; a box holds its seat's share of the
key in the key's place. A success makes every hash consistent: no two sets of shares open two things.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hansa.protocol.envelope import BOX, CONTEXT, NO_BOX, NONCE, TAG, Opened, derive, exchange, public_key
from hansa.protocol.errors import BadKey, Malformed
from hansa.protocol.shares import combine, share_at
from hansa.protocol.tables import LIMITS
from hansa.protocol.types import Seat

MAGIC: Final = b"hansa2"
SHARE: Final = 32  # bytes of one, and of its hash
MORE_ROOM: Final = 1 + LIMITS.seats * SHARE  # bytes that a file of the largest committee has over a hansa1's

_CONTEXT_AT: Final = len(MAGIC) + 2
_EPHEMERAL_AT: Final = _CONTEXT_AT + CONTEXT + 32
HASHES_AT: Final = _EPHEMERAL_AT + 32


def boxes_at(seats: int) -> int:
    """The byte where they begin."""
    return HASHES_AT + SHARE * seats


def head_of(ctx: bytes, seats: int, t: int) -> bytes:
    """What a file for this context, number of seats and of shares begins with."""
    return MAGIC + bytes([seats, t]) + ctx


def seal(update: bytes, key: bytes, ctx: bytes, members: Sequence[bytes | None], t: int) -> bytes:
    """The one file of an update under a content key. members: X25519 public keys by seat; None for none. t: shares that
    open it, 1 to as many as there are seats."""
    return b"".join([_head(key, ctx, members, t), AESGCM(key).encrypt(NONCE, update, ctx)])


def shares_of(key: bytes, ctx: bytes, seats: int, t: int) -> list[bytes]:
    """The shares of a content key, 32 bytes each, by seat."""
    coefficients = [key, *(derive(key, b"hansa share" + ctx + bytes([power])) for power in range(1, t))]
    return [share_at(seat + 1, coefficients) for seat in range(seats)]


def check_public(data: bytes, ctx: bytes, seats: int, t: int) -> memoryview:
    """The file. Malformed unless it is long enough, and for this context, number of seats and of shares."""
    if len(data) < boxes_at(seats) + BOX * seats + TAG:
        raise Malformed("envelope", cause=f"{len(data)} bytes are too few for {seats} seats")
    view = memoryview(data)
    if view[: len(MAGIC) + 2] != head_of(b"", seats, t):
        raise Malformed("envelope", cause=f"it does not begin as one that {t} of {seats} seats open")
    if view[_CONTEXT_AT : _CONTEXT_AT + CONTEXT] != ctx:
        raise Malformed("envelope", cause="it was sealed for another job, cycle, trainer or model")
    return view


def open_box(data: bytes, ctx: bytes, seat: Seat, secret: bytes, members: Sequence[bytes | None], t: int) -> bytes:
    """A seat's share, out of its box, as its hash in the file has it.

    Raises BadKey if `secret` is not the one of the seat's announced key (nothing is known about the file then), and
    Malformed if the file's public part or this box is not as it must be.
    """
    public = public_key(secret)
    if members[seat] != public:
        raise BadKey(f"seat {seat} has announced another encryption key than yours", next_step="announce yours")
    view = check_public(data, ctx, len(members), t)
    shared = exchange(secret, bytes(view[_EPHEMERAL_AT:HASHES_AT]))
    if shared is None:
        raise Malformed("envelope", cause="its ephemeral key is a low-order point")
    box = view[boxes_at(len(members)) + BOX * seat :][:BOX]
    try:
        share = AESGCM(_box_key(shared, ctx, seat, public)).decrypt(NONCE, box, ctx)
    except InvalidTag as error:
        raise Malformed("envelope", cause=f"the box of seat {seat} can't be opened") from error
    if not has_share(view, ctx, seat, share):
        raise Malformed("envelope", cause=f"the share of seat {seat} has not the hash that the file says")
    return share


def has_share(data: bytes | memoryview, ctx: bytes, seat: int, share: bytes) -> bool:
    """Whether a file whose public part is right names this share as a seat's."""
    at = HASHES_AT + SHARE * seat
    return _hash(ctx, seat, share) == bytes(data[at : at + SHARE])


def open_with_shares(
    data: bytes, ctx: bytes, shares: Mapping[Seat, bytes], members: Sequence[bytes | None], t: int
) -> Opened:
    """Opens a file with shares that it `has_share`, t at least, and checks the whole of it. Raises Malformed, with any
    such shares or with none."""
    chosen = {seat + 1: share for seat, share in sorted(shares.items())[:t]}
    if len(chosen) < t:
        raise ValueError(f"{len(chosen)} shares; it takes {t}")
    return open_with_key(data, ctx, combine(chosen), members, t)


def open_with_key(data: bytes, ctx: bytes, key: bytes, members: Sequence[bytes | None], t: int) -> Opened:
    """Opens a file with its content key, and checks the whole of it. Raises Malformed."""
    view = check_public(data, ctx, len(members), t)
    head = _head(key, ctx, members, t)
    if view[: len(head)] != head:
        raise Malformed("envelope", cause="its commitment, ephemeral key, a hash or a box is not what sealing gives")
    update = np.empty(len(view) - len(head) - TAG, np.uint8).data  # of huge pages, where there are some
    try:
        AESGCM(key).decrypt_into(NONCE, view[len(head) :], ctx, update)
    except InvalidTag as error:
        raise Malformed("envelope", cause="its ciphertext was changed") from error
    return Opened(update.toreadonly(), key)


def _head(key: bytes, ctx: bytes, members: Sequence[bytes | None], t: int) -> bytes:
    """Everything before the ciphertext; it does not depend on the update."""
    seats = len(members)
    if len(ctx) != CONTEXT or len(key) != 32 or not 1 <= t <= seats <= LIMITS.seats:
        raise ValueError(f"a context of {len(ctx)} bytes, a key of {len(key)}, {t} shares or {seats} seats")
    secret = derive(key, b"hansa ephemeral" + ctx)
    shares = shares_of(key, ctx, seats, t)
    parts = [head_of(ctx, seats, t), derive(key, b"hansa commitment" + ctx), public_key(secret)]
    parts += [_hash(ctx, seat, share) for seat, share in enumerate(shares)]
    return b"".join(parts + [_box(share, ctx, seat, secret, members[seat]) for seat, share in enumerate(shares)])


def _box(share: bytes, ctx: bytes, seat: int, secret: bytes, member: bytes | None) -> bytes:
    shared = exchange(secret, member) if member is not None else None
    if member is None or shared is None:
        return NO_BOX
    return AESGCM(_box_key(shared, ctx, seat, member)).encrypt(NONCE, share, ctx)


def _box_key(shared: bytes, ctx: bytes, seat: int, member: bytes) -> bytes:
    """Of a seat, for two may have announced one key."""
    return derive(shared, b"hansa box" + ctx + bytes([seat]) + member)


def _hash(ctx: bytes, seat: int, share: bytes) -> bytes:
    return hashlib.sha256(b"hansa share" + ctx + bytes([seat]) + share).digest()
