"""The ledger of a job: what the revealed sheets of each finalised round mean for every trainer.

The validator computes its vote with it, the wallet its claims and receipts, the audit every payment: one function of
what the chain holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from hansa.protocol import aggregation, pay
from hansa.protocol.merkle import Leaf
from hansa.protocol.sheet import Entry
from hansa.protocol.tally import Judgement, tally
from hansa.protocol.types import Address, Code, Wei


@dataclass(frozen=True)
class RoundLedger:
    """One finalised round. Indices are the updates' places on chain."""

    judgements: list[Judgement]
    included: list[int]  # ok and not dropped, ascending
    leaves: list[Leaf]  # one for every enrolled trainer, by address
    records: dict[Address, pay.Record]  # after the round
    shares: dict[Address, pay.Share]  # of the included, members of the committee left out
    after: Ledger  # the ledger that takes the next round


@dataclass(frozen=True)
class Ledger:
    """A job's books before a round. Starts without records; each round gives the ledger of the next."""

    trainers: Mapping[Address, int]  # every enrolled trainer's weight a, 1 to 255
    reward_per_round: Wei
    seats: int
    rule: str
    records: Mapping[Address, pay.Record] = field(default_factory=dict)
    reputations: Mapping[Address, int] = field(default_factory=dict)

    def round(
        self,
        submitted: Sequence[Address],
        sheets: Sequence[Sequence[Entry | None]],
        unpaid: AbstractSet[Address] = frozenset(),
    ) -> RoundLedger:
        """Judges and pays a finalised round. Never call it for a failed cycle: that adds nothing.

        submitted: the trainers of the cycle's updates, in on-chain order. sheets: the revealed ones, an entry for
        each update; None on a member's own update. unpaid: submitting members of a fully coupled committee, never
        dropped and left out of everything that pays.
        """
        judgements = tally(sheets, self.seats, len(submitted))
        members = {i for i, trainer in enumerate(submitted) if trainer in unpaid}
        dropped = aggregation.drop(self.rule, judgements, members)
        included = [i for i, judgement in enumerate(judgements) if judgement.code == Code.OK and i not in dropped]
        judged = {submitted[i]: judgement for i, judgement in enumerate(judgements) if i not in members}
        records = pay.advance(self.records, judged, self.trainers)
        payable = [submitted[i] for i in included if i not in members]
        shares = pay.shares(self.records, records, payable)
        paid = pay.payments(shares, self.reward_per_round)
        struck = {submitted[i] for i, judgement in enumerate(judgements) if judgement.code.strikes}
        leaves = [self._leaf(t, paid.get(t, Wei(0)), t in struck) for t in sorted(self.trainers, key=str.lower)]
        reputations = {leaf.trainer: leaf.reputation for leaf in leaves}
        after = replace(self, records=records, reputations=reputations)
        return RoundLedger(judgements, included, leaves, records, shares, after)

    def _leaf(self, trainer: Address, paid: Wei, struck: bool) -> Leaf:
        reputation = pay.reputation(self.reputations.get(trainer, 0), paid > 0)
        return Leaf(trainer=trainer, pay=paid, strike=int(struck), reputation=reputation)
