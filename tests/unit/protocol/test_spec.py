"""Job specs: canonical, strictly read, within limits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hansa.protocol.errors import Malformed, TooLarge
from hansa.protocol.spec import MAX_BYTES, NEW, JobSpec

HEART = JobSpec(task="heart", settings={"batch": 4}, steps=100, model_bytes=4096, update_bytes=2048)
FIRST = JobSpec(version=1, task="heart", steps=100, model_bytes=4096, update_bytes=2048)
SHA = "ab" * 32

plain = st.recursive(
    st.one_of(st.integers(-(2**53) + 1, 2**53 - 1), st.booleans(), st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


def changed(**fields: Any) -> bytes:
    """The heart spec's canonical JSON with some fields replaced."""
    table = json.loads(HEART.encode()) | fields
    return json.dumps(table, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@given(st.dictionaries(st.text(max_size=5), plain, max_size=4))
def test_spec__any_settings__round_trip(settings: dict[str, Any]) -> None:
    spec = HEART.model_copy(update={"settings": settings})
    read = JobSpec.decode(spec.encode())
    assert read == spec
    assert repr(read.settings) == repr(JobSpec.decode(read.encode()).settings), "true must not turn into 1"


@pytest.mark.parametrize(
    "fields",
    [
        {"version": 1},
        {"version": 3},
        {"version": True},
        {"version": 1.0},
        {"title": None},
        {"title": "x" * 121},
        {"about": "x" * 4001},
        {"metric": ""},
        {"metric": "x" * 65},
        {"frozen": []},
        {"frozen": {"encoder": "AB" * 32}},
        {"frozen": {"encoder": SHA[1:]}},
        {"frozen": {"": SHA}},
        {"frozen": {str(number): SHA for number in range(17)}},
        {"group": -1},
        {"group": 1025},
        {"group": False},
        {"shares": 25},
        {"shares": 0.0},
        {"validation": "public"},
        {"validation_set": SHA},
        {"task": ""},
        {"task": "x" * 257},
        {"task": 3},
        {"task_digest": "ab"},
        {"task_digest": "A" * 64},
        {"task_digest": "a" * 64 + "\n"},
        {"settings": {"rate": 0.1}},
        {"settings": {"rate": [1, [0.5]]}},
        {"settings": {"nothing": None}},
        {"settings": {"table": {"a": 1}}},
        {"settings": {"big": 2**53}},
        {"settings": {"big": [-(2**53)]}},
        {"settings": []},
        {"seed": -1},
        {"seed": 2**53},
        {"seed": "0"},
        {"steps": 0},
        {"steps": 100.0},
        {"steps": True},
        {"loss_threshold": 0.5},
        {"bits": 12},
        {"bits": "8"},
        {"rule": "krum"},
        {"weights": "rows"},
        {"privacy": "none"},
        {"baselines": "pooled"},
        {"baselines": [1]},
        {"publish_keys": 0},
        {"model_bytes": 0},
        {"update_bytes": -1},
        {"colour": "red"},
    ],
    ids=str,
)
def test_decode__wrong_field__is_malformed_and_names_it(fields: dict[str, Any]) -> None:
    with pytest.raises(Malformed) as caught:
        JobSpec.decode(changed(**fields))
    assert next(iter(fields)) in str(caught.value) or "canonical" in str(caught.value)


@pytest.mark.parametrize("name", sorted(JobSpec.model_fields))
def test_decode__missing_field__is_malformed_even_where_there_is_a_default(name: str) -> None:
    table = json.loads(HEART.encode())
    del table[name]
    with pytest.raises(Malformed, match=f"{name} missing"):
        JobSpec.decode(json.dumps(table, sort_keys=True, separators=(",", ":")).encode())


def test_first_version__is_read_as_it_was_written() -> None:
    data = FIRST.encode()
    assert not {"title", "frozen", "validation_set"} & json.loads(data).keys()
    assert JobSpec.decode(data) == FIRST
    assert JobSpec.decode(data).encode() == data


@pytest.mark.parametrize("field", sorted(NEW))
def test_first_version__with_a_field_of_the_second__is_malformed(field: str) -> None:
    table = json.loads(FIRST.encode()) | {field: json.loads(HEART.encode())[field]}
    with pytest.raises(Malformed, match=f"version 1 has no {field}"):
        JobSpec.decode(json.dumps(table, sort_keys=True, separators=(",", ":")).encode())


@pytest.mark.parametrize("privacy", ["threshold", "masked"])
def test_first_version__has_no_other_privacy_than_committee(privacy: str) -> None:
    table = json.loads(FIRST.encode()) | {"privacy": privacy}
    with pytest.raises(Malformed, match="privacy"):
        JobSpec.decode(json.dumps(table, sort_keys=True, separators=(",", ":")).encode())


@pytest.mark.parametrize(
    "fields",
    [
        {"privacy": "threshold", "shares": 2},
        {"privacy": "masked", "shares": 24, "group": 1024},
        {"validation": "own"},
    ],
    ids=str,
)
def test_second_version__says_who_sees_updates_and_whose_rows_count(fields: dict[str, Any]) -> None:
    spec = HEART.model_copy(update=fields)
    assert JobSpec.decode(spec.encode()) == spec


def test_second_version__says_what_it_is_about() -> None:
    given = {"title": "Beats", "about": "Two hospitals\nand a third", "metric": "accuracy", "frozen": {"encoder": SHA}}
    spec = HEART.model_copy(update=given)
    assert spec.version == 2
    assert JobSpec.decode(spec.encode()) == spec
    assert json.loads(HEART.encode())["validation"] == "dealt", "neutral values are written too"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"{", b" {"),
        (b'"bits":8', b'"bits": 8'),
        (b'"bits":8', b'"bits":8,"bits":8'),
        (b'"bits":8', b'"bits":16,"bits":8'),
        (b'"batch":4', b'"batch":4,"batch":4'),
        (b'"batch":4', b'"batch":-0'),
        (b'"batch":4', b'"batch":4e0'),
        (b'"batch":4', b'"batch":NaN'),
        (b'"batch":4', b'"batch":1' + b"0" * 5000),
        (b'"batch":4', b'"batch":' + b"[" * 5000),
        (b'"batch":4', b'"batch":' + b"[" * 20 + b"]" * 20),
        (b'"heart"', b'"\\u0068eart"'),
        (b'"heart"', b'"\\ud800"'),
        (b'"heart"', b'"\xff"'),
        (b"{", b"\xef\xbb\xbf{"),
    ],
)
def test_decode__other_bytes_of_the_same_or_no_json__is_malformed(old: bytes, new: bytes) -> None:
    data = HEART.encode()
    assert old in data
    with pytest.raises(Malformed):
        JobSpec.decode(data.replace(old, new, 1))


@pytest.mark.parametrize("data", [b"", b"null", b"[]", b"1", b'"{}"', b"{}", b"{", HEART.encode()[:-1]])
def test_decode__no_spec_at_all__is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        JobSpec.decode(data)


@given(st.binary(max_size=200))
def test_decode__any_bytes__is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        JobSpec.decode(data)


def test_decode__too_many_bytes__is_refused_before_they_are_parsed() -> None:
    with pytest.raises(TooLarge):
        JobSpec.decode(b"[" * (MAX_BYTES + 1))


def test_encode__more_than_anybody_reads__is_refused() -> None:
    with pytest.raises(TooLarge):
        HEART.model_copy(update={"settings": {"text": "x" * MAX_BYTES}}).encode()


def test_construct__float_setting__is_refused() -> None:
    with pytest.raises(ValidationError):
        JobSpec(task="heart", settings={"rate": 0.1}, steps=1, model_bytes=1, update_bytes=1)  # type: ignore[dict-item]
