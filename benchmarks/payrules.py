"""The pay rule, and three that it was chosen over, on the same judgements: a pay rule never changes the model.

`shipped`: three running averages, one of which forgets, as far as the round's own update differs; a round weighs by
agreement and majority (`hansa.protocol.pay`).
`two averages`: gain and news, without forgetting; a round weighs how far its measurements agree in sign.
`sums`: what was measured, summed over the rounds; round 1, where the loss falls most, outweighs all others.
`normalised`: each round's measurements divided by their size; every round weighs the same, one of pure noise too.
All clamp what is measured and share out alike; the last three follow the smaller of gain and news, and ask nothing of
the round's own update.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from benchmarks.simulate import REWARD, History
from hansa.protocol import pay
from hansa.protocol.pay import PRIOR, Record, U
from hansa.protocol.tally import Judgement
from hansa.protocol.types import Address, Code

Weights: TypeAlias = Mapping[Address, int]
Records: TypeAlias = Mapping[Address, Record]
Advance: TypeAlias = Callable[[Records, Mapping[Address, Judgement], Weights], dict[Address, Record]]


def two_averages(records: Records, judgements: Mapping[Address, Judgement], weights: Weights) -> dict[Address, Record]:
    after = dict(records)
    lines = _clamped(judgements, weights)
    total = sum(a for _, _, _, a, _, _ in lines)
    agreed_gain = max(0, sum(gain for _, gain, *_ in lines))
    agreed_news = max(0, sum(news for _, _, news, *_ in lines))
    for trainer, gain, news, a, size, spread in lines:
        old = records.get(trainer, Record())
        s, t = min(size, agreed_gain), min(size, agreed_news)
        cg = old.cg + (U * total * gain * s // (a * size * size) if s else 0)
        cn = old.cn + (U * total * max(0, news) * t // (a * spread * size) if t else 0)
        after[trainer] = _two(cg, old.dg + (U * s // size if s else 0), cn, old.dn + (U * t // size if t else 0))
    return after


def _two(cg: int, dg: int, cn: int, dn: int) -> Record:
    """A record of gain and news alone: pay follows the smallest, and what is fresh is the news."""
    return Record(cg, dg, cn, dn, cn, dn)


def sums(records: Records, judgements: Mapping[Address, Judgement], weights: Weights) -> dict[Address, Record]:
    after = dict(records)
    for trainer, gain, news, a, _, _ in _clamped(judgements, weights):
        old = records.get(trainer, Record(dg=U - PRIOR, dn=U - PRIOR))  # the divisor of an average stays 1
        after[trainer] = _two(old.cg + U * gain // a, old.dg, old.cn + U * max(0, news) // a, old.dn)
    return after


def normalised(records: Records, judgements: Mapping[Address, Judgement], weights: Weights) -> dict[Address, Record]:
    after = dict(records)
    lines = _clamped(judgements, weights)
    total = sum(a for _, _, _, a, _, _ in lines)
    for trainer, gain, news, a, size, spread in lines:
        old = records.get(trainer, Record())
        cg = old.cg + (U * total * gain // (a * size) if size else 0)
        cn = old.cn + (U * total * max(0, news) // (a * spread) if spread else 0)
        after[trainer] = _two(cg, old.dg + U, cn, old.dn + U)
    return after


def _clamped(
    judgements: Mapping[Address, Judgement], weights: Weights
) -> list[tuple[Address, int, int, int, int, int]]:
    """(trainer, gain, news, a, sum of |gain|, sum of |news|), clamped as the shipped rule does."""
    ok = [trainer for trainer, judgement in judgements.items() if judgement.code == Code.OK]
    a = {trainer: weights[trainer] for trainer in ok}
    gain = pay._clamped({t: judgements[t].gain for t in ok}, a)
    news = pay._clamped({t: min(judgements[t].gain, judgements[t].news) for t in ok}, a)
    size, spread = (sum(abs(x) for x in column.values()) for column in (gain, news))
    return [(t, gain[t], news[t], a[t], size, spread) for t in ok]


SHIPPED = "shipped"
RULES: dict[str, Advance] = {
    SHIPPED: pay.advance,
    "two averages": two_averages,
    "sums": sums,
    "normalised": normalised,
}


def totals(history: History, rule: str) -> dict[str, int]:
    """What each player would have got over the job."""
    return {name: sum(paid[name] for paid in by_round(history, rule)) for name in names(history)}


def by_round(history: History, rule: str) -> list[dict[str, int]]:
    players = history.job.players
    weights = {player.address: player.weight for player in players}
    address = {player.name: player.address for player in players}
    records: dict[Address, Record] = {}
    result = []
    for played in history.rounds:
        submitted = [address[name] for name in played.submitted]
        judgements = dict(zip(submitted, played.ledger.judgements, strict=True))
        records = RULES[rule](records, judgements, weights)
        judged = judgements if rule == SHIPPED else {}
        shares = pay.shares(records, judged, [submitted[i] for i in played.ledger.included], weights)
        paid = pay.payments(shares, REWARD)
        result.append({name: int(paid.get(address[name], 0)) for name in address})
    return result


def names(history: History) -> list[str]:
    return [player.name for player in history.job.players]
