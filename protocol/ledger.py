"""The ledger of a job: what the revealed sheets of each finalised round mean for every trainer.

The validator computes its vote with it, the wallet its claims and receipts, the audit every payment: one function of
what the chain holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from protocol import pay, rules
from protocol.exact import measurement_median
from protocol.merkle import Leaf
from protocol.sheet import Entry
from protocol.types import Address, Code, Wei


@dataclass(frozen=True)
class Judgement:
    """What a committee says of one update: a verdict, and where it is ok the median gain and news, in units of
    1e-9."""

    code: Code
    gain: int = 0
    news: int = 0


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
        dropped = rules.drop(self.rule, judgements, members)
        included = [i for i, judgement in enumerate(judgements) if judgement.code == Code.OK and i not in dropped]
        judged = {submitted[i]: judgement for i, judgement in enumerate(judgements) if i not in members}
        records = pay.advance(self.records, judged, self.trainers)
        payable = [submitted[i] for i in included if i not in members]
        shares = pay.shares(records, judged, payable, self.trainers)
        paid = pay.payments(shares, self.reward_per_round)
        struck = {submitted[i] for i, judgement in enumerate(judgements) if judgement.code == Code.MALFORMED}
        leaves = [self._leaf(t, paid.get(t, Wei(0)), t in struck) for t in sorted(self.trainers, key=str.lower)]
        standing = {leaf.trainer: leaf.reputation for leaf in leaves}
        after = replace(self, records=records, reputations=standing)
        return RoundLedger(judgements, included, leaves, records, shares, after)

    def _leaf(self, trainer: Address, paid: Wei, struck: bool) -> Leaf:
        standing = pay.reputation(self.reputations.get(trainer, 0), paid > 0)
        return Leaf(trainer=trainer, pay=paid, strike=int(struck), reputation=standing)


def tally(sheets: Sequence[Sequence[Entry | None]], seats: int, n: int) -> list[Judgement]:
    """The committee's judgement of each of a cycle's n updates, in on-chain order.

    A verdict is what more than half of the seats, not of the sheets, say; else unreachable. Gain and news are
    medians over the sheets that say ok; 0 where the verdict is not ok. Who is a member and submits has no say on its
    own update: None stands there, and the others must be more than half of all seats.
    """
    return [_judge([entry for sheet in sheets if (entry := sheet[i]) is not None], seats) for i in range(n)]


def _judge(entries: Sequence[Entry], seats: int) -> Judgement:
    for code in Code:
        agreeing = [entry for entry in entries if entry.code == code]
        if 2 * len(agreeing) > seats:
            break
    else:
        return Judgement(Code.UNREACHABLE)
    if code != Code.OK:
        return Judgement(code)
    gain = measurement_median([entry.gain for entry in agreeing])
    return Judgement(code, gain, measurement_median([entry.news for entry in agreeing]))
