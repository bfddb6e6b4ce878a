"""Who signed what was released: read off the signed transactions, so that no node's word is taken for it."""

from __future__ import annotations

from collections.abc import Mapping

from hansa.protocol.types import Digest, Seat
from hansa.runtime.chain.abi import BadEncoding, artifact
from hansa.runtime.chain.client import Block, Log
from hansa.runtime.chain.federation import Federation
from hansa.runtime.history.records import CycleRecord
from hansa.runtime.masked.base import MaskedBase
from hansa.runtime.transactions.asked import read_calls
from hansa.runtime.transactions.fetched import fetch_transactions
from hansa.runtime.transactions.signed import BadTransaction, read_transaction

EVENT = "SharesReleased"


class SignedReleases:
    """Of one job; keeps what it has verified."""

    def __init__(self, federation: Federation) -> None:
        self._federation = federation
        self._known: dict[tuple[int, Seat], Digest] = {}  # by cycle
        self._is_account: dict[str, bool] = {}

    def of(self, base: MaskedBase, at: Block) -> Mapping[Seat, set[Digest]]:
        """For each seat what its own key released, and no contract in its place, in the cycles over a base."""
        found: dict[Seat, set[Digest]] = {}
        for cycle in base.cycles:
            wanted = [seat for seat in cycle.releases if (cycle.cycle, seat) not in self._known]
            if wanted:
                self._verify(base, cycle, at)
            for seat, digest in cycle.releases.items():
                if self._known.get((cycle.cycle, seat)) == digest and self._has_key(cycle, seat):
                    found.setdefault(seat, set()).add(digest)
        return found

    def _verify(self, base: MaskedBase, cycle: CycleRecord, at: Block) -> None:
        logs = [log for log in self._logs(base, cycle, at) if log.transaction]
        raws = fetch_transactions(self._federation.chain, [log.transaction for log in logs])
        for raw in raws.values():
            try:
                sent = read_transaction(raw)
                calls = list(read_calls(artifact("Federation"), sent.data))
            except (BadTransaction, BadEncoding):
                continue
            if (sent.to, sent.chain_id) != (base.place.federation, base.place.chain_id):
                continue
            for call in calls:
                asked = call.arguments
                if call.name != "release" or (asked["job"], asked["cycle"]) != (base.place.job, cycle.cycle):
                    continue
                seat = Seat(asked["seat"])
                if seat < len(cycle.committee) and cycle.committee[seat] == sent.signer:
                    self._known[cycle.cycle, seat] = Digest(asked["digest"])

    def _logs(self, base: MaskedBase, cycle: CycleRecord, at: Block) -> list[Log]:
        event = next(event for event in artifact("Federation").events.values() if event.name == EVENT)
        topics = [event.topic, base.place.job.to_bytes(32, "big")]
        return self._federation.chain.logs(base.place.federation, topics, cycle.opened_at, at)

    def _has_key(self, cycle: CycleRecord, seat: Seat) -> bool:
        """Whether a member is an account of its own: a contract's word is whoever's that controls it."""
        member = cycle.committee[seat]
        if member not in self._is_account:
            self._is_account[member] = not self._federation.chain.code(member)
        return self._is_account[member]
