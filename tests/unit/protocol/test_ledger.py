from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.protocol.geometry import Likeness
from hansa.protocol.ledger import Ledger
from hansa.protocol.sheet import Entry, encode_sheet
from hansa.protocol.tally import Judgement, likeness, tally
from hansa.protocol.types import Address, Code
from hansa.runtime.history.records import CycleRecord, Revealed, Submitted
from hansa.runtime.replay import Replay

OK, UNREACHABLE, MALFORMED, ZERO, DUPLICATE = Code
REWARD = 10**20
ALICE, BOB, CAROL, DAVE = (Address("0x" + digit * 40) for digit in "aBcD")


def sheet(*entries):
    return [Entry(OK, *e) if isinstance(e, tuple) else Entry(e) for e in entries]


def ledger(rule="validated_mean", seats=3):
    trainers = {ALICE: 1, BOB: 1, CAROL: 1, DAVE: 1}
    return Ledger(trainers, REWARD, seats, rule)


@pytest.mark.parametrize(
    ("codes", "seats", "verdict"),
    [
        ((OK, OK, OK), 3, OK),
        ((OK, OK, MALFORMED), 3, OK),
        ((OK, MALFORMED), 3, UNREACHABLE),
        ((MALFORMED, MALFORMED), 3, MALFORMED),
        ((OK, OK), 4, UNREACHABLE),
        ((OK, OK, OK), 4, OK),
        ((ZERO, ZERO, DUPLICATE, DUPLICATE, DUPLICATE), 5, DUPLICATE),
        ((UNREACHABLE,) * 3, 3, UNREACHABLE),
        ((), 3, UNREACHABLE),
        ((OK,), 1, OK),
    ],
)
def test_tally__verdict__is_what_more_than_half_of_the_seats_say(codes, seats, verdict):
    assert tally([sheet(code) for code in codes], seats, 1)[0].code == verdict


def test_tally__medians__are_over_the_sheets_that_say_ok():
    sheets = [sheet((10, 5)), sheet((30, -5)), sheet(MALFORMED)]
    assert tally(sheets, 3, 1) == [Judgement(OK, 10, -5)]
    assert tally([*sheets[:2], sheet((20, 9))], 3, 1) == [Judgement(OK, 20, 5)]


def test_tally__what_a_duplicate_repeats__enters_no_median():
    sheets = [[Entry(DUPLICATE, 7, 999_000_000)], sheet((10, 5)), sheet((30, 7))]
    assert tally(sheets, 3, 1) == [Judgement(OK, 10, 5)]
    assert tally([sheets[0]] * 2 + [sheet((1, 1))], 3, 1) == [Judgement(DUPLICATE)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([(1, 9)], (1, 9)),
        ([(1, 9), (1, 9), (0, 9)], (1, 9)),
        ([(1, 9), (1, 8)], None),
        ([(1, 9), (1, 9), (0, 9), (0, 8)], None),
        ([], None),
    ],
)
def test_likeness__is_what_more_than_half_of_the_sheets_say_that_call_it_a_duplicate(said, expected):
    entries = [Entry(OK, 1, 9), None, *(Entry(DUPLICATE, *each) for each in said), Entry(ZERO)]
    assert likeness(entries) == (expected and Likeness(*expected))


def test_tally__own_update__is_judged_by_the_others():
    own, good = [None], sheet((10, 5))
    assert tally([own, good, sheet((30, 7))], 3, 1) == [Judgement(OK, 10, 5)]
    assert tally([own, good], 3, 1) == [Judgement(UNREACHABLE)], "more than half of all seats"
    assert tally([own, sheet(MALFORMED), sheet(MALFORMED)], 3, 1)[0].code == MALFORMED
    assert tally([own], 1, 1)[0].code == UNREACHABLE, "nobody else is there"


def test_replay__member_that_submits__has_no_say_on_its_own_update():
    def revealed(seat, *entries):
        return Revealed(seat, encode_sheet(sheet(*entries)), bytes(32))

    def cycle(*sheets):
        updates = (Submitted(ALICE, bytes(32)), Submitted(BOB, bytes(32)))
        return CycleRecord(
            1, 1, bytes(32), bytes(32), (ALICE, CAROL, DAVE), (None,) * 3, 7, 1, updates, {}, sheets, None
        )

    terms = SimpleNamespace(reward_per_round=REWARD, seats=3)
    replay = Replay(SimpleNamespace(terms=terms, spec=SimpleNamespace(rule="mean")), {ALICE: 1, BOB: 1})
    split = cycle(revealed(0, (9, 9), (9, 9)), revealed(1, (5, 5), (5, 5)), revealed(2, MALFORMED, (5, 5)))
    assert [judged.code for judged in replay.attempt(split).judgements] == [UNREACHABLE, OK]
    agreed = cycle(revealed(0, (9, 9), (9, 9)), revealed(1, (4, 4), (5, 5)), revealed(2, (6, 6), (5, 5)))
    assert replay.attempt(agreed).judgements == [Judgement(OK, 4, 4), Judgement(OK, 5, 5)]


def test_tally__not_ok__has_no_numbers():
    assert tally([sheet((10, 5)), sheet(ZERO), sheet(ZERO)], 3, 1) == [Judgement(ZERO, 0, 0)]


@settings(max_examples=100)
@given(st.lists(st.lists(st.sampled_from(Code), min_size=3, max_size=3), min_size=1, max_size=7), st.randoms())
def test_tally__any_order_of_sheets__is_the_same(codes, random):
    sheets = [[Entry(code, *((7 * i, 3 - i) if code == OK else ())) for code in row] for i, row in enumerate(codes)]
    assert tally(sheets, 7, 3) == tally(random.sample(sheets, len(sheets)), 7, 3)


def test_round__every_enrolled_trainer__has_a_leaf_by_address():
    result = ledger().round([DAVE, ALICE], [sheet((10, 10), (10, 10))] * 3)
    assert [leaf.trainer for leaf in result.leaves] == [ALICE, BOB, CAROL, DAVE], "not the order of letters, B before a"
    assert [leaf.pay for leaf in result.leaves] == [REWARD // 2, 0, 0, REWARD // 2]
    assert [leaf.reputation for leaf in result.leaves] == [125_000, 0, 0, 125_000]
    assert [leaf.strike for leaf in result.leaves] == [0, 0, 0, 0]


def test_round__malformed__is_a_strike_and_the_others_are_not():
    result = ledger().round([ALICE, BOB, CAROL, DAVE], [sheet(MALFORMED, ZERO, DUPLICATE, UNREACHABLE)] * 3)
    assert [leaf.strike for leaf in result.leaves] == [1, 0, 0, 0]
    assert result.included == [] and sum(leaf.pay for leaf in result.leaves) == 0


def test_round__dropped__is_unpaid_but_remembered():
    result = ledger().round([ALICE, BOB, CAROL], [sheet((10, 10), (10, 10), (-1, -1))] * 3)
    assert result.included == [0, 1]
    assert CAROL in result.records and CAROL not in result.shares
    assert {leaf.trainer: leaf.pay for leaf in result.leaves}[CAROL] == 0
    assert ledger("mean").round([ALICE, BOB, CAROL], [sheet((10, 10), (10, 10), (-1, -1))] * 3).included == [0, 1, 2]


def test_round__members_that_submit__are_left_out_of_everything_that_pays():
    alone = ledger().round([ALICE, BOB], [sheet((10, 10), (20, 20))] * 3)
    result = ledger().round([ALICE, CAROL, BOB], [sheet((10, 10), (-900, -900), (20, 20))] * 3, unpaid={CAROL})
    assert result.included == [0, 1, 2], "never dropped"
    assert result.records == alone.records and result.shares == alone.shares
    assert [leaf.pay for leaf in result.leaves] == [leaf.pay for leaf in alone.leaves]


def test_round__the_next__goes_on_from_the_last():
    first = ledger()
    sheets = [sheet((10, 10), (20, 20))] * 3
    second = first.round([ALICE, BOB], sheets).after
    assert first.records == {} and first.reputations == {}, "the old ledger stays as it was"
    result = second.round([ALICE, BOB], sheets)
    assert (second.records[ALICE].gain, result.records[ALICE].gain) == (10, 10 * 5 // 6 + 10)
    assert {leaf.trainer: leaf.reputation for leaf in result.leaves} == {
        ALICE: 234_375,
        BOB: 234_375,
        CAROL: 0,
        DAVE: 0,
    }


def test_round__paid_nothing_though_ok__loses_reputation():
    after = ledger().round([ALICE, BOB, CAROL], [sheet((10, 10), (10, 10), (0, -5))] * 3).after
    assert after.reputations == {ALICE: 125_000, BOB: 125_000, CAROL: 0, DAVE: 0}
