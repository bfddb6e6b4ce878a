"""The model that a job trains from now, as a masked base."""

from __future__ import annotations

from hansa.protocol.types import CycleId
from hansa.runtime.follower import JobFollower
from hansa.runtime.history.records import CycleRecord, Finalized
from hansa.runtime.masked.base import MaskedBase


def current_base(follower: JobFollower) -> MaskedBase:
    """As of the follower's head. Raises the store's errors while the model can't be had."""
    digest, model = follower.base()
    cycles: list[CycleRecord] = []
    for cycle in follower.history().cycles:
        cycles = [] if isinstance(cycle.outcome, Finalized) else [*cycles, cycle]
    under_way = bool(cycles) and cycles[-1].outcome is None
    return MaskedBase(
        place=follower.federation.place(follower.job, CycleId(0)),
        spec=follower.context.spec,
        terms=follower.context.terms,
        digest=digest,
        model=model,
        cycles=tuple(cycles),
        phase=follower.state.phase if under_way else None,
    )
