"""The set of updates that a model is opened for: one, ever.

The first cycle over a model whose ATTEST ended with enough updates in fixes the set. Two sets over one model would
differ by a few updates, and their sums by exactly those.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass
from typing import Protocol

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from hansa.protocol.types import CycleId


@dataclass(frozen=True)
class Group:
    """Updates of one cycle that are opened together.

    cycle, updates: whose accumulator names who stands at each place. included: whether each is in, by place.
    """

    cycle: CycleId
    updates: int
    included: tuple[bool, ...]

    @property
    def places(self) -> list[int]:
        return [place for place, is_in in enumerate(self.included) if is_in]

    @property
    def size(self) -> int:
        """A, how many are in."""
        return sum(self.included)

    @property
    def bitmap(self) -> bytes:
        return to_bitmap(self.included)

    @property
    def name(self) -> bytes:
        """X, 32 bytes."""
        return keccak(encode(["uint64", "uint128", "bytes"], [self.cycle, self.updates, self.bitmap]))


class Attested(Protocol):
    """A cycle as the chain has it once its ATTEST has ended: by seat, the bitmaps of those that attested."""

    @property
    def cycle(self) -> CycleId: ...
    @property
    def updates_acc(self) -> int: ...
    @property
    def submitted(self) -> Sized: ...
    @property
    def bitmaps(self) -> Sequence[bytes]: ...
    @property
    def is_attested(self) -> bool:
        """Whether ATTEST ended with its minimum met."""


def to_bitmap(bits: Sequence[bool]) -> bytes:
    """Bit i has the value 2^(i mod 8) of byte i // 8."""
    data = bytearray((len(bits) + 7) // 8)
    for place, bit in enumerate(bits):
        data[place // 8] |= bit << place % 8
    return bytes(data)


def from_bitmap(data: bytes, n: int) -> list[bool]:
    """The first n bits; what is beyond them, or missing, says nothing."""
    return [place // 8 < len(data) and bool(data[place // 8] >> place % 8 & 1) for place in range(n)]


def attested_group(cycle: CycleId, updates: int, n: int, bitmaps: Iterable[bytes], seats: int) -> Group:
    """Who is in: what more than half of the seats attest."""
    columns = zip(*(from_bitmap(bitmap, n) for bitmap in bitmaps), strict=True)
    included = tuple(2 * sum(column) > seats for column in columns)
    return Group(cycle, updates, included or (False,) * n)


def fixed_group(cycles: Iterable[Attested], seats: int, least: int) -> Group | None:
    """The set that a model is opened for, if one is fixed.

    cycles: all over the model, oldest first. least: updates that it needs (`group` of the spec).
    """
    for one in cycles:
        if one.is_attested:
            group = attested_group(one.cycle, one.updates_acc, len(one.submitted), one.bitmaps, seats)
            if group.size >= least:
                return group
    return None


def may_release(released: bytes | None, group: Group) -> bool:
    """Whether a member may release and publish for this group. released: the X that it journalled for this job and
    model before, on whatever fork; None: none."""
    return released is None or released == group.name


def may_put(released: int, quorum: int) -> bool:
    """Whether a member may give away vectors, seeds and probes of its group.

    released: seats, its own included, whose tables of this group are there and whose signed `release` names them. Two
    groups over one model would need 2 · quorum ≤ seats + shares − 1 of these: an honest seat releases one a model.
    """
    return released >= quorum
