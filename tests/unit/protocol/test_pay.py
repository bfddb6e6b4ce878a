from __future__ import annotations

import hashlib

import naive
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.protocol import pay
from hansa.protocol.tally import Judgement
from hansa.protocol.types import Code

EDGE = 2**40
REWARD = 1000 * 10**18

measures = st.one_of(st.integers(-EDGE, EDGE), st.integers(-5, 5), st.sampled_from([0, EDGE, -EDGE]))
weights = st.one_of(st.just(1), st.integers(1, 255))
trainers = st.lists(st.tuples(measures, measures, weights), min_size=1, max_size=12)


def entries(records):
    return {i: (r.cg, r.dg, r.cn, r.dn, r.cf, r.df) for i, r in records.items()}


def ok(gain, news):
    return Judgement(Code.OK, gain, news)


def play(rounds, a):
    """Records after the rounds, each a mapping trainer -> (gain, news)."""
    records = {}
    for judged in rounds:
        records = pay.advance(records, {i: ok(*values) for i, values in judged.items()}, a)
    return records


def paid_for(rounds, a):
    """What the last of the rounds pays, everybody of it included."""
    last = {i: ok(*values) for i, values in rounds[-1].items()}
    return pay.payments(pay.shares(play(rounds, a), last, list(last), a), REWARD)


@settings(max_examples=300, deadline=None)
@given(st.lists(weights, min_size=1, max_size=10), st.data())
def test_pay__any_job__is_the_naive_formula(a, data):
    records, slow, a = {}, {}, dict(enumerate(a))
    present = st.sets(st.sampled_from(sorted(a)), min_size=1)
    for _ in range(data.draw(st.integers(1, 4))):
        judged = {i: (data.draw(measures), data.draw(measures)) for i in data.draw(present)}
        included = data.draw(st.sets(st.sampled_from(sorted(judged))))
        judgements = {i: ok(*values) for i, values in judged.items()}
        records = pay.advance(records, judgements, a)
        slow = naive.advance(slow, judged, a)
        assert entries(records) == slow
        shares = pay.shares(records, judgements, included, a)
        reward = data.draw(st.sampled_from([0, 1, 999, REWARD, 2**96 - 1]))
        paid = pay.payments(shares, reward)
        assert paid == naive.payments(slow, judged, included, a, reward)
        assert all(type(x) is int and x >= 0 for x in paid.values())
        assert sum(paid.values()) <= reward
        assert sum(paid.values()) > reward - len(a) or not any(paid.values()) or reward == 0


@settings(max_examples=150, deadline=None)
@given(trainers, st.randoms())
def test_pay__any_order_of_trainers__is_the_same(values, random):
    a = {i: weight for i, (_, _, weight) in enumerate(values)}
    judged = {i: ok(gain, news) for i, (gain, news, _) in enumerate(values)}
    order = random.sample(sorted(judged), len(judged))
    records = pay.advance({}, judged, a)
    assert records == pay.advance({}, {i: judged[i] for i in order}, a)
    paid = pay.payments(pay.shares(records, judged, list(judged), a), REWARD)
    shuffled = {i: judged[i] for i in order}
    assert paid == pay.payments(pay.shares(records, shuffled, order, a), REWARD)


@settings(max_examples=200, deadline=None)
@given(trainers)
def test_advance__one_huge_value__moves_nobody_beyond_two_medians(values):
    a = {i: weight for i, (_, _, weight) in enumerate(values)}
    gains = {i: gain for i, (gain, _, _) in enumerate(values)}
    clamped = pay._clamped(gains, a)
    bound = naive.middle({i: g for i, g in gains.items() if g > 0}, a)
    assert all(abs(x) <= 2 * a[i] * bound for i, x in clamped.items())
    assert all(clamped[i] == gains[i] for i in gains if abs(gains[i]) <= 2 * a[i] * bound)


@settings(max_examples=200, deadline=None)
@given(trainers)
def test_advance__a_round__never_weighs_more_than_one(values):
    a = {i: weight for i, (_, _, weight) in enumerate(values)}
    records = pay.advance({}, {i: ok(gain, news) for i, (gain, news, _) in enumerate(values)}, a)
    assert all(0 <= r.dg <= pay.U and 0 <= r.dn <= pay.U for r in records.values())
    assert all(abs(r.cg) <= 2 * sum(a.values()) * pay.U and r.cn >= 0 for r in records.values())


@settings(max_examples=200, deadline=None)
@given(trainers)
def test_shares__any__are_capped_at_three_medians_of_a_weight(values):
    a = {i: weight for i, (_, _, weight) in enumerate(values)}
    judged = {i: ok(gain, news) for i, (gain, news, _) in enumerate(values)}
    for share in pay.shares(pay.advance({}, judged, a), judged, list(a), a).values():
        assert 0 <= share.p == min(share.before_cap, share.cap)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 100, 1000])
@pytest.mark.parametrize("gain", [1, 1000, EDGE])
def test_payments__equal_work__is_paid_by_weight(n, gain):
    a = {i: 1 + i % 255 for i in range(n)}
    paid = paid_for([{i: (gain * a[i], gain * a[i]) for i in a}] * 3, a)
    total = sum(a.values())
    assert all(abs(paid[i] - REWARD * a[i] // total) <= REWARD * a[i] // total // 10**6 + 1 for i in a)


@pytest.mark.parametrize("n", [1, 2, 7, 1000])
@pytest.mark.parametrize("value", [-EDGE, 0])
def test_payments__nobody_helps__nobody_is_paid(n, value):
    a = dict.fromkeys(range(n), 255)
    rounds = [dict.fromkeys(a, (value, value))]
    assert play(rounds, a) == {}, "a round that weighs nothing"
    assert paid_for(rounds, a) == dict.fromkeys(range(n), 0)


def test_payments__nobody_included__is_empty():
    assert pay.payments(pay.shares({}, {}, [], {}), REWARD) == {}


def test_payments__without_a_record__is_nothing():
    records = play([{0: (10, 10), 1: (10, 10)}], {0: 1, 1: 1})
    judged = dict.fromkeys(range(3), ok(10, 10))
    paid = pay.payments(pay.shares(records, judged, [0, 1, 2], {0: 1, 1: 1, 2: 1}), REWARD)
    assert paid == {0: REWARD // 2, 1: REWARD // 2, 2: 0}


def test_payments__weight_of_zero__is_left_out_of_everything():
    a = {0: 1, 1: 1, 2: 0}
    judged = {0: ok(10, 10), 1: ok(20, 20), 2: ok(EDGE, EDGE)}
    records = pay.advance({}, judged, a)
    paid = pay.payments(pay.shares(records, judged, [0, 1, 2], a), REWARD)
    assert 2 not in records and paid.get(2, 0) == 0
    assert paid == paid_for([{0: (10, 10), 1: (20, 20)}], a)


def test_payments__gain_without_news__is_nothing():
    a = dict.fromkeys(range(4), 1)
    paid = paid_for([{0: (100, 100), 1: (100, 100), 2: (100, 100), 3: (100, -50)}], a)
    assert paid[3] == 0 and paid[0] == paid[1] == paid[2] > 0


def test_payments__a_free_rider_below_a_quarter_of_the_average__is_not_paid():
    a = dict.fromkeys(range(4), 1)
    paid = paid_for([{0: (100, 100), 1: (100, 100), 2: (100, 100), 3: (20, 20)}] * 5, a)
    assert paid[3] == 0 and min(paid[0], paid[1], paid[2]) == REWARD // 3


def test_advance__absent_and_not_ok__keep_their_records():
    a = dict.fromkeys(range(3), 1)
    before = play([dict.fromkeys(a, (10, 10))], a)
    judged = {0: ok(10, 10), 1: Judgement(Code.MALFORMED)}
    after = pay.advance(before, judged, a)
    assert after[1] == before[1] and after[2] == before[2] and after[0] != before[0]
    assert before == play([dict.fromkeys(a, (10, 10))], a), "nothing was changed in place"


def test_advance__news_above_gain__counts_as_the_gain():
    a = dict.fromkeys(range(3), 1)
    assert play([{0: (10, 99), 1: (10, 10), 2: (10, 10)}], a) == play([dict.fromkeys(range(3), (10, 10))], a)


@pytest.mark.parametrize(
    ("previous", "earned", "expected"),
    [
        (0, True, 125_000),
        (0, False, 0),
        (125_000, True, 234_375),
        (10**6, True, 10**6),
        (10**6, False, 875_000),
        (1, False, 0),
    ],
)
def test_reputation__each_round__moves_an_eighth(previous, earned, expected):
    assert pay.reputation(previous, earned) == expected


def test_advance__a_friend_alone_with_gain__changes_nobodys_record():
    a = dict.fromkeys(range(4), 1)
    before = play([dict.fromkeys(a, (100, 100))], a)
    assert pay.advance(before, {i: ok(EDGE, EDGE) if i == 0 else ok(0, 0) for i in a}, a) == before


def test_advance__the_majority__is_counted_by_weight():
    a = {0: 3, 1: 1, 2: 1}
    assert play([{0: (-1, -1), 1: (100, 100), 2: (100, 100)}], a) == {}
    assert set(play([{0: (300, 300), 1: (-1, -1), 2: (-1, -1)}], a)) == set(a)


def test_payments__works_once_then_sends_nothing_new__is_unpaid_at_once():
    a = dict.fromkeys(range(4), 1)
    later = {0: (100, 0), **dict.fromkeys((1, 2, 3), (100, 50))}
    paid = [paid_for([dict.fromkeys(a, (100, 100)), *[later] * n], a)[0] for n in range(3)]
    assert paid == [REWARD // 4, 0, 0]


def test_payments__little_that_is_fresh_ever_after__is_paid_less_each_round():
    a = dict.fromkeys(range(4), 1)
    later = {0: (100, 13), **dict.fromkeys((1, 2, 3), (100, 50))}
    paid = [paid_for([dict.fromkeys(a, (100, 100)), *[later] * n], a)[0] for n in range(6)]
    assert paid[0] == REWARD // 4
    assert paid == sorted(paid, reverse=True) and paid[5] < paid[1]


@pytest.mark.parametrize(("news", "percent"), [(100, 100), (25, 100), (20, 80), (-20, 80), (5, 20), (0, 0)])
def test_shares__an_update_that_differs_less_than_a_quarter_of_the_middle_one__is_paid_in_proportion(news, percent):
    a = dict.fromkeys(range(4), 1)
    records = play([dict.fromkeys(a, (100, 100))], a)
    shares = pay.shares(records, {i: ok(100, news if i == 0 else 100) for i in a}, list(a), a)
    assert (shares[0].d, shares[0].middle) == (abs(news), 100)
    assert shares[0].p == shares[1].p * percent // 100


def test_shares__many_small_identities__do_not_move_the_middle():
    a = {0: 100, 1: 100, **dict.fromkeys(range(2, 12), 1)}
    judged = {i: ok(100 * a[i], 100 * a[i] if i < 2 else 0) for i in a}
    assert pay.shares(play([dict.fromkeys(a, (100, 100))], a), judged, list(a), a)[0].middle == 100


def test_payments__news_that_costs_a_little__is_still_fresh():
    a = dict.fromkeys(range(4), 1)
    rounds = [dict.fromkeys(a, (100, 100)), *[{i: (100, 50 if i % 2 else -50) for i in a}] * 3]
    assert all(paid_for(rounds, a).values())


def test_advance__absence__keeps_a_record_and_makes_it_no_fresher():
    a = dict.fromkeys(range(3), 1)
    before = play([dict.fromkeys(a, (10, 10))], a)
    after = pay.advance(before, {i: ok(10, 10) for i in (1, 2)}, a)
    assert after[0] == before[0] and after[1].df > before[1].df


P = 1_000_003
THOUSAND = "df0cfad956db7737f660628495addaba492c7292cf5f5c7cf6f2ccd344f11630"
"""SHA-256 of a line `trainer cg dg cn dn cf df pay reputation` for each of a thousand trainers, after five rounds."""


def test_thousand_trainers__five_rounds__within_the_reward_and_the_caps():
    a = {i: 1 + i * 7919 % 255 for i in range(1000)}
    records, standing = {}, dict.fromkeys(a, 0)
    for r in range(1, 6):
        came = [i for i in a if (i + r) % 11]
        judged = {i: ok((i * 104_729 + r * 7919) % P - P // 5, (i * 611_953 + r * 3109) % P - P // 4) for i in came}
        before, records = records, pay.advance(records, judged, a)
        included = [i for i in came if (i + r) % 13]
        shares = pay.shares(records, judged, included, a)
        paid = pay.payments(shares, REWARD)
        assert REWARD - len(a) <= sum(paid.values()) <= REWARD
        assert all(0 <= shares[i].p <= shares[i].cap and paid[i] >= 0 for i in included)
        assert 100 < sum(amount > 0 for amount in paid.values()) < len(included), "some are paid, some are not"
        standing = {i: pay.reputation(standing[i], paid.get(i, 0) > 0) for i in a}
        assert all(0 <= value <= pay.FULL_REPUTATION for value in standing.values())
    last = {i: (j.gain, j.news) for i, j in judged.items()}
    assert entries(records) == naive.advance(entries(before), last, a)
    assert paid == naive.payments(entries(records), last, included, a, REWARD)
    lines = [(i, *entries(records)[i], paid.get(i, 0), standing[i]) for i in sorted(a)]
    text = "".join(" ".join(map(str, line)) + "\n" for line in lines)
    assert hashlib.sha256(text.encode()).hexdigest() == THOUSAND
