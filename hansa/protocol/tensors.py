"""Tensor files: safetensors in one canonical form, so that equal content has equal bytes and one CID.

Tensors by name, a compact JSON header with `__metadata__` first and sorted keys, padded with spaces to 8 bytes, data
without gaps. A reader writes the header again and compares: any difference is malformed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hansa.protocol.errors import Malformed

Array: TypeAlias = NDArray[Any]

MAX_HEADER: Final = 2**20  # bytes of JSON; a thousand tensors take about a tenth
MAX_DIMENSIONS: Final = 32
BLOCK: Final = 2**16  # values that a pass over a large tensor takes at a time

_DTYPES: Final[dict[str, np.dtype[Any]]] = {"F32": np.dtype("<f4"), "I16": np.dtype("<i2"), "I8": np.dtype("i1")}
_CODES: Final = {dtype: code for code, dtype in _DTYPES.items()}
_METADATA: Final = "__metadata__"
_ENTRY_KEYS: Final = {"dtype", "shape", "data_offsets"}


class _Spec(NamedTuple):
    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.size * _DTYPES[self.dtype].itemsize


def encode(tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> bytes:
    """The one file that holds these tensors (float32, int8 or int16) and this metadata.

    Raises ValueError for other dtypes, tensors without elements, or more names than a header can hold.
    """
    arrays = {name: _contiguous(name, tensors[name]) for name in sorted(tensors)}
    specs = {name: _Spec(_CODES[array.dtype], array.shape) for name, array in arrays.items()}
    header = _header(specs, metadata)
    if len(header) > MAX_HEADER:
        raise ValueError(f"a header of {len(header)} bytes; {MAX_HEADER} at most")
    return b"".join([len(header).to_bytes(8, "little"), header, *(array.data for array in arrays.values())])


def decode(data: bytes | memoryview) -> tuple[dict[str, Array], dict[str, str]]:
    """Tensors (read-only views of `data`, in name order) and metadata of a canonical file.

    Raises Malformed for anything that `encode` does not write. Allocates no more than the header needs.
    """
    view = memoryview(data).toreadonly()
    length = int.from_bytes(view[:8], "little")
    if len(view) < 8 or length > min(MAX_HEADER, len(view) - 8):
        raise Malformed("tensor file", cause="its header is longer than the file or too long")
    header = bytes(view[8 : 8 + length])
    specs, metadata = _parse(header, len(view))
    if sum(spec.nbytes for spec in specs.values()) != len(view) - 8 - length:
        raise Malformed("tensor file", cause="its data is not as long as its header says")
    if not _is_canonical(header, specs, metadata):
        raise Malformed("tensor file", cause="its header is not canonical")
    tensors = {}
    start = 8 + length
    for name, spec in specs.items():
        array = np.frombuffer(view, _DTYPES[spec.dtype], spec.size, start)
        tensors[name] = array.reshape(spec.shape)
        start += spec.nbytes
    return tensors, metadata


def size_of(shapes: Mapping[str, tuple[int, ...]], dtype: np.dtype[Any], metadata: Mapping[str, str]) -> int:
    """Size of the file that holds tensors of these shapes, all of one type."""
    specs = {name: _Spec(_CODES[dtype], shape) for name, shape in shapes.items()}
    return 8 + len(_header(specs, metadata)) + sum(spec.nbytes for spec in specs.values())


def _contiguous(name: str, array: Array) -> Array:
    if array.dtype not in _CODES:
        raise ValueError(f"tensor {name!r} is {array.dtype}; float32, int8 or int16 only")
    if not name or name == _METADATA or not array.size or array.ndim > MAX_DIMENSIONS:
        raise ValueError(f"tensor {name!r} of shape {array.shape} has no name, no elements or too many dimensions")
    return np.ascontiguousarray(array).reshape(array.shape)  # the former turns a scalar into a vector


def _header(specs: Mapping[str, _Spec], metadata: Mapping[str, str]) -> bytes:
    entries: dict[str, Any] = {_METADATA: {key: metadata[key] for key in sorted(metadata)}}
    start = 0
    for name in sorted(specs):
        spec = specs[name]
        end = start + spec.nbytes
        entries[name] = {"dtype": spec.dtype, "shape": list(spec.shape), "data_offsets": [start, end]}
        start = end
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    return text + b" " * (-len(text) % 8)


def _is_canonical(header: bytes, specs: Mapping[str, _Spec], metadata: Mapping[str, str]) -> bool:
    try:
        return _header(specs, metadata) == header
    except UnicodeEncodeError:  # JSON can escape half a surrogate pair, UTF-8 can't hold one
        return False


def _parse(header: bytes, limit: int) -> tuple[dict[str, _Spec], dict[str, str]]:
    """What a header says, with every shape checked against the file's size, in name order."""
    try:
        entries = json.loads(header.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Malformed("tensor file's header is not JSON", cause=error) from error
    if not isinstance(entries, dict):
        raise Malformed("tensor file's header is not a JSON object")
    metadata = entries.pop(_METADATA, None)
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise Malformed("tensor file", cause="its metadata is not a table of strings")
    specs = {name: _spec(name, entries[name], limit) for name in sorted(entries)}
    return specs, metadata


def _spec(name: str, entry: object, limit: int) -> _Spec:
    if not name or not isinstance(entry, dict) or entry.keys() != _ENTRY_KEYS:
        raise Malformed(f"tensor {name[:64]!r}", cause="its header entry has other fields")
    dtype, shape = entry["dtype"], entry["shape"]
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise Malformed(f"tensor {name[:64]!r}", cause="its type is not F32, I16 or I8")
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
        raise Malformed(f"tensor {name[:64]!r}", cause="its shape is no list or has too many dimensions")
    if not all(type(side) is int and 0 < side <= limit for side in shape):
        raise Malformed(f"tensor {name[:64]!r}", cause="a side of its shape is no positive integer or beyond the file")
    return _Spec(dtype, tuple(shape))
