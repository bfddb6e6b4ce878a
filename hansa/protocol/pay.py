"""Who is paid what: a pure function of the committed medians, in integers.

Three running averages follow each trainer: gain ("its work helps"), news ("it brought data") and fresh ("it still
does"), which forgets. Pay follows the smallest, as far as this round's update differs from the model's course. Every
median counts weight, not identities. All values are Python integers; gains and news are in units of 1e-9 of validation
loss, averages in units of 1/U of a round's mean. The rule and what it withstands: docs/pay.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from hansa.protocol.exact import weighted_lower_median
from hansa.protocol.tally import Judgement
from hansa.protocol.types import Address, Code, Wei

U = 1 << 32
PRIOR = U // 4
CLAMP = 2  # medians: no measurement counts for more
CAP = 3  # medians: nobody is paid more
KEPT = 4  # of what was fresh a quarter stays, each round
FULL_REPUTATION = 10**6


@dataclass(frozen=True)
class Record:
    """A trainer's running averages, each as sum and weight: gain is cg/dg, news cn/dn, fresh cf/df."""

    cg: int = 0
    dg: int = 0
    cn: int = 0
    dn: int = 0
    cf: int = 0
    df: int = 0


@dataclass(frozen=True)
class Share:
    """How one included trainer's part of a round's reward came about."""

    weight: int  # a
    e: int  # average gain
    k: int  # average news
    f: int  # average of what is fresh
    s: int  # the smallest of the three, weighted
    d: int  # how far this round's update differs from the model's course: |news| // a
    middle: int  # D, the median of d over the ok updates; a quarter of it is enough
    before_cap: int  # p as it would be without the cap
    cap: int  # 3 * a * the median of positive p // a
    p: int  # the part of the round's reward, out of the sum of all p


def advance(
    records: Mapping[Address, Record], judgements: Mapping[Address, Judgement], weights: Mapping[Address, int]
) -> dict[Address, Record]:
    """The records after a finalised round, from the round's ok updates, dropped ones too; the others' stay as they
    are.

    A round weighs S*V // (G*A) <= 1: how far its measurements agree in sign, times how far those who helped outweigh
    the rest. Where they don't, or nothing was measured, it changes nobody's record.
    """
    after = dict(records)
    ok = [i for i, judgement in judgements.items() if judgement.code == Code.OK and weights[i] > 0]
    a = {i: weights[i] for i in ok}
    gain = _clamped({i: judgements[i].gain for i in ok}, a)
    news = _clamped({i: min(judgements[i].gain, judgements[i].news) for i in ok}, a)
    fresh = _clamped({i: min(judgements[i].gain, abs(judgements[i].news)) for i in ok}, a)
    size = sum(abs(g) for g in gain.values())  # G
    total = sum(a.values())  # A
    majority = max(0, 2 * sum(a[i] for i in ok if gain[i] > 0) - total)  # V
    agreed = _agreed(gain, size) * majority
    if agreed == 0:
        return after
    newly = _agreed(news, size) * majority
    gained, gain_weight = _added(gain, agreed, size, a), U * agreed // (size * total)
    brought, news_weight = _added(news, newly, size, a), U * newly // (size * total)
    still = _added(fresh, agreed, size, a)
    for i in ok:
        old = records.get(i, Record())
        after[i] = Record(
            old.cg + gained[i],
            old.dg + gain_weight,
            old.cn + max(0, brought[i]),
            old.dn + news_weight,
            old.cf // KEPT + max(0, still[i]),
            old.df // KEPT + gain_weight,
        )
    return after


def _clamped(column: Mapping[Address, int], a: Mapping[Address, int]) -> dict[Address, int]:
    """Each x_i within ±2 * a_i * (the median of x_j // a_j over the positive x_j)."""
    limit = CLAMP * _median({i: x for i, x in column.items() if x > 0}, a)
    return {i: max(-limit * a[i], min(limit * a[i], x)) for i, x in column.items()}


def _median(column: Mapping[Address, int], a: Mapping[Address, int]) -> int:
    """The weighted lower median of x_i // a_i; 0 of nothing."""
    return weighted_lower_median([x // a[i] for i, x in column.items()], [a[i] for i in column]) if column else 0


def _agreed(x: Mapping[Address, int], size: int) -> int:
    """S, at most G: the sum, if it is positive."""
    return min(size, max(0, sum(x.values())))


def _added(x: Mapping[Address, int], agreed: int, size: int, a: Mapping[Address, int]) -> dict[Address, int]:
    """What a round adds to a sum: U*x_i*S*V // (a_i*T*G), `agreed` being S*V; 0 if T is 0."""
    spread = sum(abs(value) for value in x.values())  # T
    return {i: U * x[i] * agreed // (a[i] * spread * size) if spread else 0 for i in x}


def shares(
    records: Mapping[Address, Record],
    judgements: Mapping[Address, Judgement],
    included: Collection[Address],
    weights: Mapping[Address, int],
) -> dict[Address, Share]:
    """The included trainers' parts of the round's reward, from the records after it and its judgements; without
    judgements nobody's part is limited by how far its update differs."""
    a = {i: weights[i] for i in included if weights[i] > 0}
    at = {i: records.get(i, Record()) for i in a}
    e = {i: U * at[i].cg // (at[i].dg + PRIOR) for i in a}
    k = {i: U * at[i].cn // (at[i].dn + PRIOR) for i in a}
    f = {i: U * at[i].cf // (at[i].df + PRIOR) for i in a}
    all_e, all_k, all_f = (sum(a[i] * max(0, x[i]) for i in a) for x in (e, k, f))  # E, K, F
    s = {i: a[i] * min(e[i] * all_k * all_f, 2 * k[i] * all_e * all_f, 2 * f[i] * all_e * all_k) for i in a}
    d, middle = _differences(judgements, weights)
    total, positive_s = sum(a.values()), sum(max(0, value) for value in s.values())
    p = {i: max(0, 4 * total * s[i] - a[i] * positive_s) for i in a}
    p = {i: p[i] * min(middle, 4 * d.get(i, 0)) // middle if middle else p[i] for i in a}
    limit = CAP * _median({i: value for i, value in p.items() if value > 0}, a)
    return {
        i: Share(a[i], e[i], k[i], f[i], s[i], d.get(i, 0), middle, p[i], limit * a[i], min(p[i], limit * a[i]))
        for i in a
    }


def _differences(
    judgements: Mapping[Address, Judgement], weights: Mapping[Address, int]
) -> tuple[dict[Address, int], int]:
    """How far each ok update differs from the model's course, and the median of it."""
    ok = {i: abs(min(j.gain, j.news)) for i, j in judgements.items() if j.code == Code.OK and weights[i] > 0}
    return {i: x // weights[i] for i, x in ok.items()}, _median(ok, weights)


def payments(shares: Mapping[Address, Share], reward_per_round: Wei) -> dict[Address, Wei]:
    """Each share's tokens, rounded down; nobody is paid where no share is positive."""
    total = sum(share.p for share in shares.values())
    return {i: Wei(reward_per_round * share.p // total if total else 0) for i, share in shares.items()}


def reputation(previous: int, ok_and_paid: bool) -> int:
    """A trainer's standing after a finalised round, 0 to 10**6: an average over about eight rounds."""
    return (7 * previous + FULL_REPUTATION * ok_and_paid) // 8
