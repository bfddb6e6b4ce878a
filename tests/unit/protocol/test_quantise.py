"""How deltas become integers, and how the exponents follow."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.protocol.errors import FatalError
from hansa.protocol.model import K_MAX, K_MIN, Model, Update, initial_model, largest, next_k, quantise
from hansa.protocol.tensors import BLOCK
from hansa.protocol.types import Address, Digest

ALICE = Address("0xDde3F521a6f2482ADe8b067ad1854d4a32Dc11c1")
PARENT = Digest(bytes(range(32)))
MODEL = Model({"w": np.zeros((2, 2), np.float32), "b": np.zeros(1, np.float32)}, 7, 3, PARENT, 8, (8, 8))


def reference(x: float, k: int, q_max: int) -> int:
    return max(-q_max, min(round(Fraction(x) * Fraction(2) ** k), q_max))  # round() is half to even


@given(
    st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=1, max_size=20),
    st.integers(K_MIN, K_MAX),
    st.sampled_from([8, 16]),
)
def test_quantise__any_delta__is_the_exact_rounding(values: list[float], k: int, bits: int) -> None:
    array = np.array(values, np.float32)
    model = Model({"w": np.zeros_like(array)}, 7, 1, PARENT, bits, (k,))
    q = quantise({"w": array}, model)
    assert q["w"].tolist() == [reference(x, k, largest(bits)) for x in values]
    Update.decode(Update(q, 7, 5, ALICE).encode(), model=model, job=7, cycle=5, trainer=ALICE)


@pytest.mark.parametrize("at", [0, BLOCK])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_quantise__not_finite__is_refused(bad: float, at: int) -> None:
    delta = np.zeros(BLOCK + 1, np.float32)
    delta[at] = bad
    with pytest.raises(FatalError, match="'w' is not finite"):
        quantise({"w": delta}, initial_model({"w": np.zeros_like(delta)}, bits=8))


def test_quantise__other_shape__is_refused() -> None:
    with pytest.raises(ValueError):
        quantise({"w": np.zeros(3, np.float32)}, MODEL)
    with pytest.raises(ValueError):
        quantise({"b": np.zeros(1, np.float32), "w": np.zeros(4, np.float32)}, MODEL)


@pytest.mark.parametrize(
    ("k", "sizes", "bits", "expected"),
    [
        (8, [0], 8, 9),
        (8, [127], 8, 4),
        (8, [126], 8, 7),  # 6 − bit_length 7
        (8, [63], 8, 8),
        (8, [31], 8, 9),
        (8, [1], 8, 10),  # 6 − 1 is clamped to 2
        (16, [32767], 16, 12),
        (16, [32766], 16, 15),
        (16, [0], 16, 17),
        (40, [0], 8, 40),
        (39, [1], 8, 40),
        (-8, [127], 8, -8),
        (-6, [127], 8, -8),
        (8, [0, 127], 8, 9),  # the lower median
        (8, [127, 0, 127], 8, 4),
        (8, [63, 127, 31], 8, 8),
        (8, [31, 127, 0, 63], 8, 9),
    ],
)
def test_next_k__one_tensor(k: int, sizes: list[int], bits: int, expected: int) -> None:
    assert next_k((k,), [(size,) for size in sizes], bits) == (expected,)


def test_next_k__several_tensors__each_goes_its_own_way() -> None:
    assert next_k((8, 8, 8), [(0, 127, 63), (0, 127, 63)], 8) == (9, 4, 8)


def test_next_k__updates_of_different_length__are_refused() -> None:
    with pytest.raises(ValueError):
        next_k((8, 8), [(1, 2), (1,)], 8)


@given(st.integers(K_MIN, K_MAX), st.lists(st.integers(0, 32767), min_size=1, max_size=9))
def test_next_k__any_sizes__stays_in_range_and_ignores_order(k: int, sizes: list[int]) -> None:
    new = next_k((k,), [(size,) for size in sizes], 16)
    assert K_MIN <= new[0] <= K_MAX and k - 4 <= new[0] <= k + 2
    assert new == next_k((k,), [(size,) for size in reversed(sizes)], 16)
