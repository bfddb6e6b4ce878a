"""Words, sums and the step: all as the plain mode has them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from masked_world import SHAPES, update

from hansa.protocol import aggregation
from hansa.protocol.masked import words
from hansa.protocol.masked.words import Fault
from hansa.protocol.model import Model, next_k

TOPS = [0, 1, 2, 3, 63, 64, 126, 127]


def summed(updates):
    total = np.zeros(words.length(SHAPES), np.uint16)
    for one in updates:
        total += words.words_of(one)
    return total.view(np.int16)


def base(seed):
    rng = np.random.default_rng(seed)
    tensors = {name: rng.normal(0, 1, shape).astype(np.float32) for name, shape in SHAPES.items()}
    return Model(tensors, job=3, round=1, parent=bytes(32), bits=8, k=tuple(rng.integers(-8, 41, 3).tolist()))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(TOPS), min_size=2, max_size=9))
def test_step__is_the_plain_mean_bit_for_bit(seed, tops):
    model, updates = base(seed), [update(seed + i, top) for i, top in enumerate(tops)]
    plain = aggregation.aggregate("mean", model, updates, [1] * len(tops), [256] * len(tops))
    step = words.next_model_tensors(model, summed(updates), len(tops))
    assert {name: step[name].tobytes() for name in SHAPES} == {name: plain[name].tobytes() for name in SHAPES}


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(TOPS), min_size=1, max_size=9))
def test_next_exponents__are_those_of_the_updates(seed, tops):
    model, updates = base(seed), [update(seed + i, top) for i, top in enumerate(tops)]
    sizes = [[int(np.abs(one[name].astype(int)).max()) for name in model.names] for one in updates]
    assert words.next_exponents(model.k, summed(updates)) == next_k(model.k, sizes, 8)


def test_sum_of_256_largest__does_not_wrap():
    extreme = {name: np.full(shape, 127, np.int8) for name, shape in SHAPES.items()}
    total = summed([extreme] * 256)
    assert total[: -9 * 3].tolist() == [127 * 256] * 12
    assert words.fault_in(total, SHAPES, 256) is None


@pytest.mark.parametrize("at", [0, 11])
@pytest.mark.parametrize("change", [1, -1])
def test_value_beyond_its_range__is_the_fault(at, change):
    total = summed([update(1), update(2)])
    total[at] = 255 * change
    assert words.fault_in(total, SHAPES, 2) == Fault(at, 1)


@pytest.mark.parametrize("tensor", [0, 2])
@pytest.mark.parametrize("row", [[-1, 3, 0], [1, 2, 0], [1, 0, 0]])
def test_counters_that_do_not_come_to_all_updates__are_the_fault(tensor, row):
    total = summed([update(1), update(2)])
    words.counters_of(total, 3)[tensor] = row + [0] * 6
    assert words.fault_in(total, SHAPES, 2) == Fault(12 + 9 * tensor, 9)


def test_smallest_int16__is_a_fault():
    total = summed([update(1)] * 256)
    total[4] = -(2**15)
    assert words.fault_in(total, SHAPES, 256) == Fault(4, 1)


@pytest.mark.parametrize("value, spoilt", [(127, False), (-127, False), (-128, True), (300, True)])
def test_one_word_is_spoilt__beyond_127(value, spoilt):
    assert words.is_spoilt(np.array([value], np.int16).view(np.uint16), Fault(0, 1)) is spoilt


@pytest.mark.parametrize("row, spoilt", [([0, 1], False), ([1, 1], True), ([0, 0], True), ([2, -1], True)])
def test_counters_are_spoilt__unless_one_is_1(row, spoilt):
    counters = np.array(row + [0] * 7, np.int16).view(np.uint16)
    assert words.is_spoilt(counters, Fault(12, 9)) is spoilt
