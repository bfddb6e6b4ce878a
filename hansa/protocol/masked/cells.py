"""A cell carries one seed to one set of seats. It is a function of the seed, so whoever reads the seed makes the cell
again and compares: it says the same to every seat of the set, or it is malformed for all of them.

commitment 32 | ephemeral key 32 | a 48-byte box for each seat of the set, ascending. The commitment is the digest of
the file whose bytes are the seed, so whoever is shown a seed by that name knows that it is the one that was sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hansa.protocol.cid import digest_of
from hansa.protocol.envelope import BOX, NO_BOX, NONCE, derive, exchange, public_key
from hansa.protocol.errors import Malformed
from hansa.protocol.masked.sharing import SeatSet, mask
from hansa.protocol.types import Digest

SEED: Final = 32  # bytes

_HEAD: Final = 64  # bytes before the boxes


def cell_size(chosen: SeatSet) -> int:
    return _HEAD + BOX * len(chosen)


def stream_key(seed: bytes, ctx: bytes, chosen: SeatSet) -> bytes:
    """What the stream of a seed is drawn by."""
    return derive(seed, b"hansa mask" + ctx + mask(chosen))


def make_cell(seed: bytes, ctx: bytes, chosen: SeatSet, members: Sequence[bytes | None]) -> bytes:
    """The one cell of a seed. members: the committee's X25519 public keys by seat; who has none gets no box."""
    info = ctx + mask(chosen)
    secret = derive(seed, b"hansa ephemeral" + info)
    boxes = [_box(seed, info, secret, members[seat]) for seat in chosen]
    return b"".join([digest_of(seed), public_key(secret), *boxes])


def commitment(cell: bytes) -> Digest:
    return Digest(bytes(cell[:32]))


def open_cell(
    cell: bytes, ctx: bytes, chosen: SeatSet, seat: int, secret: bytes, members: Sequence[bytes | None]
) -> bytes:
    """The seed, read by a seat of the set with the secret of its announced key. Raises Malformed for a cell that its
    seed does not make."""
    info, place = ctx + mask(chosen), _HEAD + BOX * chosen.index(seat)
    shared = exchange(secret, cell[32:_HEAD])
    if shared is None:
        raise Malformed("cell", cause="its ephemeral key is a low-order point")
    try:
        seed = AESGCM(_box_key(shared, info, public_key(secret))).decrypt(NONCE, cell[place : place + BOX], info)
    except InvalidTag as error:
        raise Malformed("cell", cause=f"the box of seat {seat} can't be opened") from error
    if make_cell(seed, ctx, chosen, members) != cell:
        raise Malformed("cell", cause="it is not what its seed makes")
    return seed


def _box(seed: bytes, info: bytes, secret: bytes, member: bytes | None) -> bytes:
    shared = None if member is None else exchange(secret, member)
    if member is None or shared is None:
        return NO_BOX
    return AESGCM(_box_key(shared, info, member)).encrypt(NONCE, seed, info)


def _box_key(shared: bytes, info: bytes, member: bytes) -> bytes:
    return derive(shared, b"hansa box" + info + member)
