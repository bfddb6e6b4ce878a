from __future__ import annotations

from dataclasses import dataclass

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.protocol import aggregation
from hansa.protocol.exact import stepped
from hansa.protocol.tally import Judgement
from hansa.protocol.types import Code

SHAPES = {"bias": (3,), "layer.weight": (4, 5), "scale": ()}
ALL = sorted(aggregation.RULES)


@dataclass
class Base:
    """What the rules need of a model."""

    tensors: dict
    k: tuple


def case(seed, n, bits=8, top_clip=256):
    rng = np.random.default_rng(seed)
    top = 2 ** (bits - 1) - 1
    kind = np.int8 if bits == 8 else np.int16
    spread = float(rng.choice([0.01, 0.5, 5.0]))
    updates = [
        {name: np.clip(rng.normal(0, top * spread, s).round(), -top, top).astype(kind) for name, s in SHAPES.items()}
        for _ in range(n)
    ]
    weights = [int(x) for x in rng.integers(1, 256, n)]
    clips = [int(x) for x in rng.integers(0, top_clip + 1, n)]
    scale = 10.0 ** rng.integers(-6, 3)
    base = Base({name: rng.normal(0, scale, s).astype(np.float32) for name, s in SHAPES.items()},
                tuple(int(x) for x in rng.integers(-8, 41, len(SHAPES))))  # fmt: skip
    return base, updates, weights, clips


def flat(tensors):
    return {name: values.reshape(-1).tolist() for name, values in tensors.items()}


def bits_of(tensors):
    return {name: values.tobytes() for name, values in tensors.items()}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ALL), st.integers(0, 2**32), st.integers(1, 14), st.sampled_from([8, 16]))
def test_aggregate__any_updates__is_the_naive_result(rule, seed, n, bits):
    base, updates, weights, clips = case(seed, n, bits)
    result = aggregation.aggregate(rule, base, updates, weights, clips)
    expected = naive.aggregate(rule, flat(base.tensors), base.k, [flat(u) for u in updates], weights, clips)
    assert list(result) == sorted(SHAPES)
    for name, values in result.items():
        assert values.dtype == np.float32 and values.shape == SHAPES[name]
        assert values.tobytes() == np.array(expected[name], np.float32).tobytes(), name


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ALL), st.integers(0, 2**32), st.integers(1, 14), st.integers(1, 40), st.randoms())
def test_aggregate__any_order_and_block__gives_one_hash(rule, seed, n, block, random):
    base, updates, weights, clips = case(seed, n, 8)
    order = list(range(n))
    if rule != "nnm_trimmed_mean":
        random.shuffle(order)
    result = aggregation.aggregate(
        rule,
        base,
        [updates[i] for i in order],
        [weights[i] for i in order],
        [clips[i] for i in order],
        block=block,
    )
    assert bits_of(result) == bits_of(aggregation.aggregate(rule, base, updates, weights, clips))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(3, 12), st.randoms())
def test_aggregate__nnm_without_equal_distances__gives_one_hash_in_any_order(seed, n, random):
    base, updates, _, _ = case(seed, n, 16)
    order = random.sample(range(n), n)
    ones, full = [1] * n, [256] * n
    shuffled = aggregation.aggregate("nnm_trimmed_mean", base, [updates[i] for i in order], ones, full)
    distances = {naive.dot(d, d, base.k) for d in _gaps(updates)}
    if len(distances) == n * (n - 1) // 2:
        assert bits_of(shuffled) == bits_of(aggregation.aggregate("nnm_trimmed_mean", base, updates, ones, full))


def _gaps(updates):
    lists = [{k: [int(x) for x in v.reshape(-1)] for k, v in u.items()} for u in updates]
    return [
        {k: [x - y for x, y in zip(a[k], b[k], strict=True)] for k in a} for i, a in enumerate(lists) for b in lists[:i]
    ]


@pytest.mark.parametrize("rule", ALL)
@pytest.mark.parametrize("sign", [1, -1])
def test_aggregate__1024_extreme_updates__stay_exact(rule, sign):
    n = 1024
    base = Base({"a": np.full(3, sign, np.float32)}, (8,))
    one = {"a": np.full(3, sign * 32767, np.int16)}
    result = aggregation.aggregate(rule, base, [one] * n, [255] * n, [256] * n)
    assert result["a"].tolist() == [sign * (1 + 32767 / 256)] * 3


@pytest.mark.parametrize("rule", ALL)
def test_aggregate__all_clipped_to_nothing__leaves_the_model(rule):
    base, updates, weights, _ = case(1, 5)
    result = aggregation.aggregate(rule, base, updates, weights, [0] * 5)
    assert bits_of(result) == bits_of(base.tensors)


def test_aggregate__reads_each_block_afresh__so_that_tensors_may_live_in_files():
    base, updates, weights, clips = case(2, 4)
    seen = []

    class Lazy(dict):
        def __getitem__(self, name):
            seen.append(name)
            return super().__getitem__(name).copy()

    result = aggregation.aggregate("mean", base, [Lazy(u) for u in updates], weights, clips, block=6)
    assert seen.count("layer.weight") >= 4 * 4, "each of four blocks of each of four updates"
    assert bits_of(result) == bits_of(aggregation.aggregate("mean", base, updates, weights, clips))


@pytest.mark.parametrize("change", ["none", "length", "weight", "heavy", "clip", "names", "shape"])
def test_aggregate__wrong_arguments__is_refused(change):
    base, updates, weights, clips = case(3, 3)
    if change == "none":
        updates, weights, clips = [], [], []
    elif change == "length":
        weights = weights[:2]
    elif change == "weight":
        weights[1] = 0
    elif change == "heavy":
        weights[1] = 256
    elif change == "clip":
        clips[0] = 257
    elif change == "names":
        updates[2] = {name: values for name, values in updates[2].items() if name != "bias"}
    else:
        updates[2]["bias"] = updates[2]["bias"][:2]
    with pytest.raises(ValueError):
        aggregation.aggregate("mean", base, updates, weights, clips)


@pytest.mark.parametrize(
    ("w", "total", "divisor", "expected"),
    [
        (1.5, 256, 256, 1.5 + 2.0**-40),
        (2.0**-48, -1, 256, 0.0),  # they cancel
        (-(2.0**-48), 1, 256, 0.0),
        (0.0, 0, 256, 0.0),
        (2.0**-126, 0, 256, 2.0**-126),  # the smallest normal stays
        (2.0**-126, -1, 2**87, 0.0),  # 2**-127
        (-(2.0**-126), 1, 2**87, 0.0),
        (2.0**-126, -1, 2**112, 0.0),  # rounds to 2**-126 as float32, but is below it
        (3e38, 0, 256, 2.0**64),
        (-3e38, 5, 256, -(2.0**64)),
    ],
)
def test_stepped__edges_of_the_range__plus_zero_and_clamp(w, total, divisor, expected):
    w32 = np.array([w], np.float32)
    result = stepped(w32, np.array([total], np.float64), 40, divisor)
    assert result.tobytes() == np.array([expected], np.float32).tobytes(), "bits, so that -0 is not +0"
    assert result[0] == naive.step(w32[0], total, 40, divisor)


@pytest.mark.parametrize("rule", ALL)
def test_aggregate__values_that_cancel__have_no_minus_zero(rule):
    base = Base({"a": np.array([-0.5, 0.5, 0.0], np.float32)}, (8,))
    result = aggregation.aggregate(
        rule, base, [{"a": np.array([127, -127, 0], np.int8)}] * 3, [1] * 3, [258 * 128 // 129] * 3
    )
    assert not np.signbit(result["a"][result["a"] == 0]).any()


def test_contribution__summed__is_the_step_of_the_mean():
    base, updates, weights, clips = case(7, 6)
    total = sum(weights)
    parts = [aggregation.contribution(base, q, a, c, total) for q, a, c in zip(updates, weights, clips, strict=True)]
    result = aggregation.aggregate("mean", base, updates, weights, clips)
    for name, values in result.items():
        moved = base.tensors[name].astype(np.float64) + sum(part[name] for part in parts)
        assert np.allclose(values, moved, rtol=1e-6)
        assert parts[0][name].dtype == np.float64 and parts[0][name].shape == SHAPES[name]


def judged(*gains):
    return [Judgement(Code.OK, g, g) if g is not None else Judgement(Code.DUPLICATE) for g in gains]


@pytest.mark.parametrize(
    ("gains", "dropped"),
    [
        ((-1, -2), set()),
        ((-1, -2, 5), {1}),
        ((1, 2, 5), set()),
        ((0, 0, 0), set()),
        ((-7, 5, -7), {0}),
        ((-1, None, -2), set()),
        ((-1, None, -2, 3), {2}),
        ((-1, -9, -3, -4, 5, 6, 7, 8, 9, 10), {1, 3, 2}),
        ((-1, -9, -3, 5, 6, 7), {1}),
        ((-1, -9, -3, 5, 6, 7, 8), {1, 2}),
    ],
)
def test_drop__validated_mean__leaves_out_the_worst_that_do_harm(gains, dropped):
    assert aggregation.drop("validated_mean", judged(*gains)) == dropped


@pytest.mark.parametrize("rule", ["mean", "median", "trimmed_mean", "nnm_trimmed_mean"])
def test_drop__other_rules__leave_out_nobody(rule):
    assert aggregation.drop(rule, judged(-1, -2, -3)) == set()


def test_drop__members_of_the_committee__never():
    assert aggregation.drop("validated_mean", judged(-9, -1, 5), never={0}) == {1}
