"""Global models and trainers' updates as files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hansa.protocol import envelope
from hansa.protocol import tensors as files
from hansa.protocol.cid import from_cid, to_cid
from hansa.protocol.errors import FatalError, Malformed
from hansa.protocol.exact import blocks
from hansa.protocol.tables import LIMITS
from hansa.protocol.tensors import BLOCK
from hansa.protocol.types import Address, Digest

FloatArray: TypeAlias = NDArray[np.float32]
IntArray: TypeAlias = NDArray[np.int8] | NDArray[np.int16]

K_MIN: Final = -8
K_MAX: Final = 40
_DTYPES: Final[dict[int, np.dtype[Any]]] = {8: np.dtype(np.int8), 16: np.dtype(np.int16)}
_MODEL_KEYS: Final = ("bits", "job", "k", "parent", "round")
_UPDATE_KEYS: Final = ("cycle", "job", "trainer")
_RETRY_KEYS: Final = ("retry_cid", "retry_key")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,77}", re.ASCII)  # up to 256 bits
_HEX_KEY: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ROOM: Final = 4096  # bytes that headers may grow by, an envelope's included
_ROOM_BESIDE_K: Final = 256  # that all but the exponents take of it: each of those may grow by a digit or a sign


@dataclass(frozen=True, eq=False)
class Model:
    """The global model after a round; model 0 is the sponsor's.

    tensors: float32, in name order. job, round: 0 for model 0. parent: of model r − 1, None for model 0.
    bits: of updates to this model, 8 or 16. k: one exponent for each tensor; an update's integer is delta · 2^k.
    """

    tensors: dict[str, FloatArray]
    job: int
    round: int
    parent: Digest | None
    bits: int
    k: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "tensors", {name: self.tensors[name] for name in sorted(self.tensors)})

    @property
    def names(self) -> list[str]:
        return list(self.tensors)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: array.shape for name, array in self.tensors.items()}

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(array.size for array in self.tensors.values())

    @property
    def largest_file(self) -> int:
        """Size that no later model's file of these shapes and `bits` exceeds: model 0's, with room for its header."""
        metadata = {"bits": str(self.bits), "job": "0", "k": _compact([self.bits] * len(self.k)), "parent": ""}
        room = max(_ROOM, _ROOM_BESIDE_K + len(self.k))
        return files.size_of(self.shapes, np.dtype(np.float32), metadata | {"round": "0"}) + room

    @property
    def largest_update(self) -> int:
        """Size that no update to a model of these shapes and `bits` exceeds, sealed for the largest committee."""
        data = self.size * (_DTYPES[self.bits].itemsize - np.dtype(np.float32).itemsize)
        return self.largest_file + data + LIMITS.seats * envelope.BOX

    def encode(self) -> bytes:
        """The model's file. Raises FatalError for a model that nobody would accept."""
        metadata = {
            "bits": str(self.bits),
            "job": str(self.job),
            "k": _compact(self.k),
            "parent": to_cid(self.parent) if self.parent is not None else "",
            "round": str(self.round),
        }
        problem = _model_problem(self)
        if problem:
            raise FatalError("this model can't be written", cause=problem)
        try:
            return files.encode(self.tensors, metadata)
        except ValueError as error:
            raise FatalError("this model can't be written", cause=error) from error

    @classmethod
    def decode(cls, data: bytes | memoryview) -> Model:
        """Reads a model file. Raises Malformed for whatever `encode` would not write."""
        tensors, metadata = files.decode(data)
        _check_keys("model file", metadata, _MODEL_KEYS)
        model = cls(
            tensors=tensors,
            job=_number("model file's job", metadata["job"]),
            round=_number("model file's round", metadata["round"]),
            parent=from_cid(metadata["parent"]) if metadata["parent"] else None,
            bits=_number("model file's bits", metadata["bits"]),
            k=_exponents(metadata["k"]),
        )
        problem = _model_problem(model)
        if problem:
            raise Malformed("model file", cause=problem)
        return model


@dataclass(frozen=True, eq=False)
class Update:
    """One trainer's quantised delta of one cycle.

    tensors: int8 or int16, in name order. retry_cid, retry_key: of the failed cycle's envelope and its content key,
    where this update sends the same integers again.
    """

    tensors: dict[str, IntArray]
    job: int
    cycle: int
    trainer: Address
    retry_cid: str | None = None
    retry_key: bytes | None = None

    def __post_init__(self) -> None:
        if (self.retry_cid is None) != (self.retry_key is None):
            raise ValueError("a retry names both its CID and its key")
        object.__setattr__(self, "tensors", {name: self.tensors[name] for name in sorted(self.tensors)})

    def encode(self) -> bytes:
        metadata = {"cycle": str(self.cycle), "job": str(self.job), "trainer": self.trainer}
        if self.retry_cid is not None and self.retry_key is not None:
            metadata |= {"retry_cid": self.retry_cid, "retry_key": self.retry_key.hex()}
        return files.encode(self.tensors, metadata)

    @classmethod
    def decode(cls, data: bytes | memoryview, *, model: Model, job: int, cycle: int, trainer: Address) -> Update:
        """Reads one trainer's update to `model` of one cycle. Raises Malformed with the first difference."""
        tensors, metadata = files.decode(data)
        retried = any(key in metadata for key in _RETRY_KEYS)
        _check_keys("update", metadata, _UPDATE_KEYS + _RETRY_KEYS if retried else _UPDATE_KEYS)
        for key, expected in (("job", str(job)), ("cycle", str(cycle)), ("trainer", trainer)):
            if metadata[key] != expected:
                raise Malformed(f"update of {trainer}", cause=f"its {key} is {metadata[key][:80]!r}, not {expected}")
        problem = _update_problem(tensors, model)
        if problem:
            raise Malformed(f"update of {trainer}", cause=problem)
        if not retried:
            return cls(tensors, job, cycle, trainer)
        from_cid(metadata["retry_cid"])
        if not _HEX_KEY.fullmatch(metadata["retry_key"]):
            raise Malformed(f"update of {trainer}", cause="its retry_key is not 64 hex digits")
        return cls(tensors, job, cycle, trainer, metadata["retry_cid"], bytes.fromhex(metadata["retry_key"]))


def initial_model(tensors: Mapping[str, FloatArray], bits: int) -> Model:
    """Model 0 from a task's parameters; −0 and subnormals become +0. Raises FatalError if one is not finite."""
    arrays = {name: np.array(array, dtype=np.float32, order="C") for name, array in tensors.items()}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise FatalError(f"model 0's tensor {name!r} is not finite")
        array[np.abs(array) < np.finfo(np.float32).tiny] = 0.0
    return Model(arrays, job=0, round=0, parent=None, bits=bits, k=(bits,) * len(arrays))


def largest(bits: int) -> int:
    """Q, the largest integer of an update."""
    return int(2 ** (bits - 1)) - 1


def quantise(delta: Mapping[str, FloatArray], model: Model) -> dict[str, IntArray]:
    """clip(rint(delta · 2^k), ±Q) tensor by tensor. Raises FatalError if the delta is not finite."""
    if sorted(delta) != model.names:
        raise ValueError("the delta has other names than the model")
    q_max = largest(model.bits)
    quantised = {}
    for name, k in zip(model.names, model.k, strict=True):
        values = delta[name]
        if values.shape != model.tensors[name].shape:
            raise ValueError("the delta has other shapes than the model")
        flat = np.ascontiguousarray(values).reshape(-1)
        out = np.empty(flat.size, _DTYPES[model.bits])
        for part in blocks(0, flat.size, BLOCK):
            block = flat[part] * np.float64(2.0**k)  # exact
            if not np.isfinite(block).all():
                raise FatalError(
                    f"the update's tensor {name!r} is not finite", next_step="lower the learning rate or check the data"
                )
            np.rint(block, out=block)
            out[part] = np.clip(block, -q_max, q_max, out=block)
        quantised[name] = out.reshape(values.shape)
    return quantised


def next_k(k: Sequence[int], max_abs_by_update_by_tensor: Sequence[Sequence[int]], bits: int) -> tuple[int, ...]:
    """The next model's exponents.

    max_abs_by_update_by_tensor: max|q| of each included update (rows, at least one) in each tensor (columns).
    """
    columns = zip(*max_abs_by_update_by_tensor, strict=True)
    return tuple(_next_exponent(old, sorted(column), bits) for old, column in zip(k, columns, strict=True))


def _next_exponent(k: int, sizes: Sequence[int], bits: int) -> int:
    median = sizes[(len(sizes) - 1) // 2]
    if median == 0:
        step = 1
    elif median == largest(bits):
        step = -4
    else:
        step = max(-4, min(bits - 2 - median.bit_length(), 2))
    return max(K_MIN, min(k + step, K_MAX))


def _check_keys(what: str, metadata: Mapping[str, str], keys: Sequence[str]) -> None:
    if metadata.keys() != set(keys):
        raise Malformed(what, cause=f"its metadata is not exactly {', '.join(sorted(keys))}")


def _number(what: str, text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise Malformed(what, cause=f"{text[:80]!r} is no decimal number")
    return int(text)


def _compact(k: Sequence[int]) -> str:
    return json.dumps(k, separators=(",", ":"))


def _exponents(text: str) -> tuple[int, ...]:
    try:
        k = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed("model file's k", cause=error) from error
    if not isinstance(k, list) or _compact(k) != text:
        raise Malformed("model file's k", cause="it is no compact JSON list")
    if not all(type(value) is int for value in k):
        raise Malformed("model file's k", cause="it holds more than integers")
    return tuple(k)


def _model_problem(model: Model) -> str | None:
    """What keeps a model from being one, or None."""
    if not model.tensors:
        return "it has no tensors"
    if model.bits not in _DTYPES:
        return f"bits is {model.bits}, not 8 or 16"
    if len(model.k) != len(model.tensors) or not all(K_MIN <= value <= K_MAX for value in model.k):
        return f"k is not one integer of {K_MIN}…{K_MAX} for each tensor"
    if not (0 <= model.round <= LIMITS.rounds and 0 <= model.job < 2**256):
        return "its job or round is out of range"
    if len({model.round == 0, model.job == 0, model.parent is None}) != 1:
        return "job, round and parent are neither those of model 0 nor of a later one"
    if model.round == 0 and set(model.k) != {model.bits}:
        return f"model 0's k is not {model.bits} throughout"
    for name, array in model.tensors.items():
        if array.dtype != np.float32:
            return f"tensor {name!r} is {array.dtype}, not float32"
        if not _all_normal(array):
            return f"tensor {name!r} holds NaN, Inf, −0 or a subnormal"
    return None


def _all_normal(array: FloatArray) -> bool:
    """Whether every value is +0 or a finite normal number. Works on the bits: flush-to-zero modes can't change it."""
    words = np.ascontiguousarray(array).reshape(-1).view(np.uint32)
    for part in blocks(0, words.size, BLOCK):
        block = words[part]
        magnitude = (block & np.uint32(0x7FFFFFFF)) - np.uint32(0x00800000)  # wraps for zero and subnormals
        if np.any((magnitude >= np.uint32(0x7F000000)) & (block != 0)):
            return False
    return True


def _update_problem(tensors: Mapping[str, files.Array], model: Model) -> str | None:
    """The first difference between an update's tensors and what the model asks for, or None."""
    for name in sorted(tensors.keys() ^ model.tensors.keys()):
        return f"tensor {name[:80]!r} is {'not in the model' if name in tensors else 'missing'}"
    lowest = -largest(model.bits)
    for name, array in tensors.items():
        shape = model.tensors[name].shape
        if array.shape != shape:
            return f"tensor {name!r} has shape {array.shape}, the model {shape}"
        if array.dtype != _DTYPES[model.bits]:
            return f"tensor {name!r} is {array.dtype}, not int{model.bits}"
        if array.min() < lowest:
            return f"tensor {name!r} holds {array.min()}, beyond ±{-lowest}"
    return None
