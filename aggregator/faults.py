"""What a pool of stakes could be shown: a member says once who was at fault. To report it is a person's decision."""

from __future__ import annotations

from hansa.protocol.hashes import cycle_counter
from hansa.protocol.types import CycleId
from hansa.runtime.chain.pool import Pool
from hansa.runtime.desk import Desk
from hansa.runtime.history.shown import shown_cycles


class FaultWatch:
    """Looks at each cycle of a job with a pool once it is over."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        follower = desk.follower
        pool = Pool.of(follower.federation.chain, follower.context.terms.committee)
        self._appointed = None if pool is None else frozenset(pool.appointed())
        self._seen: set[CycleId] = set()
        self._history = bytes(32)  # up to which it has looked

    def look(self) -> None:
        """Logs every fault of a drawn member in cycles that ended since the last look."""
        follower = self._desk.follower
        if self._appointed is None or self._history == follower.state.history or not follower.is_settled():
            return
        federation = follower.federation
        for shown in shown_cycles(federation.chain.chain_id, federation.address, follower.history()):
            cycle = shown.record
            if cycle.cycle in self._seen:
                continue
            self._seen.add(cycle.cycle)
            for seat, fault in shown.faults.items():
                if (member := cycle.committee[seat]) not in self._appointed:
                    self._desk.log.warning(
                        "a member was at fault",
                        counter=cycle_counter(cycle.cycle),
                        member=member,
                        fault=fault,
                        next_step=f"hansa aggregator report --job {follower.job} --send burns 1 % of its stake",
                    )
        self._history = follower.state.history
