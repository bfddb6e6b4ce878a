"""The pay rule, and three that it was chosen over, on the same judgements: a pay rule never changes the model.

`shipped`: gain so far, as far as enough of it was news; five sixths of what was stay each round (`hansa.protocol.pay`).
`gain alone`: the same without asking for news.
`sums`: nothing is forgotten; round 1, where the loss falls most, outweighs all others.
`each alone`: nothing is remembered; a round pays by what it measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from benchmarks.simulate import REWARD, History
from hansa.protocol import pay
from hansa.protocol.pay import KEPT, OF, Record
from hansa.protocol.tally import Judgement
from hansa.protocol.types import Address, Code

Weights: TypeAlias = Mapping[Address, int]
Records: TypeAlias = Mapping[Address, Record]
Advance: TypeAlias = Callable[[Records, Mapping[Address, Judgement], Weights], dict[Address, Record]]


def gain_alone(records: Records, judgements: Mapping[Address, Judgement], weights: Weights) -> dict[Address, Record]:
    return pay.advance(records, {i: Judgement(j.code, j.gain, j.gain) for i, j in judgements.items()}, weights)


def sums(records: Records, judgements: Mapping[Address, Judgement], weights: Weights) -> dict[Address, Record]:
    return pay.advance({i: Record(_more(r.gain), _more(r.news)) for i, r in records.items()}, judgements, weights)


def _more(sum_so_far: int) -> int:
    """What becomes `sum_so_far` when a round has gone by."""
    return -(-OF * sum_so_far // KEPT)


def each_alone(records: Records, judgements: Mapping[Address, Judgement], weights: Weights) -> dict[Address, Record]:
    return pay.advance({}, judgements, weights)


SHIPPED = "shipped"
RULES: dict[str, Advance] = {
    SHIPPED: pay.advance,
    "gain alone": gain_alone,
    "sums": sums,
    "each alone": each_alone,
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
        before, records = records, RULES[rule](records, judgements, weights)
        shares = pay.shares(before, records, [submitted[i] for i in played.ledger.included])
        paid = pay.payments(shares, REWARD)
        result.append({name: int(paid.get(address[name], 0)) for name in address})
    return result


def measured(history: History) -> dict[str, int]:
    """What each player's updates were measured to take off the error, in all rounds together."""
    found = dict.fromkeys(names(history), 0)
    for played in history.rounds:
        for name, judgement in zip(played.submitted, played.ledger.judgements, strict=True):
            found[name] += judgement.gain if judgement.code == Code.OK else 0
    return found


def names(history: History) -> list[str]:
    return [player.name for player in history.job.players]
