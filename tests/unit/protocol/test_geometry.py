from __future__ import annotations

from math import isqrt

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.protocol import geometry
from hansa.protocol.exact import measurement_median, weighted_lower_median
from hansa.protocol.geometry import dot_products


def made(rng, n, shapes, bits, scale=1.0):
    top = 2 ** (bits - 1) - 1
    kind = np.int8 if bits == 8 else np.int16
    return [
        {name: np.clip(rng.normal(0, top * scale, shape).round(), -top, top).astype(kind) for name, shape in shapes}
        for _ in range(n)
    ]


def plain(update):
    return {name: [int(x) for x in values.reshape(-1)] for name, values in update.items()}


SHAPES = [("bias", (3,)), ("layer.weight", (5, 7)), ("scale", ())]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([8, 16]), st.lists(st.integers(-8, 40), min_size=3, max_size=3),
       st.integers(1, 50))  # fmt: skip
def test_dot_products__any_block__are_the_big_integers(seed, bits, k, block):
    updates = made(np.random.default_rng(seed), 4, SHAPES, bits, 3.0)
    products = dot_products(updates, updates, k, block=block)
    expected = [[naive.dot(plain(a), plain(b), k) for b in updates] for a in updates]
    assert products.tolist() == expected
    assert geometry.squared_norm(updates[0], k) == expected[0][0]
    assert dot_products([updates[1]], [updates[2]], k).tolist() == [[expected[1][2]]]


def test_squared_norm__extreme_values__stays_exact():
    q = {"a": np.full(200_001, -32767, np.int16), "b": np.full(1, 32767, np.int16)}
    assert geometry.squared_norm(q, [-8, 40]) == 200_001 * 32767**2 * 4**48 + 32767**2


def test_is_zero():
    assert geometry.is_zero({"a": np.zeros(5, np.int8), "b": np.zeros((), np.int16)})
    assert not geometry.is_zero({"a": np.zeros(5, np.int8), "b": np.array(-1, np.int16)})


def row(*values):
    """An update of twelve numbers, most of them 0."""
    return {"a": np.array(values, np.int16), "b": np.zeros(12 - len(values), np.int16)}


def repeated(updates, candidates, senior=()):
    return set(geometry.duplicates(updates, [8, 8], candidates, senior))


def test_cosine__in_units_of_a_thousand_millionth__toward_0():
    assert geometry.cosine(49, 50, 50) == 980_000_000
    assert geometry.cosine(-49, 50, 50) == -980_000_000
    assert geometry.cosine(2, 2, 3) == 816_496_580
    assert geometry.cosine(10**40, 10**40, 10**40) == 10**9


def test_duplicates__cosine_of_exactly_99_hundredths__is_none():
    first, at, above = row(100, 0, 0), row(9900, 1411, 12), row(9900, 1410, 12)
    assert 9900**2 + 1411**2 + 12**2 > 10**8 > 9900**2 + 1410**2 + 12**2
    assert repeated([first, at], [0, 1]) == set()
    assert repeated([first, above], [0, 1]) == {1}
    assert repeated([first, row(-100)], [0, 1]) == set(), "opposite directions are not alike"


def test_duplicates__copies_of_a_duplicate__count_against_the_first():
    updates = [row(100, 0), row(0, 100), row(200, 1), row(100, 1), row(-100, 0)]
    assert repeated(updates, range(5)) == {2, 3}


def test_duplicates__each__names_the_most_alike_of_those_that_count():
    updates = [row(100, 0), row(0, 100), row(100, 14.4), row(100, 10), row(3, 99)]
    found = geometry.duplicates(updates, [8, 8], range(5))
    assert {i: each.place for i, each in found.items()} == {2: 0, 3: 0, 4: 1}
    assert found[3].cosine == 995_037_190
    turned = [row(100, 0), row(100, 20), row(100, 11)]
    assert geometry.duplicates(turned, [8, 8], range(3))[2].place == 1, "the nearer one, not the first"
    equal = [row(100, 20), row(100, 20), row(100, 20)]
    assert {each.place for each in geometry.duplicates(equal, [8, 8], range(3)).values()} == {0}


def test_duplicates__no_candidates__none():
    assert repeated([row(1, 0)], []) == set()
    assert repeated([row(0, 0), row(0, 0)], [0, 1]) == set(), "zeros are alike to nobody"
    assert geometry.duplicates([{"a": np.zeros(2, np.int8)}] * 2, [8], [0, 1]) == {}


def test_duplicates__the_earlier_one_was_not_ok__does_not_count():
    updates = [row(100, 0), row(100, 0)]
    assert repeated(updates, [1]) == set()


def test_duplicates__a_chain__is_judged_against_ok_ones_only():
    angles = [0.0, 0.1, 0.2]  # neighbours are within acos(0.99) = 0.1415, the ends are not
    updates = [row(round(30000 * np.cos(t)), round(30000 * np.sin(t))) for t in angles]
    assert repeated(updates, [0, 1, 2]) == {1}


def test_duplicates__a_retry__keeps_its_earlier_place():
    updates = [row(50, 50), row(50, 50), row(50, 51)]
    assert repeated(updates, [0, 1, 2]) == {1, 2}
    assert repeated(updates, [0, 1, 2], senior=[1]) == {0, 2}
    assert repeated(updates, [0, 1, 2], senior=[2, 1]) == {0, 1}


@pytest.mark.parametrize(("numbers", "expected"), [(9, {2}), (10, {1, 2, 3})])
def test_duplicates__in_a_small_model__are_equal(numbers, expected):
    first = np.arange(1, numbers + 1)
    updates = [{"a": values.astype(np.int8)} for values in (first, 2 * first, first, first + 1)]
    assert set(geometry.duplicates(updates, [8], range(4))) == expected


@pytest.mark.parametrize(("numbers", "inside", "expected"), [(9, 126, {1}), (9, 127, set()), (10, 127, {1})])
def test_duplicates__clipped_for_the_most_part__are_none_in_a_small_model(numbers, inside, expected):
    clipped = {"a": np.array([127, -127, 127, -127], np.int8), "b": np.array([inside] * (numbers - 4), np.int8)}
    assert set(geometry.duplicates([clipped, clipped], [8, 8], [0, 1])) == expected


def test_duplicates__made_longer_until_clipped__still_are_duplicates():
    """Whoever sends one's own update twice would only have to stretch it."""
    honest = np.random.default_rng(3).normal(0, 30, 2410)
    for times in (1, 4, 6, 100):
        sent = {"a": np.clip(np.rint(times * honest), -127, 127).astype(np.int8)}
        assert set(geometry.duplicates([sent, sent], [8], [0, 1])) == {1}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 12), st.sampled_from([6, 16]))
def test_duplicates__random_near_copies__as_naively(seed, n, numbers):
    rng = np.random.default_rng(seed)
    updates = made(rng, n, [("a", (4,)), ("b", (numbers - 4,))], 8, 0.5)
    for update in updates[n // 2 :]:
        source = updates[rng.integers(0, n)]
        for name in update:
            update[name] = np.clip(
                source[name].astype(int) + rng.integers(-4, 5, source[name].shape), -127, 127
            ).astype(np.int8)
    expected = naive.duplicates([plain(u) for u in updates], [8, 9], range(n))
    found = geometry.duplicates(updates, [8, 9], range(n))
    assert {i: (each.place, each.cosine) for i, each in found.items()} == expected


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(1, 2**120), st.integers(1, 255)), min_size=1, max_size=30))
def test_clip_factors__any_norms__as_naively(pairs):
    norms, weights = zip(*pairs, strict=True)
    assert geometry.clip_factors(norms, weights) == naive.clips(norms, weights)


def test_clip_factors__twice_the_median_length__is_half():
    assert geometry.clip_factors([100, 100, 400], [1, 1, 1]) == [256, 256, 128]
    assert geometry.clip_factors([1, 10**40, 10**40], [3, 1, 1]) == [256, 0, 0]
    assert geometry.clip_factors([], []) == []
    assert isqrt((100 << 16) // 400) == 128


@pytest.mark.parametrize(
    ("values", "lower", "measured"),
    [([5], 5, 5), ([1, 2], 1, 1), ([-2, -1], -2, -1), ([-3, 3], -3, -3), ([-3, 2], -3, 2), ([9, 1, 4], 4, 4),
     ([4, 1, 9, 6], 4, 4), ([-9, -4, -6, -1], -6, -4)],
)  # fmt: skip
def test_medians__ties__as_designed(values, lower, measured):
    assert weighted_lower_median(values, [1] * len(values)) == lower
    assert measurement_median(values) == measured


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(1, 255)), min_size=1, max_size=12))
def test_weighted_lower_median__any__is_the_smallest_that_covers_half(pairs):
    values, weights = zip(*pairs, strict=True)
    assert weighted_lower_median(values, weights) == naive.weighted_median(values, weights)
    assert weighted_lower_median(values, [7] * len(values)) == naive.median(values)
