"""What a member says of a masked cycle's updates. All that are in are paid alike: nobody knows which did the good."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from hansa.protocol.masked.group import Group
from hansa.protocol.sheet import Entry
from hansa.protocol.types import Address, Code, Digest

Submission = tuple[Address, Digest]


@dataclass(frozen=True)
class Worth:
    """What a group's sum is worth on a member's rows, 1e-9, and how many updates are in it."""

    gain: int
    news: int
    updates: int  # A

    @property
    def shares(self) -> tuple[int, int]:
        """Gain and news of each, rounded down."""
        return self.gain // self.updates, self.news // self.updates


def places_of(submitted: Sequence[Submission], group: Group, members: Sequence[Submission]) -> dict[int, int]:
    """Places of this cycle's submissions, by the place that each has in the group: those that come again, trainer and
    digest. members: submissions of the cycle that the group is of."""
    chosen = {members[place]: place for place in group.places}
    return {place: chosen[one] for place, one in enumerate(submitted) if one in chosen}


def masked_sheet(
    n: int, present: Collection[int], found: Collection[int], spoilers: Collection[int], worth: Worth | None
) -> list[Entry]:
    """The sheet of a cycle of n updates; all three collections are of places in it.

    present: those in the group. found: those that this member found malformed, which says nothing of one that is in.
    spoilers: those whose words spoilt the sum. worth: None where this member has not opened the sum.
    """
    entries = [Entry(Code.MALFORMED if place in found else Code.UNREACHABLE) for place in range(n)]
    for place in present:
        entries[place] = Entry(Code.UNREACHABLE if worth is None else Code.OK, *(worth.shares if worth else ()))
    for place in spoilers:
        entries[place] = Entry(Code.MALFORMED)
    return entries
