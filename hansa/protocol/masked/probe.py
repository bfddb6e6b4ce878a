"""`hansap`: a few words of every stream, published where the sum of a group is none that updates add up to.

`hansap` | seat u8 | t u8 | X 32 | first word u32 | words u8 | for each set of the seat, for each update that is in, in
order, those words of its stream, two bytes each; zeros alone where the seat lacks a seed of the set: it says nothing of
that set then. What it made up would differ from what others say, and the seeds of a set that is disputed are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from hansa.protocol.errors import Malformed
from hansa.protocol.masked.group import Group
from hansa.protocol.masked.sharing import Sharing
from hansa.protocol.masked.words import WORD, Fault, Words
from hansa.protocol.types import Seat

MAGIC: Final = b"hansap"

Told = Mapping[int, Words]
"""By place on chain, the words of one set's streams at the fault."""


@dataclass(frozen=True, eq=False)
class Probe:
    """words: by index of the set, (updates that are in, words of the fault); sets that the seat can't speak of are left
    out."""

    seat: Seat
    words: Mapping[int, Words]

    def encode(self, sharing: Sharing, group: Group, fault: Fault) -> bytes:
        nothing = np.zeros((group.size, fault.words), WORD)
        rows = [self.words.get(index, nothing).astype(WORD).tobytes() for index in sharing.by_seat[self.seat]]
        return _head(sharing, group, self.seat, fault) + b"".join(rows)

    @classmethod
    def decode(cls, data: bytes, sharing: Sharing, group: Group, seat: Seat, fault: Fault) -> Probe:
        """Reads the probe of a seat. Raises Malformed for one of another seat, group or fault."""
        head, own = _head(sharing, group, seat, fault), sharing.by_seat[seat]
        if len(data) != probe_size(sharing, group, seat, fault) or data[: len(head)] != head:
            raise Malformed(f"probe of seat {seat}", cause="it is of another seat, group or word")
        words = np.frombuffer(data, WORD, offset=len(head)).reshape(len(own), group.size, fault.words)
        return cls(seat, {index: said for index, said in zip(own, words, strict=True) if said.any()})


def probe_size(sharing: Sharing, group: Group, seat: Seat, fault: Fault) -> int:
    values = len(sharing.by_seat[seat]) * group.size * fault.words
    return len(_head(sharing, group, seat, fault)) + WORD.itemsize * values


def _head(sharing: Sharing, group: Group, seat: Seat, fault: Fault) -> bytes:
    words = fault.first.to_bytes(4, "big") + bytes([fault.words])
    return MAGIC + bytes([seat, sharing.shares]) + group.name + words
