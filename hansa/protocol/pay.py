"""Who is paid what: a pure function of the committed medians, in integers.

Two running sums follow each trainer: gain, what its updates took off the validation loss, and news, what of it the
model's course did not already show. Pay is in proportion to gain, as far as enough of it was news. Gains and news are
in units of 1e-9 of validation loss. The rule and what it withstands: docs/pay.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from hansa.protocol.exact import weighted_upper_median
from hansa.protocol.tally import Judgement
from hansa.protocol.types import Address, Code, Wei

KEPT, OF = 5, 6  # of both sums five sixths stay, each round
CLAMP = 2  # medians: no gain counts for more
NEWS = 3  # news counts where it is a third of its gain or more
ENOUGH = 2  # gain counts in full with half as large a part of news as everybody's
FULL_REPUTATION = 10**6


@dataclass(frozen=True, slots=True)
class Record:
    """A trainer's running sums, never below 0."""

    gain: int = 0
    news: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """How one included trainer's part of a round's reward came about."""

    gain: int  # its record after the round
    news: int
    all_gain: int  # everybody's records before the round, not less than all_news
    all_news: int
    p: int  # the part of the round's reward, out of the sum of all p

    @property
    def counted(self) -> float:
        """What of the gain counts, 1e-9."""
        return self.p / self.all_news if self.all_news else float(self.p)


def advance(
    records: Mapping[Address, Record], judgements: Mapping[Address, Judgement], weights: Mapping[Address, int]
) -> dict[Address, Record]:
    """The records after a finalised round, from the round's ok updates, dropped ones too.

    Harm takes off what was gained, in full. Help counts for no more than two medians of all |gain|, by weight: where
    most did nothing, one alone can't have helped.
    """
    ok = {i: judgement for i, judgement in judgements.items() if judgement.code == Code.OK and weights[i] > 0}
    after = {i: Record(KEPT * old.gain // OF, KEPT * old.news // OF) for i, old in records.items()}
    if not ok:
        return after
    middle = weighted_upper_median([abs(j.gain) // weights[i] for i, j in ok.items()], [weights[i] for i in ok])
    for i, judgement in ok.items():
        old, most = after.get(i, Record()), CLAMP * weights[i] * middle
        gain, news = judgement.gain, min(judgement.gain, judgement.news)
        new = min(news, most) if NEWS * news >= gain > 0 else 0
        after[i] = Record(max(0, old.gain + min(gain, most)), old.news + new)
    return after


def shares(
    before: Mapping[Address, Record], after: Mapping[Address, Record], included: Collection[Address]
) -> dict[Address, Share]:
    """The included trainers' parts of the round's reward, from the records before it and after it."""
    all_news = sum(record.news for record in before.values())
    all_gain = max(all_news, sum(record.gain for record in before.values()))
    return {i: _share(after.get(i, Record()), all_gain, all_news) for i in included}


def _share(record: Record, all_gain: int, all_news: int) -> Share:
    enough = min(record.gain * all_news, ENOUGH * record.news * all_gain)
    return Share(record.gain, record.news, all_gain, all_news, enough if all_news else record.gain)


def payments(shares: Mapping[Address, Share], reward_per_round: Wei) -> dict[Address, Wei]:
    """Each share's tokens, rounded down; nobody is paid where no share is positive."""
    total = sum(share.p for share in shares.values())
    return {i: Wei(reward_per_round * share.p // total if total else 0) for i, share in shares.items()}


def reputation(previous: int, ok_and_paid: bool) -> int:
    """A trainer's standing after a finalised round, 0 to 10**6: an average over about eight rounds."""
    return (7 * previous + FULL_REPUTATION * ok_and_paid) // 8
