"""Every round's verdicts, pay and reputation, worked out again from what the chain holds."""

from __future__ import annotations

from collections.abc import Mapping

from hansa.protocol.ledger import Ledger, RoundLedger
from hansa.protocol.sheet import Entry, decode_sheet
from hansa.protocol.types import Address
from hansa.runtime.history.records import CycleRecord, JobHistory
from hansa.runtime.job import JobContext


class Replay:
    """The ledgers of a job's finalised rounds, in order; reads each cycle once however often it is asked.

    The trainer's daemon claims by it, the validator's votes by it, the wallet and the audit explain by it.

    keep: how many of the last rounds' ledgers stay in memory; None: all. rounds: those, in order, after the first
    `forgotten` ones.
    """

    def __init__(self, context: JobContext, weights: Mapping[Address, int], keep: int | None = None) -> None:
        self._ledger = Ledger(
            weights, context.terms.reward_per_round, seats=context.terms.seats, rule=context.spec.rule
        )
        self._first = self._ledger
        self._keep = keep
        self._hashes: list[bytes] = []
        self.rounds: list[RoundLedger] = []

    def follow(self, history: JobHistory) -> list[RoundLedger]:
        """Brings the ledgers up to the last finalised round of `history`, afresh where the chain replaced some."""
        finalised = history.finalised
        if [outcome.result_hash for _, outcome in finalised][: self.count] != self._hashes:
            self._ledger, self._hashes, self.rounds = self._first, [], []
        for cycle, outcome in finalised[self.count :]:
            round_ = self.attempt(cycle)
            self._ledger = round_.after
            self._hashes.append(outcome.result_hash)
            self.rounds.append(round_)
            if self._keep is not None:
                del self.rounds[: -self._keep]
        return self.rounds

    @property
    def count(self) -> int:
        """Of the rounds that were replayed."""
        return len(self._hashes)

    @property
    def forgotten(self) -> int:
        """How many of the first rounds are not in `rounds`."""
        return self.count - len(self.rounds)

    def attempt(self, cycle: CycleRecord) -> RoundLedger:
        """What the round would be if this cycle, the one after the last finalised, were finalised as revealed."""
        trainers = [update.trainer for update in cycle.updates]
        unpaid = set(trainers) & set(cycle.committee)
        return self._ledger.round(trainers, _sheets(cycle), unpaid)


def _sheets(cycle: CycleRecord) -> list[list[Entry | None]]:
    """The revealed sheets, without what a member says of its own update."""
    trainers = [update.trainer for update in cycle.updates]
    found: list[list[Entry | None]] = []
    for revealed in cycle.sheets:
        member, entries = cycle.committee[revealed.seat], decode_sheet(revealed.sheet, len(trainers))
        found.append([None if member == trainer else e for trainer, e in zip(trainers, entries, strict=True)])
    return found
