"""Which seats hold which streams: every set of m − t + 1 of a committee's m seats holds one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import comb
from typing import Final

from hansa.protocol.privacy import MOST_SETS
from hansa.protocol.tables import LIMITS

FEWEST: Final = 2  # t: one member alone must never open anything

SeatSet = tuple[int, ...]
"""Seats, ascending."""


@dataclass(frozen=True)
class Sharing:
    """seats: m. shares: t, the fewest members that together could open an update."""

    seats: int
    shares: int

    def __post_init__(self) -> None:
        problem = sharing_problem(self.seats, self.shares)
        if problem is not None:
            raise ValueError(problem)

    @cached_property
    def sets(self) -> tuple[SeatSet, ...]:
        """All of them, lexicographically."""
        return tuple(combinations(range(self.seats), self.seats - self.shares + 1))

    @cached_property
    def by_seat(self) -> tuple[tuple[int, ...], ...]:
        """For each seat the indices of the sets that it is in."""
        return tuple(
            tuple(index for index, chosen in enumerate(self.sets) if seat in chosen) for seat in range(self.seats)
        )


def sharing_problem(seats: int, shares: int) -> str | None:
    """Why m seats and t shares can't be used, or None.

    With t ≤ (m + 1) / 2 every set has t members, so an honest one.
    """
    if not (1 <= seats <= LIMITS.seats and FEWEST <= shares <= (seats + 1) // 2):
        return f"shares is {shares}: {FEWEST} to half of {seats} seats, rounded up"
    if (sets := comb(seats, seats - shares + 1)) > MOST_SETS:
        return f"{seats} seats and {shares} shares make {sets} sets, more than {MOST_SETS}"
    return None


def mask(chosen: SeatSet) -> bytes:
    """A set as a bitmap, u32 big-endian: seat s has the value 2^s."""
    return sum(1 << seat for seat in chosen).to_bytes(4, "big")
