"""Baselines of a spec: one text for each number, older plain names still readable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hansa.protocol.baselines import baseline, parse_baselines
from hansa.protocol.errors import FatalError
from hansa.protocol.spec import JobSpec
from hansa.sponsor.post import parse_baseline_options as from_flags
from hansa.sponsor.post import prepare, with_baselines


def spec(*baselines: str) -> JobSpec:
    return JobSpec(task="heart", steps=1, model_bytes=1, update_bytes=1, baselines=list(baselines))


@given(st.integers(-(10**18) + 1, 10**18 - 1))
def test_baseline__any_metric__round_trips_through_a_spec(metric: int) -> None:
    read = JobSpec.decode(spec(baseline("model 0", metric)).encode())
    assert parse_baselines(read.baselines) == [("model 0", metric)]


def test_spec__with_plain_names__stays_readable_and_they_have_no_number() -> None:
    read = JobSpec.decode(spec("pooled", "majority=0.54", "local").encode())
    assert parse_baselines(read.baselines) == [("majority", 540_000_000)]


@pytest.mark.parametrize(
    "text",
    ["a=", "=1", "a=1.0", "a=.5", "a=01", "a=-0", "a=+1", "a=1e3", "a=nan", "a=0.1234567891", "a=b=1", " a=1", "a=1\n",
     "a\x1b=1", "a=1000000000", "a=\u0661", "x" * 65 + "=1"],
)  # fmt: skip
def test_spec__a_number_written_otherwise__is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="baseline"):
        spec(text)


def test_spec__a_name_twice__is_refused() -> None:
    with pytest.raises(ValidationError, match="twice"):
        spec("a=1", "a=2")


def test_flags__become_canonical() -> None:
    assert from_flags(["majority=0.540", "loss=-1_000", "zero=-0.0"]) == ["majority=0.54", "loss=-1000", "zero=0"]


@pytest.mark.parametrize("entry", ["majority", "a=x", "=1", "a=0.0000000001", "a=99999999999", "a=nan"])
def test_flags__that_are_no_baseline__are_refused_in_a_sentence(entry: str) -> None:
    with pytest.raises(FatalError, match="--baseline"):
        from_flags([entry])


def test_known__model_0_and_majority__by_hand() -> None:
    prepared = prepare("heart", seed=0, settings={"metric": "accuracy"})
    rows = [prepared.task.validation(seat, 3) for seat in range(3)]
    ones = [float((part.labels == 1).mean()) for part in rows]  # type: ignore[attr-defined]
    most = sorted(
        ones if sum((part.labels == 1).sum() for part in rows) * 2 > sum(map(len, rows)) else [1 - x for x in ones]
    )[1]  # type: ignore[attr-defined]
    known = dict(parse_baselines(with_baselines(prepared, 3).spec.baselines))
    zero = sorted(1 - x for x in ones)[1]  # an all-zero model says no
    assert known == {"model 0": round(zero * 1e9), "majority": round(most * 1e9)}


@pytest.mark.parametrize(
    ("task", "settings"), [("traffic", {}), ("maintenance", {}), ("heart", {"metric": "likelihood"})]
)
def test_known__where_the_metric_is_no_accuracy__has_no_majority(task: str, settings: dict[str, str]) -> None:
    posted = with_baselines(prepare(task, seed=0, settings=settings), 3).spec.baselines
    assert [name for name, _ in parse_baselines(posted)] == ["model 0"]
