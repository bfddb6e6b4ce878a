from __future__ import annotations

import itertools
import os
import stat
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_aggregation import ALL, Base

from hansa.protocol import aggregation, kernels

NATIVE = kernels.native()
needs_compiler = pytest.mark.skipif(NATIVE is None, reason="no C compiler")


def base_and_updates(seed, n, size, bits, scale):
    rng = np.random.default_rng(seed)
    top, kind = 2 ** (bits - 1) - 1, np.int8 if bits == 8 else np.int16
    updates = [{"a": np.clip(rng.normal(0, top * scale, size).round(), -top, top).astype(kind)} for _ in range(n)]
    return Base({"a": rng.normal(0, 0.1, size).astype(np.float32)}, (int(rng.integers(-8, 41)),)), updates


def aggregated(native, rule, base, updates, weights, clips, block=None):
    """The new model's bytes, whatever number of integers is worth compiling."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "native_for", lambda integers: native)
        return aggregation.aggregate(rule, base, updates, weights, clips, block=block)["a"].tobytes()


@needs_compiler
@settings(max_examples=120, deadline=None)
@given(st.sampled_from(ALL), st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 900), st.sampled_from([8, 16]),
       st.sampled_from([0.1, 9.0]), st.booleans())  # fmt: skip
def test_native__any_updates__gives_the_bits_of_numpy(rule, seed, n, size, bits, scale, heavy):
    base, updates = base_and_updates(seed, n, size, bits, scale)
    rng = np.random.default_rng(seed + 1)
    weights = [255] * n if heavy else [int(x) for x in rng.integers(1, 256, n)]
    clips = [256] * n if heavy else [int(x) for x in rng.integers(0, 257, n)]
    native, numpy = (aggregated(way, rule, base, updates, weights, clips, max(1, size // 3)) for way in (NATIVE, None))
    assert native == numpy


@needs_compiler
@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32), st.integers(1, 30), st.integers(1, 5000), st.sampled_from([8, 16]), st.sampled_from([1, 99])
)
def test_native__dot_products__are_those_of_numpy(seed, n, size, bits, scale):
    _, updates = base_and_updates(seed, n, size, bits, scale)
    rows = [u["a"] for u in updates]
    expected = kernels.dot_products(rows, rows, None)
    assert np.array_equal(kernels.dot_products(rows, rows, NATIVE), expected)
    wide = np.array(rows, np.int64)
    assert np.array_equal(expected, wide @ wide.T)


@needs_compiler
@pytest.mark.parametrize("rule", ALL)
@pytest.mark.parametrize("bits", [8, 16])
def test_native__1024_heavy_updates__gives_the_bits_of_numpy(rule, bits):
    n, size = 1024, 260
    base, updates = base_and_updates(1, n, size, bits, 9.0)
    native, numpy = (aggregated(way, rule, base, updates, [255] * n, [256] * n) for way in (NATIVE, None))
    assert native == numpy


@needs_compiler
@pytest.mark.parametrize("rule", ALL)
def test_aggregate__large_enough_to_compile__is_numpy_s_result(rule, monkeypatch):
    base, updates = base_and_updates(3, 5, 300_001, 8, 1.0)
    updates = [{"a": np.frombuffer(b"x" + u["a"].tobytes(), np.int8)[1:]} for u in updates]  # as a file gives them
    assert kernels.WORTH_COMPILED < 5 * 300_001
    result = aggregation.aggregate(rule, base, updates, [1, 2, 3, 4, 5], [256, 200, 256, 1, 7], block=70_000)
    monkeypatch.setattr(kernels, "native", lambda: None)
    assert (
        result["a"].tobytes()
        == aggregation.aggregate(rule, base, updates, [1, 2, 3, 4, 5], [256, 200, 256, 1, 7])["a"].tobytes()
    )


@needs_compiler
def test_aggregate__int16_at_an_odd_address__is_the_same():
    base, updates = base_and_updates(4, 4, 300_001, 16, 1.0)
    odd = []
    for u in updates:
        raw = np.frombuffer(b"x" + u["a"].tobytes(), np.uint8)[1:]
        odd.append({"a": raw.view(np.int16)})
    assert not odd[0]["a"].flags.aligned
    expected = aggregation.aggregate("mean", base, updates, [1] * 4, [256] * 4)
    assert aggregation.aggregate("mean", base, odd, [1] * 4, [256] * 4)["a"].tobytes() == expected["a"].tobytes()


@pytest.mark.parametrize("native", [pytest.param(NATIVE, marks=needs_compiler), None])
@pytest.mark.parametrize("divisor", range(1, 49))
def test_weighted_mean__halfway_between_two_floats__divides_exactly(native, divisor):
    out = np.empty(1, np.float32)
    row = np.array([673 * divisor], np.int16)  # 673 * 24929 = 2**24 + 1, which a reciprocal would miss by a bit
    kernels.weighted_mean(kernels.Target(np.zeros(1, np.float32), out, 0, divisor), [row], [24929], native)
    assert out[0] == 2**24


ULP = 2**-24
EDGES = [0.0, -0.0, 2**-126, -(2**-126), 2**-126 * (1 - ULP), 2**-149, 2**64, -(2**64), 2**64 * (1 - ULP), 2**65, 1.0]


@needs_compiler
@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("place", [0, 300, 599])
def test_weighted_mean__one_value_at_the_edge_of_the_range__gives_the_bits_of_numpy(edge, bits, place):
    w = np.full(600, 0.5, np.float32)
    w[place] = edge
    row = np.zeros(600, np.int8 if bits == 8 else np.int16)
    row[1::2] = 1
    outs = [np.empty(600, np.float32), np.empty(600, np.float32)]
    for out, native in zip(outs, (NATIVE, None), strict=True):
        kernels.weighted_mean(kernels.Target(w, out, -8, 1), [row, -row], [1, 1], native)
    assert outs[0].tobytes() == outs[1].tobytes()


@needs_compiler
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 65280), st.integers(1, 300)), min_size=1, max_size=6), st.integers(0, 2**32))
def test_weighted_mean__runs_of_one_factor__give_the_bits_of_numpy(runs, seed):
    factors = [factor for factor, length in runs for _ in range(length)]
    for bits in (8, 16):
        base, updates = base_and_updates(seed, len(factors), 300, bits, 9.0)
        outs = [np.empty(300, np.float32), np.empty(300, np.float32)]
        for out, native in zip(outs, (NATIVE, None), strict=True):
            target = kernels.Target(base.tensors["a"], out, base.k[0], 256 * len(factors))
            kernels.weighted_mean(target, [u["a"] for u in updates], factors, native)
        assert outs[0].tobytes() == outs[1].tobytes()


@pytest.mark.parametrize("n", range(1, 13))
def test_comparators__every_column_of_zeros_and_ones__is_sorted(n):
    """A network that sorts all 0-1 inputs sorts everything (Knuth, 5.3.4, theorem Z)."""
    for trim in {0, 3 * n // 10, (n - 1) // 2}:
        columns = np.array(list(itertools.product([0, 1], repeat=n)), np.int8).T.copy()
        expected = np.sort(columns, axis=0)[trim : n - trim]
        for low, high in kernels.comparators(n, trim):
            columns[[low, high]] = np.minimum(columns[low], columns[high]), np.maximum(columns[low], columns[high])
        assert np.array_equal(columns[trim : n - trim], expected), trim


@pytest.mark.parametrize("n", [50, 127, 128, 1000, 1024])
def test_comparators__many_updates__are_sorted(n):
    columns = np.random.default_rng(n).integers(-9999, 9999, (n, 64))
    expected = np.sort(columns, axis=0)
    for low, high in kernels.comparators(n, 0):
        columns[[low, high]] = np.minimum(columns[low], columns[high]), np.maximum(columns[low], columns[high])
    assert np.array_equal(columns, expected)


def test_native__no_compiler__is_none(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(kernels, "COMPILERS", ["no-such-compiler"])
    assert kernels.native.__wrapped__() is None


def test_native__compiler_fails__is_none(monkeypatch, tmp_path):
    broken = tmp_path / "cc"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(broken.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(subprocess.CalledProcessError):
        kernels._built()
    assert kernels.native.__wrapped__() is None


@needs_compiler
def test_native__a_library_with_other_results__is_not_used(monkeypatch, tmp_path):
    wrong = tmp_path / "kernels.c"
    wrong.write_text(kernels.SOURCE.read_text().replace("* scale / divisor", "* scale / (divisor + 1)"))
    monkeypatch.setattr(kernels, "SOURCE", wrong)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert kernels.native.__wrapped__() is None


def test_native__switched_off__is_none(monkeypatch):
    monkeypatch.setenv("HANSA_KERNELS", "numpy")
    assert kernels.native.__wrapped__() is None
