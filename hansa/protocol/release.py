"""What a member releases in RELEASE of a `threshold` job: its share of each update of the cycle, or why it has none.

33 bytes an update in on-chain order, sealed for the whole committee as a `hansa1` envelope of its own context: whoever
opens it seals again and compares, so it says the same to every seat, or nothing to any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from eth_utils.crypto import keccak

from hansa.protocol import envelope
from hansa.protocol.errors import Malformed
from hansa.protocol.shared_envelope import SHARE
from hansa.protocol.types import Address, Digest, Place, Seat

ENTRY_BYTES: Final = 1 + SHARE
_NOTHING: Final = bytes(SHARE)


class Said(IntEnum):
    """What a member says of one update."""

    LACKS = 0  # it had no bytes, or has no usable key
    SHARE = 1
    BAD = 2  # its own box can't be opened, or holds another share than the file's hash says


class Entry(NamedTuple):
    """share: 32 bytes, zeros but where one is said."""

    said: Said
    share: bytes = _NOTHING


def context(place: Place, member: Address, updates: int) -> bytes:
    """What a release file is for, 192 bytes: never what an update is for. updates: accumulator of the cycle's."""
    digest = keccak(b"hansa release" + updates.to_bytes(16, "big"))
    return envelope.context(place, member, Digest(digest))


def seal(entries: Sequence[Entry], key: bytes, ctx: bytes, members: Sequence[bytes | None]) -> bytes:
    """A member's release file. key: a fresh content key. members: X25519 public keys by seat."""
    return envelope.seal(b"".join(bytes([said]) + share for said, share in entries), key, ctx, members)


def file_limit(updates: int, seats: int) -> int:
    """Bytes of a release file; another length is malformed."""
    return envelope.sealed_size(ENTRY_BYTES * updates, seats)


def read(
    data: bytes, ctx: bytes, seat: Seat, secret: bytes, members: Sequence[bytes | None], updates: int
) -> tuple[Entry, ...]:
    """The entries of a release file, opened as a seat. Raises BadKey as `envelope.open_envelope`, Malformed for what
    counts as not released."""
    content = bytes(envelope.open_envelope(data, ctx, seat, secret, members).update)
    if len(content) != ENTRY_BYTES * updates:
        raise Malformed("release file", cause=f"{len(content)} bytes for {updates} updates")
    return tuple(_entry(content[at : at + ENTRY_BYTES]) for at in range(0, len(content), ENTRY_BYTES))


def _entry(data: bytes) -> Entry:
    try:
        entry = Entry(Said(data[0]), data[1:])
    except ValueError as error:
        raise Malformed("release file", cause=f"code {data[0]}") from error
    if entry.said != Said.SHARE and entry.share != _NOTHING:
        raise Malformed("release file", cause="a share where none is said")
    return entry


@dataclass(frozen=True)
class Releases:
    """What the seats of one cycle released, as far as their files could be had and are release files.

    is_complete: whether nothing more can come.
    """

    by_seat: Mapping[Seat, tuple[Entry, ...]]
    is_complete: bool

    def shares(self, place: int) -> dict[Seat, bytes]:
        """Of the update at a place on chain; whether they are those of the update's file, its hashes say."""
        entries = {seat: entries[place] for seat, entries in self.by_seat.items()}
        return {seat: entry.share for seat, entry in entries.items() if entry.said == Said.SHARE}

    def bad(self, place: int) -> int:
        """How many seats say that their box of the update is bad."""
        return sum(entries[place].said == Said.BAD for entries in self.by_seat.values())
