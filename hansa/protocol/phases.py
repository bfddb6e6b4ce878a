"""The phases of a job, a row each: what happens in it, by whom, how many must, and how long it may last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hansa.protocol.tables import TABLES, read_row
from hansa.protocol.types import Phase


@dataclass(frozen=True)
class PhaseRow:
    """One phase. Names are those of Federation, in its state and terms as Python spells them.

    title: for readers, who need not know the contracts' words. event, call: of who acts in it. acted, due: bitmaps of
    the state, of the seats that have acted and of those that are waited for. minimum: the term that says how many must
    act. term: the one of its length. optional: whether a length of 0 skips it. usual: seconds that a sponsor gives it
    who says nothing else; 0 where it is skipped then.
    """

    name: str
    title: str
    says: str
    event: str | None = None
    call: str | None = None
    acted: str | None = None
    due: str | None = None
    minimum: str | None = None
    term: str | None = None
    optional: bool = False
    usual: int = 0

    @property
    def phase(self) -> Phase:
        return Phase[self.name]

    @property
    def key(self) -> str:
        """As a sponsor's `--time` names it."""
        return self.name.lower()

    def seconds(self, terms: object) -> int:
        """How long it may last; 0 where it has no end, or is skipped."""
        return getattr(terms, self.term) if self.term else 0

    def least(self, terms: object) -> int:
        """How many must act; 0 where nobody must, or it is skipped."""
        return getattr(terms, self.minimum) if self.minimum and not self.is_skipped(terms) else 0

    def is_skipped(self, terms: object) -> bool:
        return self.optional and self.seconds(terms) == 0

    def seats_acted(self, state: object) -> int:
        """Bitmap of the seats that have acted; 0 in a phase that is not the committee's."""
        return getattr(state, self.acted) if self.acted else 0

    def seats_awaited(self, state: object) -> int:
        """Bitmap of the seats that are due and have not acted."""
        return getattr(state, self.due) & ~self.seats_acted(state) if self.due else 0


PHASES: Final = tuple(read_row(PhaseRow, row) for row in TABLES["phases"])
"""By phase."""

STEPS: Final = tuple(row for row in PHASES if row.acted)
"""What the committee does, seat by seat, in this order."""

STEP_OF: Final = {row.event: row for row in STEPS if row.event}
"""By the event that a seat's step leaves."""

_BITMAPS: Final = {row.acted: row for row in STEPS}


def step_before(row: PhaseRow) -> PhaseRow | None:
    """The step that a seat must have done before this one, or None."""
    return _BITMAPS.get(row.due)


def first_missed(terms: object, submitted: int, acted: Mapping[Phase, int]) -> Phase:
    """The first phase of a cycle that missed its minimum; FINALIZE where none did.

    submitted: updates. acted: by the committee's phases, the bitmap of who did its step.
    """
    if submitted < PHASES[Phase.SUBMIT].least(terms):
        return Phase.SUBMIT
    short = (row.phase for row in STEPS if acted[row.phase].bit_count() < row.least(terms))
    return next(short, Phase.FINALIZE)
