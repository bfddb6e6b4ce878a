"""Updates as words, what a sum of them must look like, and the step that it is.

Words are 16 bits each, little-endian in a file: an int8 update's values in name order, signed modulo 2¹⁶, then nine
counters for each tensor, all 0 but a 1 that says how large its largest value is. So a sum of updates tells as much as
the next exponents need, and at most 256 of them can't leave 16 bits: 256 · 127 < 2¹⁵.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hansa.protocol import kernels
from hansa.protocol.exact import PIECE, Tensors, blocks
from hansa.protocol.kernels import Target
from hansa.protocol.model import Model, largest, next_k

COUNTERS: Final = 9
BITS: Final = 8  # of an update's integers
MOST_UPDATES: Final = 256
WORD: Final = np.dtype("<u2")

Words = NDArray[np.uint16]
Sum = NDArray[np.int16]
Shapes = Mapping[str, tuple[int, ...]]

_Q: Final = largest(BITS)
_CODES: Final = (0, *((1 << bits) - 1 for bits in range(1, BITS - 1)), _Q - 1, _Q)
"""The largest |q| of each counter: 0, the most of so many bits (126 for 7), and Q."""


def length(shapes: Shapes) -> int:
    """L, the words of an update to a model of these shapes."""
    return sum(map(prod, shapes.values())) + COUNTERS * len(shapes)


def words_of(q: Tensors) -> Words:
    """An update's words; q: int8 within ±127."""
    names = sorted(q)
    words = np.empty(length({name: q[name].shape for name in names}), WORD)
    signed, start = words.view("<i2"), 0
    counters = words[len(words) - COUNTERS * len(names) :].reshape(len(names), COUNTERS)
    counters[:] = 0
    for name, row in zip(names, counters, strict=True):
        values = q[name].reshape(-1)
        signed[start : start + values.size] = values
        start += values.size
        row[code_of(max(int(values.max()), -int(values.min())))] = 1
    return words


def code_of(size: int) -> int:
    """Which counter a tensor of this max|q| raises."""
    return BITS if size == _Q else size.bit_length()


@dataclass(frozen=True)
class Fault:
    """The first words of a sum that no updates add up to."""

    first: int
    words: int  # 1: a value beyond 127 · A. 9: counters that are negative or don't come to A


def fault_in(total: Sum, shapes: Shapes, updates: int) -> Fault | None:
    """The first fault of the sum of so many updates, values before counters."""
    values = len(total) - COUNTERS * len(shapes)
    for part in blocks(0, values, PIECE):
        block = total[part]
        if block.max() > _Q * updates or block.min() < -_Q * updates:
            beyond = np.abs(block.astype(np.int32)) > _Q * updates
            return Fault(part.start + int(beyond.argmax()), 1)
    for number, row in enumerate(counters_of(total, len(shapes))):
        if row.min() < 0 or int(row.astype(np.int64).sum()) != updates:
            return Fault(values + COUNTERS * number, COUNTERS)
    return None


def is_spoilt(words: Words, fault: Fault) -> bool:
    """Whether one update's words at a fault are none that an update has."""
    signed = [int(value) for value in words.astype(WORD).view("<i2")]
    if fault.words == 1:
        return abs(signed[0]) > _Q
    return sorted(signed) != [0] * (COUNTERS - 1) + [1]


def counters_of(total: Sum, tensors: int) -> Sum:
    """(tensors, 9), in name order."""
    return total[len(total) - COUNTERS * tensors :].reshape(tensors, COUNTERS)


def values_of(total: Sum, shapes: Shapes) -> dict[str, Sum]:
    """A sum's values by tensor, views of it."""
    found, start = {}, 0
    for name in sorted(shapes):
        size = prod(shapes[name])
        found[name] = total[start : start + size].reshape(shapes[name])
        start += size
    return found


def next_model_tensors(base: Model, total: Sum, updates: int) -> dict[str, NDArray[np.float32]]:
    """The step of a sum without fault: bit for bit the unclipped mean of the updates, each of weight 1."""
    return step_of(base, values_of(total, base.shapes), updates)


def step_of(base: Model, values: Tensors, updates: int) -> dict[str, NDArray[np.float32]]:
    """The same of the sum's values by tensor."""
    result = {name: np.empty(shape, np.float32) for name, shape in base.shapes.items()}
    native = kernels.native_for(base.size)
    for (name, old), k in zip(base.tensors.items(), base.k, strict=True):
        before, after = np.ascontiguousarray(old).reshape(-1), result[name].reshape(-1)
        for part in blocks(0, old.size, PIECE):
            w = np.require(before[part], requirements=["C", "A"])
            row = np.require(values[name].reshape(-1)[part], np.int16, ["C", "A"])
            kernels.weighted_mean(Target(w, after[part], k, 256 * updates), [row], [256], native)
    return result


def next_exponents(k: Sequence[int], total: Sum) -> tuple[int, ...]:
    """The next model's exponents, as `next_k` has them of the updates themselves."""
    counters = counters_of(total, len(k)).tolist()
    sizes = [[size for size, times in zip(_CODES, row, strict=True) for _ in range(times)] for row in counters]
    rows = list(zip(*sizes, strict=True))
    return next_k(k, rows, BITS)
