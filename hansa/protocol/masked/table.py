"""`hansat`: what a seat says that the streams of its sets come to. Its digest is what the seat releases.

`hansat` | seat u8 | t u8 | X 32 | in-bitmap ⌈n/8⌉ | for each set of the seat, in order, the digest of its vector, zero
where the seat lacks a seed of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hansa.protocol.cid import NO_DIGEST
from hansa.protocol.errors import Malformed
from hansa.protocol.masked.group import Group
from hansa.protocol.masked.sharing import Sharing
from hansa.protocol.types import Digest, Seat

MAGIC: Final = b"hansat"


@dataclass(frozen=True)
class Table:
    """digests: of vectors, by index of the set; sets that the seat can't speak of are left out."""

    seat: Seat
    digests: Mapping[int, Digest]

    def encode(self, sharing: Sharing, group: Group) -> bytes:
        digests = [self.digests.get(index, NO_DIGEST) for index in sharing.by_seat[self.seat]]
        return _head(sharing, group, self.seat) + b"".join(digests)

    @classmethod
    def decode(cls, data: bytes, sharing: Sharing, group: Group, seat: Seat) -> Table:
        """Reads the table of a seat. Raises Malformed for one of another seat or group."""
        head, own = _head(sharing, group, seat), sharing.by_seat[seat]
        if len(data) != table_size(sharing, group, seat) or data[: len(head)] != head:
            raise Malformed(f"table of seat {seat}", cause="it is of another seat or group, or has another length")
        digests = [Digest(data[start : start + 32]) for start in range(len(head), len(data), 32)]
        said = zip(own, digests, strict=True)
        return cls(seat, {index: digest for index, digest in said if digest != NO_DIGEST})


def table_size(sharing: Sharing, group: Group, seat: Seat) -> int:
    return len(_head(sharing, group, seat)) + 32 * len(sharing.by_seat[seat])


def _head(sharing: Sharing, group: Group, seat: Seat) -> bytes:
    return MAGIC + bytes([seat, sharing.shares]) + group.name + group.bitmap
