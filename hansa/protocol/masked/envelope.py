"""`hansa3`: an update under masks, with the seeds of the masks for the sets of a committee's seats.

`hansa3` | seats u8 | t u8 | context 192 | a cell for each set, lexicographically | masked words, two bytes each.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from hansa.protocol.envelope import CONTEXT, public_key
from hansa.protocol.errors import BadKey, Malformed
from hansa.protocol.masked.cells import SEED, cell_size, commitment, make_cell, open_cell, stream_key
from hansa.protocol.masked.sharing import Sharing
from hansa.protocol.masked.streams import add_streams
from hansa.protocol.masked.words import WORD, Words
from hansa.protocol.types import Digest

MAGIC: Final = b"hansa3"

_HEAD: Final = len(MAGIC) + 2 + CONTEXT

Seeds = Mapping[int, bytes]
"""By index of the set."""


def envelope_size(sharing: Sharing, words: int) -> int:
    """Bytes of the envelope of an update of so many words: a job's `update_bytes`."""
    return _HEAD + sum(map(cell_size, sharing.sets)) + WORD.itemsize * words


def new_seeds(sharing: Sharing) -> list[bytes]:
    """Fresh seeds, one a set; never use them for two updates, nor keep them."""
    return [os.urandom(SEED) for _ in sharing.sets]


def seal(words: Words, seeds: Sequence[bytes], ctx: bytes, sharing: Sharing, members: Sequence[bytes | None]) -> bytes:
    """The envelope of an update. members: announced X25519 public keys by seat, None where there is none."""
    if len(ctx) != CONTEXT or len(members) != sharing.seats:
        raise ValueError(f"a context of {len(ctx)} bytes or {len(members)} keys")
    pairs = list(zip(seeds, sharing.sets, strict=True))
    data = bytearray(envelope_size(sharing, len(words)))
    head = [MAGIC, bytes([sharing.seats, sharing.shares]), ctx]
    head += [make_cell(seed, ctx, chosen, members) for seed, chosen in pairs]
    start = sum(map(len, head))
    data[:start] = b"".join(head)
    masked = np.frombuffer(data, WORD, offset=start)
    masked[:] = words
    add_streams(masked, [stream_key(seed, ctx, chosen) for seed, chosen in pairs])
    return bytes(data)


@dataclass(frozen=True)
class Masked:
    """An envelope whose public part is right: its length, what it begins with, its context. Raises Malformed."""

    data: bytes | memoryview
    ctx: bytes
    sharing: Sharing
    length: int  # words

    def __post_init__(self) -> None:
        expected = envelope_size(self.sharing, self.length)
        if len(self.data) != expected:
            raise Malformed("masked envelope", cause=f"{len(self.data)} bytes, not {expected}")
        if self.data[: _HEAD - CONTEXT] != MAGIC + bytes([self.sharing.seats, self.sharing.shares]):
            raise Malformed("masked envelope", cause=f"it does not begin as one for {self.sharing.seats} seats")
        if self.data[_HEAD - CONTEXT : _HEAD] != self.ctx:
            raise Malformed("masked envelope", cause="it was made for another job, cycle, trainer or model")

    @cached_property
    def cells(self) -> list[bytes]:
        found, start = [], _HEAD
        for chosen in self.sharing.sets:
            found.append(bytes(self.data[start : start + cell_size(chosen)]))
            start += cell_size(chosen)
        return found

    @property
    def words(self) -> Words:
        """The masked words, a view."""
        return np.frombuffer(self.data, WORD, offset=len(self.data) - WORD.itemsize * self.length)

    def commitment(self, index: int) -> Digest:
        """Digest of the seed file of a set."""
        return commitment(self.cells[index])

    def open_own(self, seat: int, secret: bytes, members: Sequence[bytes | None]) -> Seeds:
        """The seeds of a seat's sets, by index. Raises BadKey where `secret` isn't that of the seat's announced key,
        Malformed where a cell of them can't be made again from its seed."""
        seeds, problem = self.readable(seat, secret, members)
        if problem:
            raise Malformed("masked envelope", cause=problem)
        return seeds

    def readable(self, seat: int, secret: bytes, members: Sequence[bytes | None]) -> tuple[Seeds, str]:
        """The seeds of those of a seat's sets whose cell can be made again, and why another one can't, or ''. Raises
        BadKey."""
        if members[seat] != public_key(secret):
            raise BadKey(f"seat {seat} has announced another encryption key than yours", next_step="announce yours")
        seeds, problem = {}, ""
        for index in self.sharing.by_seat[seat]:
            try:
                chosen = self.sharing.sets[index]
                seeds[index] = open_cell(self.cells[index], self.ctx, chosen, seat, secret, members)
            except Malformed as error:
                problem = problem or str(error)
        return seeds, problem

    def stream_key(self, index: int, seed: bytes) -> bytes:
        return stream_key(seed, self.ctx, self.sharing.sets[index])

    def unmasked(self, seeds: Seeds) -> Words:
        """The update's words, from the seeds of every set."""
        words = self.words.copy()
        add_streams(words, [self.stream_key(index, seed) for index, seed in seeds.items()], -1)
        return words
