"""Streamed dot products against whole vectors in float64."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from aggregator import products as streamed
from aggregator.products import products
from hansa.protocol.model import Model, initial_model

SHAPES = {"a": (7, 5), "b": (3,), "c": (50, 40), "empty": (0, 4), "scalar": ()}
N = 4


def vectors(seed: int, kind: type[np.floating] = np.float32) -> dict[str, NDArray[np.floating]]:
    random = np.random.default_rng(seed)
    return {name: np.asarray(random.normal(size=shape), kind) for name, shape in SHAPES.items()}


def model(seed: int = 1) -> Model:
    return replace(initial_model(vectors(seed), 8), k=(8, 3, 12, 0, -2))


def integers(seed: int) -> dict[str, NDArray[np.int8]]:
    random = np.random.default_rng(seed)
    return {name: np.asarray(random.integers(-127, 128, shape), np.int8) for name, shape in SHAPES.items()}


def flat(tensors: dict[str, NDArray[np.floating]], names: list[str]) -> NDArray[np.float64]:
    return np.concatenate([tensors[name].astype(np.float64).ravel() for name in names])


def expected(gradient: dict[str, NDArray[np.floating]], earlier: list[Model]) -> tuple[NDArray[np.float64], ...]:
    """<g, q> and <g less its projection, q> by least squares."""
    names, here = sorted(gradient), model()
    of_k = dict(zip(here.tensors, here.k, strict=True))
    updates = [flat({name: integers(10 + i)[name] * 2.0 ** -of_k[name] for name in names}, names) for i in range(N)]
    g, w = flat(gradient, names), flat(dict(here.tensors), names)
    span = np.stack([w - flat(dict(other.tensors), names) for other in earlier], 1)
    novel = g - span @ np.linalg.lstsq(span, g, rcond=1e-5)[0]
    return np.array([g @ q for q in updates]), np.array([novel @ q for q in updates])


@pytest.mark.parametrize("block", [1, 13, 1 << 14])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_products__any_block__are_those_of_whole_vectors(
    monkeypatch: pytest.MonkeyPatch, block: int, kind: type[np.floating]
) -> None:
    monkeypatch.setattr(streamed, "BLOCK", block)
    gradient, earlier = vectors(2, kind), [model(3), model(4), model(3)]  # one twice: it spans nothing new
    found = products(gradient, model(), earlier, [integers(10 + i) for i in range(N)])
    plain, novel = expected(gradient, earlier)
    close = 1e-12 if kind is np.float64 else 1e-5
    np.testing.assert_allclose(found.with_gradient(), plain, rtol=close, atol=close * np.abs(plain).max())
    np.testing.assert_allclose(found.with_novel(), novel, rtol=close, atol=close * np.abs(plain).max())


def test_products__tensors_without_a_gradient__count_nowhere() -> None:
    gradient = {name: values for name, values in vectors(2).items() if name != "c"}
    found = products(gradient, model(), [model(3)], [integers(10 + i) for i in range(N)])
    plain, novel = expected(gradient, [model(3)])
    np.testing.assert_allclose(found.with_gradient(), plain, rtol=1e-5)
    np.testing.assert_allclose(found.with_novel(), novel, rtol=1e-4)


def test_products__no_gradient_at_all__is_worth_nothing() -> None:
    found = products({}, model(), [model(3)], [integers(10 + i) for i in range(N)])
    assert not found.with_gradient().any() and not found.with_novel().any()


def test_products__a_gradient_along_the_last_change__has_no_news() -> None:
    here, before = model(), model(3)
    along = {name: here.tensors[name].astype(np.float64) - before.tensors[name] for name in SHAPES}
    found = products(along, here, [before], [integers(10)])
    assert abs(found.with_novel()[0]) < 1e-12 * abs(found.with_gradient()[0])


def test_products__a_gradient_whose_square_is_too_large__still_has_its_directions_taken_out() -> None:
    here, before = model(), model(3)
    along = {name: 1e200 * (here.tensors[name].astype(np.float64) - before.tensors[name]) for name in SHAPES}
    found = products(along, here, [before], [integers(10)])
    assert abs(found.with_novel()[0]) < 1e-12 * abs(found.with_gradient()[0])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_products__what_is_not_finite__is_told(value: float) -> None:
    gradient = vectors(2, np.float64)
    gradient["b"][1] = value
    found = products(gradient, model(), [model(3)], [integers(10)])
    assert not np.isfinite(found.with_novel()).all()
