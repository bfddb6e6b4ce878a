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
    return {i: (r.gain, r.news) for i, r in records.items()}


def ok(gain, news):
    return Judgement(Code.OK, gain, news)


def play(rounds, a):
    """Records before and after the last of the rounds, each a mapping trainer -> (gain, news)."""
    before, records = {}, {}
    for judged in rounds:
        before, records = records, pay.advance(records, {i: ok(*values) for i, values in judged.items()}, a)
    return before, records


def paid_for(rounds, a):
    """What the last of the rounds pays, everybody of it included."""
    return pay.payments(pay.shares(*play(rounds, a), list(rounds[-1])), REWARD)


@settings(max_examples=300, deadline=None)
@given(st.lists(weights, min_size=1, max_size=10), st.data())
def test_pay__any_job__is_the_naive_formula(a, data):
    records, slow, a = {}, {}, dict(enumerate(a))
    present = st.sets(st.sampled_from(sorted(a)), min_size=1)
    for _ in range(data.draw(st.integers(1, 4))):
        judged = {i: (data.draw(measures), data.draw(measures)) for i in data.draw(present)}
        included = data.draw(st.sets(st.sampled_from(sorted(judged))))
        before, records = records, pay.advance(records, {i: ok(*values) for i, values in judged.items()}, a)
        slowly, slow = slow, naive.advance(slow, judged, a)
        assert entries(records) == slow
        reward = data.draw(st.sampled_from([0, 1, 999, REWARD, 2**96 - 1]))
        paid = pay.payments(pay.shares(before, records, included), reward)
        assert paid == naive.payments(slowly, slow, included, reward)
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
    assert pay.payments(pay.shares({}, records, list(judged)), REWARD) == pay.payments(
        pay.shares({}, records, order), REWARD
    )


six = st.lists(st.tuples(measures, measures), min_size=6, max_size=6)
histories = st.lists(six, max_size=4)
harms = st.tuples(st.integers(-EDGE, 0), st.integers(0, EDGE), measures)


@settings(max_examples=400, deadline=None)
@given(histories, six, st.lists(weights, min_size=6, max_size=6), harms)
def test_pay__a_round__never_pays_more_for_more_harm(history, last, a, harms):
    """Whatever was before, whatever the others do: who harms gets no less by harming less."""
    harm, more, news = harms
    a, rounds = dict(enumerate(a)), [dict(enumerate(judged)) for judged in history]
    less, worse = dict(enumerate(last)), dict(enumerate(last))
    less[0], worse[0] = (harm, news), (max(-EDGE, harm - more), news)
    assert paid_for([*rounds, worse], a)[0] <= paid_for([*rounds, less], a)[0]


@settings(max_examples=200, deadline=None)
@given(histories, six, weights, st.integers(-EDGE, 0))
def test_pay__of_two_alike_so_far__who_harms_gets_no_more(history, last, weight, harm):
    a = dict.fromkeys(range(6), weight)
    rounds = [{**dict(enumerate(judged)), 1: judged[0]} for judged in history]
    last = {**dict(enumerate(last)), 0: (harm, EDGE)}
    last[1] = (max(harm, last[1][0]), last[1][1])
    paid = paid_for([*rounds, last], a)
    assert paid[0] <= paid[1]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(*[st.tuples(measures, measures)] * 2), max_size=4), measures, st.tuples(measures, measures))
def test_pay__of_two__who_gains_more_gets_no_less(history, other, mine):
    """Harm against help, all of it news, in the same round beside the same other one."""
    a, rounds = {0: 1, 1: 1}, [dict(enumerate(judged)) for judged in history]
    fewer, more = ([*rounds, {0: (value, value), 1: (other, other)}] for value in sorted(mine))
    assert paid_for(fewer, a)[0] <= paid_for(more, a)[0]


def test_payments__next_to_nothing_beside_a_large_gain__is_paid_next_to_nothing():
    a = {0: 1, 1: 1}
    assert paid_for([{0: (1_000, 1_000), 1: (10**8, 10**8)}], a) == {
        0: REWARD // 100_001,
        1: REWARD * 100_000 // 100_001,
    }
    a = dict.fromkeys(range(4), 5)
    tiny, large = (5, 5), (500, 500)
    paid = paid_for([{0: tiny, 1: tiny, 2: large, 3: large}], a)
    assert [paid[0], paid[2]] == [REWARD * 5 // 1010, REWARD * 500 // 1010]


def test_payments__one_of_two_harms_a_little__all_that_the_other_gains_counts():
    a = {0: 1, 1: 1}
    before = [{0: (600, 600), 1: (600, 600)}]
    help_, harm = ([*before, {0: (value, value), 1: (900, 900)}] for value in (300, -3))
    assert play(harm, a)[1] == {0: pay.Record(497, 500), 1: pay.Record(1400, 1400)}
    assert paid_for(harm, a)[0] < paid_for(help_, a)[0]


def test_payments__all_harm_this_round__follows_what_they_did_before():
    a = dict.fromkeys(range(3), 1)
    good = {0: (300, 300), 1: (300, 300), 2: (300, 300)}
    paid = paid_for([good, {0: (-13, -13), 1: (-99, -99), 2: (-424, -424)}], a)
    assert paid[0] > paid[1] > paid[2] == 0


def test_payments__only_two_of_four_help__are_paid():
    a = dict.fromkeys(range(4), 1)
    paid = paid_for([{0: (100, 100), 1: (80, 80), 2: (-50, -50), 3: (-40, -40)}], a)
    assert paid == {0: REWARD * 100 // 180, 1: REWARD * 80 // 180, 2: 0, 3: 0}
    assert sum(paid_for([{0: (100, 100), 1: (-1, -1), 2: (-50, -50), 3: (-40, -40)}], a).values()) == REWARD


@settings(max_examples=200, deadline=None)
@given(trainers)
def test_advance__one_huge_value__helps_nobody_beyond_two_medians(values):
    a = {i: weight for i, (_, _, weight) in enumerate(values)}
    records = pay.advance({}, {i: ok(gain, news) for i, (gain, news, _) in enumerate(values)}, a)
    bound = naive.middle({i: abs(gain) for i, (gain, _, _) in enumerate(values)}, a)
    assert all(0 <= r.news <= r.gain <= 2 * a[i] * bound for i, r in records.items())


@pytest.mark.parametrize("n", [1, 2, 3, 10, 100, 1000])
@pytest.mark.parametrize("gain", [1, 1000, EDGE])
def test_payments__equal_work__is_paid_by_weight(n, gain):
    a = {i: 1 + i % 255 for i in range(n)}
    paid = paid_for([{i: (gain * a[i], gain * a[i]) for i in a}], a)
    total = sum(a.values())
    assert all(abs(paid[i] - REWARD * a[i] // total) <= 1 for i in a)
    if gain > 1:
        later = paid_for([{i: (gain * a[i], gain * a[i]) for i in a}] * 3, a)
        assert all(abs(later[i] - REWARD * a[i] // total) <= REWARD * a[i] // total // 100 for i in a)


@pytest.mark.parametrize("n", [1, 2, 7, 1000])
@pytest.mark.parametrize("value", [-EDGE, 0])
def test_payments__nobody_helps__nobody_is_paid(n, value):
    a = dict.fromkeys(range(n), 255)
    rounds = [dict.fromkeys(a, (value, value))]
    assert set(play(rounds, a)[1].values()) == {pay.Record()}
    assert paid_for(rounds, a) == dict.fromkeys(range(n), 0)


def test_payments__nobody_included__is_empty():
    assert pay.payments(pay.shares({}, {}, []), REWARD) == {}


def test_payments__without_a_record__is_nothing():
    _, records = play([{0: (10, 10), 1: (10, 10)}], {0: 1, 1: 1})
    paid = pay.payments(pay.shares({}, records, [0, 1, 2]), REWARD)
    assert paid == {0: REWARD // 2, 1: REWARD // 2, 2: 0}


def test_payments__weight_of_zero__is_left_out_of_everything():
    a = {0: 1, 1: 1, 2: 0}
    records = pay.advance({}, {0: ok(10, 10), 1: ok(20, 20), 2: ok(EDGE, EDGE)}, a)
    paid = pay.payments(pay.shares({}, records, [0, 1, 2]), REWARD)
    assert 2 not in records and paid[2] == 0
    assert {i: paid[i] for i in (0, 1)} == paid_for([{0: (10, 10), 1: (20, 20)}], a)


def test_payments__a_newcomer_with_gain_and_no_news__gets_nothing():
    a = dict.fromkeys(range(4), 1)
    first = dict.fromkeys(range(3), (100, 100))
    paid = paid_for([first, {**first, 3: (100, -50)}], a)
    assert paid[3] == 0 and paid[0] == paid[1] == paid[2] == REWARD // 3


@pytest.mark.parametrize(("news", "counted"), [(100, 40), (34, 34), (33, 0), (0, 0), (-100, 0)])
def test_advance__news__counts_where_it_is_a_third_of_its_gain_or_more(news, counted):
    after = pay.advance({}, {0: ok(100, news), 1: ok(20, 20), 2: ok(20, 20)}, dict.fromkeys(range(3), 1))
    assert after[0] == pay.Record(40, counted), "no more than two medians"


@pytest.mark.parametrize(("news", "percent"), [(100, 100), (50, 100), (40, 80), (34, 68), (20, 0)])
def test_shares__gain__counts_in_full_with_half_as_large_a_part_of_news_as_everybodys(news, percent):
    a = dict.fromkeys(range(4), 1)
    everybody = dict.fromkeys(range(1, 4), (600, 600))
    before, after = play([everybody, {**everybody, 0: (600, 6 * news)}], a)
    share = pay.shares(before, after, [0])[0]
    assert (share.all_gain, share.all_news) == (1800, 1800)
    assert share.p == 1800 * 600 * percent // 100 and share.counted == 6 * percent


def test_shares__before_anybody_had_news__follow_gain_alone():
    a = dict.fromkeys(range(2), 1)
    paid = paid_for([dict.fromkeys(a, (-5, -5)), {0: (30, 0), 1: (20, 0)}], a)
    assert paid == {0: REWARD * 30 // 50, 1: REWARD * 20 // 50}


def test_shares__after_harm_took_all_gain__those_who_help_again_are_paid():
    a = dict.fromkeys(range(2), 1)
    paid = paid_for([dict.fromkeys(a, (60, 60)), dict.fromkeys(a, (-90, -90)), {0: (30, 20), 1: (30, 30)}], a)
    assert paid == dict.fromkeys(a, REWARD // 2)


def test_advance__absent_and_not_ok__keep_five_sixths():
    a = dict.fromkeys(range(3), 1)
    _, before = play([dict.fromkeys(a, (60, 60))], a)
    after = pay.advance(before, {0: ok(12, 12), 1: Judgement(Code.MALFORMED)}, a)
    assert after == {0: pay.Record(62, 62), 1: pay.Record(50, 50), 2: pay.Record(50, 50)}
    assert before == play([dict.fromkeys(a, (60, 60))], a)[1], "nothing was changed in place"


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


def test_advance__a_friend_alone_with_gain__moves_nothing():
    a = dict.fromkeys(range(4), 1)
    _, before = play([dict.fromkeys(a, (120, 120))], a)
    after = pay.advance(before, {i: ok(EDGE, EDGE) if i == 0 else ok(0, 0) for i in a}, a)
    assert after == dict.fromkeys(a, pay.Record(100, 100))


def test_advance__the_middle__is_counted_by_weight():
    a = {0: 3, 1: 1, 2: 1}
    assert play([{0: (0, 0), 1: (100, 100), 2: (100, 100)}], a)[1] == dict.fromkeys(a, pay.Record())
    half = {0: 2, 1: 1, 2: 1}
    assert play([{0: (0, 0), 1: (50, 50), 2: (400, 400)}], half)[1][2] == pay.Record(100, 100), (
        "more than half, not half"
    )
    assert play([{0: (300, 300), 1: (-1, -1), 2: (400, 400)}], a)[1][2] == pay.Record(200, 200)


def test_payments__many_small_identities__get_no_more_than_one_of_their_weight():
    whole, parts = {0: 10, 1: 10, 2: 10}, {0: 10, 1: 10, **dict.fromkeys(range(2, 12), 1)}
    one = paid_for([{0: (900, 900), 1: (800, 800), 2: (700, 700)}], whole)
    ten = paid_for([{0: (900, 900), 1: (800, 800), **dict.fromkeys(range(2, 12), (70, 70))}], parts)
    assert (ten[0], ten[1]) == (one[0], one[1])


P = 1_000_003
THOUSAND = "5cabcb308083b16e33e96f4bd97f7e6936ab06fcd980eb88e90d6a2c40055f40"
"""SHA-256 of a line `trainer gain news pay reputation` for each of a thousand trainers, after five rounds."""


def test_thousand_trainers__five_rounds__within_the_reward():
    a = {i: 1 + i * 7919 % 255 for i in range(1000)}
    records, standing = {}, dict.fromkeys(a, 0)
    for r in range(1, 6):
        came = [i for i in a if (i + r) % 11]
        judged = {
            i: ok(a[i] * ((i * 104_729 + r * 7919) % P - P // 5), a[i] * ((i * 611_953 + r * 3109) % P - P // 4))
            for i in came
        }
        before, records = records, pay.advance(records, judged, a)
        included = [i for i in came if (i + r) % 13]
        paid = pay.payments(pay.shares(before, records, included), REWARD)
        assert REWARD - len(a) <= sum(paid.values()) <= REWARD
        assert 100 < sum(amount > 0 for amount in paid.values()) < len(included), "some are paid, some are not"
        standing = {i: pay.reputation(standing[i], paid.get(i, 0) > 0) for i in a}
        assert all(0 <= value <= pay.FULL_REPUTATION for value in standing.values())
    last = {i: (j.gain, j.news) for i, j in judged.items()}
    assert entries(records) == naive.advance(entries(before), last, a)
    assert paid == naive.payments(entries(before), entries(records), included, REWARD)
    lines = [(i, *entries(records)[i], paid.get(i, 0), standing[i]) for i in sorted(a)]
    text = "".join(" ".join(map(str, line)) + "\n" for line in lines)
    assert hashlib.sha256(text.encode()).hexdigest() == THOUSAND
