"""Tensor files: one canonical form, readable by the reference library, and nothing else is read."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from hansa.protocol.errors import Malformed
from hansa.protocol.tensors import MAX_HEADER, decode, encode, size_of

shapes = st.lists(st.integers(1, 4), max_size=3).map(tuple)
names = st.text(min_size=1, max_size=6).filter(lambda name: name != "__metadata__" and name.isprintable())


@st.composite
def arrays(draw: Any) -> np.ndarray[Any, Any]:
    shape, dtype = draw(shapes), np.dtype(draw(st.sampled_from(["<f4", "i1", "<i2"])))
    size = int(np.prod(shape)) * dtype.itemsize
    return np.frombuffer(draw(st.binary(min_size=size, max_size=size)), dtype).reshape(shape)


tables = st.dictionaries(names, arrays(), max_size=4)
metadata_tables = st.dictionaries(st.text(max_size=4), st.text(max_size=6), max_size=3)

SMALL = encode({"a": np.ones((2, 2), np.float32), "b": np.array([1, -2, 3], np.int8)}, {"job": "1", "round": "2"})


def framed(header: bytes | dict[str, Any], data: bytes = b"") -> bytes:
    """A file with any header, padded as it must be."""
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data


def entry(dtype: Any = "I8", shape: Any = (1,), offsets: Any = (0, 1)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


@given(tables, metadata_tables)
def test_file__any_tensors__round_trip(tensors: dict[str, Any], metadata: dict[str, str]) -> None:
    data = encode(tensors, metadata)
    assert len(data) % 8 == sum(array.nbytes for array in tensors.values()) % 8, "data starts at a multiple of 8"
    read, read_metadata = decode(data)
    assert list(read) == sorted(tensors) and read_metadata == metadata
    for name, array in read.items():
        assert array.dtype == tensors[name].dtype and array.shape == tensors[name].shape
        assert array.tobytes() == tensors[name].tobytes()
        assert not array.flags.writeable
    assert encode(dict(reversed(list(tensors.items()))), metadata) == data, "order of the table must not matter"


@given(tables)
def test_file__any_tensors__is_read_by_the_reference_library(tensors: dict[str, Any]) -> None:
    read = safetensors.numpy.load(encode(tensors, {"a": "b"}))
    assert {name: array.tobytes() for name, array in read.items()} == {
        name: array.tobytes() for name, array in tensors.items()
    }


def test_decode__the_reference_librarys_own_file__is_malformed_unless_canonical() -> None:
    tensors = {"a": np.zeros(3, np.int8), "b": np.zeros(2, np.float32)}
    with pytest.raises(Malformed):
        decode(safetensors.numpy.save(tensors, {"job": "1"}))  # orders tensors by alignment


@given(st.integers(0, len(SMALL) - 1), st.integers(1, 255))
def test_decode__one_changed_byte__is_malformed_or_other_content(at: int, change: int) -> None:
    data = bytearray(SMALL)
    data[at] ^= change
    try:
        tensors, metadata = decode(bytes(data))
    except Malformed:
        return
    assert encode(tensors, metadata) == data != SMALL, "what is read must be what was written"


@given(st.integers(0, len(SMALL) - 1))
def test_decode__truncated_or_longer__is_malformed(size: int) -> None:
    for data in (SMALL[:size], SMALL + SMALL[:size] + b"\0"):
        with pytest.raises(Malformed):
            decode(data)


@given(st.binary(max_size=100))
def test_decode__any_bytes__is_malformed_or_canonical(data: bytes) -> None:
    for candidate in (data, framed(data)):
        try:
            tensors, metadata = decode(candidate)
        except Malformed:
            continue
        assert encode(tensors, metadata) == candidate


@pytest.mark.parametrize("length", [1, MAX_HEADER + 1, 2**31, 2**63, 2**64 - 1])
def test_decode__header_longer_than_the_file__is_malformed(length: int) -> None:
    with pytest.raises(Malformed):
        decode(length.to_bytes(8, "little"))


HOSTILE: list[tuple[str, bytes | dict[str, Any], bytes]] = [
    ("no metadata", {"a": entry()}, b"1"),
    ("metadata list", {"__metadata__": [], "a": entry()}, b"1"),
    ("metadata number", {"__metadata__": {"a": 1}}, b""),
    ("metadata not first", {"a": entry(), "__metadata__": {}}, b"1"),
    ("metadata unsorted", b'{"__metadata__":{"b":"","a":""}}', b""),
    ("metadata twice", b'{"__metadata__":{},"__metadata__":{}}', b""),
    ("key twice in metadata", b'{"__metadata__":{"a":"1","a":"1"}}', b""),
    ("names unsorted", {"__metadata__": {}, "b": entry(), "a": entry(offsets=(1, 2))}, b"12"),
    ("offsets overlap", {"__metadata__": {}, "a": entry(), "b": entry()}, b"12"),
    ("offsets swapped", {"__metadata__": {}, "a": entry(offsets=(1, 2)), "b": entry()}, b"12"),
    ("offsets gap", {"__metadata__": {}, "a": entry(), "b": entry(offsets=(2, 3))}, b"123"),
    ("offsets negative", {"__metadata__": {}, "a": entry(offsets=(-1, 0))}, b"1"),
    ("offsets float", {"__metadata__": {}, "a": entry(offsets=(0, 1.0))}, b"1"),
    ("offsets bool", {"__metadata__": {}, "a": entry(offsets=(False, True))}, b"1"),
    ("offsets text", {"__metadata__": {}, "a": entry(offsets="01")}, b"1"),
    ("shape text", {"__metadata__": {}, "a": entry(shape="1")}, b"1"),
    ("shape bool", {"__metadata__": {}, "a": entry(shape=[True])}, b"1"),
    ("shape float", {"__metadata__": {}, "a": entry(shape=[1.0])}, b"1"),
    ("shape zero", {"__metadata__": {}, "a": entry(shape=[0], offsets=(0, 0))}, b""),
    ("shape negative twice", {"__metadata__": {}, "a": entry(shape=[-1, -1])}, b"1"),
    ("shape huge", {"__metadata__": {}, "a": entry(shape=[2**62, 4])}, b"1"),
    ("shape wraps 64 bits", {"__metadata__": {}, "a": entry(shape=[2**63, 2, 1])}, b""),
    ("shape of thousands of sides", {"__metadata__": {}, "a": entry(shape=[1] * 5000)}, b"1"),
    ("shape of huge product", {"__metadata__": {}, "a": entry(shape=[200] * 32)}, b"1" * 200),
    ("dtype F64", {"__metadata__": {}, "a": entry("F64", offsets=(0, 8))}, b"12345678"),
    ("dtype list", {"__metadata__": {}, "a": entry(["I8"])}, b"1"),
    ("dtype lower case", {"__metadata__": {}, "a": entry("i8")}, b"1"),
    ("nameless", {"__metadata__": {}, "": entry()}, b"1"),
    ("field twice", b'{"__metadata__":{},"a":{"dtype":"I8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}', b"1"),
    ("tensor twice", b'{"__metadata__":{},"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},"a":1}', b"1"),
    ("extra field", {"__metadata__": {}, "a": entry() | {"x": 1}}, b"1"),
    ("entry is a number", {"__metadata__": {}, "a": 1}, b"1"),
    ("spaces inside", b'{"__metadata__": {}}', b""),
    ("nested", b"[" * 100_000, b""),
    ("huge integer", b'{"__metadata__":{},"a":' + b"9" * 10_000 + b"}", b""),
    ("not UTF-8", b'{"__metadata__":{"a":"\xff"}}', b""),
    ("UTF-16", '{"__metadata__":{}}'.encode("utf-16"), b""),
    ("half a surrogate", b'{"__metadata__":{"a":"\\ud800"}}', b""),
    ("escaped letter", b'{"__metadata__":{"\\u0061":""}}', b""),
    ("null", b"null", b""),
    ("nothing", b"", b""),
]


@pytest.mark.parametrize(("header", "data"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_decode__hostile_header__is_malformed(header: bytes | dict[str, Any], data: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        decode(framed(header, data))
    assert len(str(caught.value)) < 500


def test_decode__padding_of_another_kind__is_malformed() -> None:
    text = b'{"__metadata__":{"a":"b"}}'
    good = framed(text)
    decode(good)
    for padded in (text + b"\t" * (-len(text) % 8), text + b" " * (-len(text) % 8 + 8), text):
        with pytest.raises(Malformed):
            decode(len(padded).to_bytes(8, "little") + padded)


def test_decode__header_of_a_million_lists__takes_little_memory() -> None:
    data = framed(b'{"__metadata__":{},"a":[' + b"[]," * 300_000 + b"[]]}")
    tracemalloc.start()
    with pytest.raises(Malformed):
        decode(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * 2**20


def test_decode__large_file__is_not_copied() -> None:
    data = encode({"w": np.zeros(4_000_000, np.float32)}, {})
    tracemalloc.start()
    tensors, _ = decode(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert tensors["w"].size == 4_000_000
    assert peak < 2**20


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("a", np.zeros(1, np.float64)),
        ("a", np.zeros(1, ">f4")),
        ("a", np.zeros(1, np.uint8)),
        ("a", np.zeros(0, np.float32)),
        ("", np.zeros(1, np.float32)),
        ("__metadata__", np.zeros(1, np.float32)),
        ("\ud800", np.zeros(1, np.float32)),
        ("a" * MAX_HEADER, np.zeros(1, np.float32)),
    ],
    ids=range(8),
)
def test_encode__what_no_reader_takes__is_refused(name: str, array: Any) -> None:
    with pytest.raises(ValueError):
        encode({name: array}, {})


def test_encode__strided_and_scalar_arrays__are_written_in_row_order() -> None:
    array = np.arange(6, dtype=np.int16).reshape(2, 3).T
    read, _ = decode(encode({"t": array, "s": np.float32(2.5)}, {}))  # type: ignore[dict-item]
    assert np.array_equal(read["t"], array) and read["s"].shape == () and read["s"] == 2.5


@given(st.dictionaries(names, shapes, min_size=1, max_size=4), metadata_tables)
def test_size_of__any_shapes__is_the_files(shapes_by_name: dict[str, Any], metadata: dict[str, str]) -> None:
    dtype = np.dtype(np.int16)
    tensors = {name: np.zeros(shape, dtype) for name, shape in shapes_by_name.items()}
    assert size_of(shapes_by_name, dtype, metadata) == len(encode(tensors, metadata))
