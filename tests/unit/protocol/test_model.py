"""Model and update files: what is read, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.protocol import tensors as files
from hansa.protocol.cid import to_cid
from hansa.protocol.errors import FatalError, Malformed
from hansa.protocol.model import Model, Update, initial_model, largest
from hansa.protocol.types import Address, Digest

ALICE = Address("0xDde3F521a6f2482ADe8b067ad1854d4a32Dc11c1")
BOB = Address("0xD5c01a81bD092017132FeDB07cb753579498e774")
PARENT = Digest(bytes(range(32)))
JOB, CYCLE = 7, 2**64 - 3
RETRY = to_cid(PARENT)

TENSORS = {"w": np.array([[1.0, -0.5], [0.0, 3.25]], np.float32), "b": np.array([2.0], np.float32)}
FIRST = initial_model(TENSORS, bits=8)
LATER = Model(TENSORS, job=JOB, round=3, parent=PARENT, bits=8, k=(-8, 40))
INTEGERS = {"b": np.array([127], np.int8), "w": np.array([[0, -127], [1, 5]], np.int8)}
UPDATE = Update(INTEGERS, JOB, CYCLE, ALICE)
FIRST_METADATA = {"bits": "8", "job": "0", "k": "[8,8]", "parent": "", "round": "0"}
LATER_METADATA = {"bits": "8", "job": "7", "k": "[-8,40]", "parent": to_cid(PARENT), "round": "3"}
UPDATE_METADATA = {"cycle": str(CYCLE), "job": str(JOB), "trainer": ALICE}


def read(data: bytes, model: Model = LATER, trainer: Address = ALICE) -> Update:
    return Update.decode(data, model=model, job=JOB, cycle=CYCLE, trainer=trainer)


def without(table: dict[str, str], key: str) -> dict[str, str]:
    return {name: value for name, value in table.items() if name != key}


# models


@pytest.mark.parametrize("model", [FIRST, LATER], ids=["first", "later"])
def test_model__file__round_trips(model: Model) -> None:
    data = model.encode()
    again = Model.decode(data)
    assert again.encode() == data
    assert (again.job, again.round, again.parent, again.bits, again.k) == (
        model.job,
        model.round,
        model.parent,
        model.bits,
        model.k,
    )
    assert again.names == ["b", "w"] and again.shapes == {"b": (1,), "w": (2, 2)} and again.size == 5
    assert len(data) <= model.largest_file


def test_model__metadata__is_what_the_design_says() -> None:
    assert files.decode(FIRST.encode())[1] == FIRST_METADATA
    assert files.decode(LATER.encode())[1] == LATER_METADATA


@pytest.mark.parametrize("data", [FIRST.encode(), LATER.encode()], ids=["first", "later"])
@given(st.data())
def test_decode__one_changed_byte__never_reads_as_the_same_model(data: bytes, draw: Any) -> None:
    changed = bytearray(data)
    changed[draw.draw(st.integers(0, len(data) - 1))] ^= draw.draw(st.integers(1, 255))
    try:
        model = Model.decode(bytes(changed))
    except Malformed:
        return
    assert model.encode() == changed != data


BAD_WORDS = {
    "NaN": 0x7FC00000,
    "signalling NaN": 0x7F800001,
    "negative NaN": 0xFFFFFFFF,
    "Inf": 0x7F800000,
    "-Inf": 0xFF800000,
    "-0": 0x80000000,
    "smallest subnormal": 0x00000001,
    "largest subnormal": 0x007FFFFF,
    "negative subnormal": 0x807FFFFF,
}


@pytest.mark.parametrize("word", BAD_WORDS.values(), ids=BAD_WORDS.keys())
@pytest.mark.parametrize("at", [0, files.BLOCK - 1, files.BLOCK, 3 * files.BLOCK])
def test_decode__a_value_no_model_may_hold__is_malformed(word: int, at: int) -> None:
    values = np.ones(3 * files.BLOCK + 1, np.float32)
    values.view(np.uint32)[at] = word
    data = files.encode({"w": values}, FIRST_METADATA | {"k": "[8]"})
    with pytest.raises(Malformed, match="'w' holds"):
        Model.decode(data)
    with pytest.raises(FatalError):
        Model({"w": values}, 0, 0, None, 8, (8,)).encode()


@pytest.mark.parametrize("word", [0, 0x00800000, 0x80800000, 0x7F7FFFFF, 0xFF7FFFFF, 0x3F800000])
def test_decode__edge_values_that_are_normal__are_read(word: int) -> None:
    values = np.array([word], np.uint32).view(np.float32)
    model = Model.decode(files.encode({"w": values}, FIRST_METADATA | {"k": "[8]"}))
    assert model.tensors["w"].tobytes() == values.tobytes()


@pytest.mark.parametrize(
    "metadata",
    [
        *(without(LATER_METADATA, key) for key in LATER_METADATA),
        LATER_METADATA | {"extra": ""},
        *(LATER_METADATA | {"bits": text} for text in ("", "08", "7", "32", "8 ", "٨", "+8", "8.0", "9" * 80)),
        *(LATER_METADATA | {"round": text} for text in ("0", "-1", "1024", "03", "1e1", "9" * 78)),
        *(LATER_METADATA | {"job": text} for text in ("0", "-7", "07", str(2**256))),
        *(LATER_METADATA | {"parent": text} for text in ("", "Qm", to_cid(PARENT) + " ", "0x" + "00" * 32)),
        *(
            LATER_METADATA | {"k": text}
            for text in ("[]", "[-8]", "[-8,40,1]", "[-9,40]", "[-8,41]", "[-8, 40]", "[-8,40.0]", "[-8,true]", "{}")
        ),
        *(LATER_METADATA | {"k": text} for text in ("", "[-8,40", "[-0,0]", '["-8",40]', "[" * 9999, "[-8,NaN]")),
        FIRST_METADATA | {"k": "[8,9]"},
        FIRST_METADATA | {"bits": "16"},
        FIRST_METADATA | {"job": "7"},
        FIRST_METADATA | {"parent": to_cid(PARENT)},
        FIRST_METADATA | {"round": "1"},
    ],
    ids=lambda metadata: str(metadata)[:100],
)
def test_decode__wrong_metadata__is_malformed(metadata: dict[str, str]) -> None:
    with pytest.raises(Malformed) as caught:
        Model.decode(files.encode(TENSORS, metadata))
    assert len(str(caught.value)) < 500


def test_decode__tensors_of_another_type_or_none__is_malformed() -> None:
    with pytest.raises(Malformed, match="not float32"):
        Model.decode(files.encode(TENSORS | {"b": np.ones(1, np.int8)}, LATER_METADATA))
    with pytest.raises(Malformed, match="no tensors"):
        Model.decode(files.encode({}, LATER_METADATA | {"k": "[]"}))


def test_initial_model__values_no_model_may_hold__become_zero_or_are_refused() -> None:
    values = np.array([0x80000000, 1, 0x807FFFFF, 0x00800000], np.uint32).view(np.float32)
    model = initial_model({"w": values}, bits=16)
    assert model.tensors["w"].tobytes() == np.array([0, 0, 0, 0x00800000], np.uint32).tobytes()
    assert model.k == (16,)
    Model.decode(model.encode())
    for bad in (np.nan, np.inf):
        with pytest.raises(FatalError, match="'w'"):
            initial_model({"w": np.array([bad], np.float32)}, bits=8)


# updates


@pytest.mark.parametrize("retry", [{}, {"retry_cid": RETRY, "retry_key": bytes(range(32))}], ids=["new", "retry"])
@pytest.mark.parametrize(("bits", "dtype"), [(8, np.int8), (16, np.int16)])
def test_update__file__round_trips(bits: int, dtype: Any, retry: dict[str, Any]) -> None:
    model = Model(TENSORS, JOB, 3, PARENT, bits, (1, 2))
    q = {name: array.astype(dtype) * (largest(bits) // 127) for name, array in INTEGERS.items()}
    data = Update(q, JOB, CYCLE, ALICE, **retry).encode()
    again = read(data, model)
    assert again.encode() == data and len(data) <= model.largest_update
    assert all(np.array_equal(again.tensors[name], q[name]) for name in q) and list(again.tensors) == ["b", "w"]
    assert (again.retry_cid, again.retry_key) == (retry.get("retry_cid"), retry.get("retry_key"))


@given(st.data())
def test_update__one_changed_byte__never_reads_as_the_same_update(draw: Any) -> None:
    data = Update(INTEGERS, JOB, CYCLE, ALICE, RETRY, bytes(32)).encode()
    changed = bytearray(data)
    changed[draw.draw(st.integers(0, len(data) - 1))] ^= draw.draw(st.integers(1, 255))
    try:
        update = read(bytes(changed))
    except Malformed:
        return
    assert update.encode() == changed != data


@pytest.mark.parametrize(
    ("tensors", "problem"),
    [
        ({"b": INTEGERS["b"]}, "'w' is missing"),
        (INTEGERS | {"c": INTEGERS["b"]}, "'c' is not in the model"),
        (INTEGERS | {"w": INTEGERS["w"].reshape(4)}, "shape"),
        (INTEGERS | {"w": INTEGERS["w"].reshape(1, 2, 2)}, "shape"),
        (INTEGERS | {"b": np.array([1], np.int16)}, "not int8"),
        (INTEGERS | {"b": np.array([1], np.float32)}, "not int8"),
        (INTEGERS | {"b": np.array([-128], np.int8)}, "holds -128"),
        ({}, "missing"),
    ],
)
def test_update__other_tensors_than_the_models__is_malformed(tensors: dict[str, Any], problem: str) -> None:
    with pytest.raises(Malformed, match=problem):
        read(files.encode(tensors, UPDATE_METADATA))


def test_update__16_bits__range_is_symmetric_too() -> None:
    model = Model(TENSORS, JOB, 3, PARENT, 16, (1, 2))
    q = {name: array.astype(np.int16) for name, array in INTEGERS.items()}
    q["b"][0] = -32767
    read(files.encode(q, UPDATE_METADATA), model)
    q["b"][0] = -32768
    with pytest.raises(Malformed, match="-32768"):
        read(files.encode(q, UPDATE_METADATA), model)
    with pytest.raises(Malformed, match="not int16"):
        read(UPDATE.encode(), model)


@pytest.mark.parametrize(
    "metadata",
    [
        *(without(UPDATE_METADATA, key) for key in UPDATE_METADATA),
        UPDATE_METADATA | {"extra": "1"},
        UPDATE_METADATA | {"job": "8"},
        UPDATE_METADATA | {"job": "07"},
        UPDATE_METADATA | {"cycle": str(CYCLE + 1)},
        UPDATE_METADATA | {"trainer": BOB},
        UPDATE_METADATA | {"trainer": ALICE.lower()},
        UPDATE_METADATA | {"retry_cid": RETRY},
        UPDATE_METADATA | {"retry_key": "00" * 32},
        UPDATE_METADATA | {"retry_cid": "Qm", "retry_key": "00" * 32},
        UPDATE_METADATA | {"retry_cid": RETRY, "retry_key": "0x" + "00" * 32},
        UPDATE_METADATA | {"retry_cid": RETRY, "retry_key": "AA" * 32},
        UPDATE_METADATA | {"retry_cid": RETRY, "retry_key": "00" * 32 + "\n"},
        UPDATE_METADATA | {"retry_cid": "", "retry_key": ""},
    ],
    ids=lambda metadata: str(metadata)[:120],
)
def test_update__wrong_metadata__is_malformed(metadata: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        read(files.encode(INTEGERS, metadata))


def test_update__of_another_trainer__is_malformed_and_says_whose() -> None:
    with pytest.raises(Malformed, match=f"update of {BOB}: its trainer is '{ALICE}'"):
        read(UPDATE.encode(), trainer=BOB)


def test_update__half_a_retry__cannot_be_made() -> None:
    with pytest.raises(ValueError):
        Update(INTEGERS, JOB, CYCLE, ALICE, retry_cid=RETRY)
