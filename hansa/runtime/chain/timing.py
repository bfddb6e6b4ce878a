"""How fast a chain is, and how long a job's phases must be on it: one rule for who posts and for who takes part."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hansa.protocol.errors import FatalError
from hansa.protocol.phases import PHASES
from hansa.protocol.text import counted
from hansa.protocol.types import Phase
from hansa.runtime.chain.blocks import block_request, read_block
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.deployment import Confirmations
from hansa.runtime.chain.dialects import USUAL_DEPTH
from hansa.runtime.chain.structs import JobTerms

SAMPLE = 40  # blocks over which their time is measured
UNKNOWN_SECONDS = 12.0  # between blocks, where there are too few
MARGIN = 3  # times what an act takes at least
STEP_BLOCKS = 2  # that an act takes: who seals a block may have chosen its transactions already
OPEN_BLOCKS = 3  # that OPEN lasts at least
HEADROOM = 1.5  # times the least: what is posted, as a chain may be slower tomorrow than it was measured today
TOLERANCE = 0.25  # of the least that may lack: with HEADROOM, a chain may seem twice as slow to one as to another. On
# miners' chains 40 gaps have a mean that is off by a sixth and, for one of twenty, by a third, up or down
MEMBER_PHASES = PHASES[Phase.SUBMIT :]


@dataclass(frozen=True)
class Pace:
    """block: seconds between blocks. depth: seconds until a block counts as settled, as it is now. confirmations: what
    says so."""

    block: float
    depth: float
    confirmations: Confirmations

    @property
    def usual(self) -> Pace:
        """The same, with the usual depth at least where nodes name the block: theirs falls and rises."""
        if isinstance(self.confirmations, int):
            return self
        return replace(self, depth=max(self.depth, USUAL_DEPTH[self.confirmations] * self.block))

    @property
    def phase(self) -> int:
        """Seconds that every phase must last at least: the act and what it waits for, three times."""
        return math.ceil(MARGIN * (self.depth + STEP_BLOCKS * self.block))

    @property
    def opening(self) -> int:
        """Seconds that OPEN must last: not in the block that ends the last cycle, and the next may lack it."""
        return max(2, math.ceil(OPEN_BLOCKS * self.block))

    @property
    def floors(self) -> dict[str, int]:
        """Seconds by phase, the least that whoever takes part needs."""
        return {**{row.key: self.phase for row in MEMBER_PHASES}, "open": self.opening}

    @property
    def posted(self) -> dict[str, int]:
        """The same for whoever posts, by the usual depth: trainers must find the time to enrol, too."""
        return {"enrol": self.usual.phase, **self.usual.floors}

    @property
    def proposed(self) -> dict[str, int]:
        """The same with headroom, so that nobody who measures it later has to refuse it."""
        return {name: math.ceil(HEADROOM * least) for name, least in self.posted.items()}

    def __str__(self) -> str:
        return f"blocks of {self.block:.3g} s and {said(self.confirmations)}"


def said(confirmations: Confirmations) -> str:
    """A depth in words."""
    return counted(confirmations, "confirmation") if isinstance(confirmations, int) else f"{confirmations} blocks"


def pace_of(chain: Chain) -> Pace:
    """Measured on the newest blocks."""
    head = chain.head()
    first = max(chain.first_number + 1, head.number - SAMPLE)  # the first block's time can be anything
    batch = [block_request(hex(number)) for number in range(first, head.number + 1)]
    times = [read_block(answer, "a block").timestamp for answer in (chain.rpc.ask(batch) if batch else [])]
    block = seconds_between(times)
    depth = chain.confirmations
    if isinstance(depth, int):
        return Pace(block, depth * block, depth)
    return Pace(block, float(head.timestamp - chain.below(head, depth).timestamp), depth)


def seconds_between(times: Sequence[int]) -> float:
    """Between blocks of these times, a second at least. The mean, unless rests of an idle chain make that long."""
    gaps = [after - before for before, after in zip(times, times[1:], strict=False)]
    if not gaps:
        return UNKNOWN_SECONDS
    return max(1.0, min(statistics.mean(gaps), 2 * statistics.median(gaps)))


def too_short(terms: JobTerms, pace: Pace) -> str | None:
    """Why a job's phases can't be kept up with, in a sentence; those that lack a little are taken, as who posted them
    may have measured a faster chain. Phases of zero are left out of a job."""
    return _problem({row.key: row.seconds(terms) for row in PHASES}, pace.floors, pace, TOLERANCE)


def fitted(times: Mapping[str, int], given: Mapping[str, int], pace: Pace) -> dict[str, int]:
    """Lengths of phases, in seconds: those `given`, FatalError for one too short, and no other shorter than the chain
    needs, and half as much again."""
    if problem := _problem(given, pace.posted, pace):
        raise FatalError(f"nobody could keep up with the job: {problem}", next_step="give --time more, or leave it out")
    least = {name: seconds for name, seconds in pace.proposed.items() if name not in given}
    return {name: max(seconds, least.get(name, 0)) if seconds else 0 for name, seconds in times.items()}


def _problem(lasting: Mapping[str, int], floors: Mapping[str, int], pace: Pace, tolerance: float = 0.0) -> str | None:
    short: dict[int, list[str]] = {}
    for name, least in floors.items():
        if 0 < lasting.get(name, 0) < (1 - tolerance) * least:
            short.setdefault(least, []).append(name)
    told = [f"{', '.join(names)} shorter than the {least} s" for least, names in short.items()]
    return f"{' and '.join(told)} that {pace} ask for" if told else None
