"""The inner loops of rules and screening, for one block of one tensor, each in numpy and in C: a weighted mean, a
trimmed mean, dot products.

Both give the same bits (exact.py has the bounds). The C source beside this file is compiled at first use, for this
machine, and kept in the user's cache; without a compiler, or with HANSA_KERNELS=numpy, numpy does the work.
"""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hansa.protocol.exact import Integers, Tensors, blocks, stepped

SOURCE = Path(__file__).with_name("kernels.c")
COMPILERS = ["cc", "gcc", "clang"]
FLAGS = ["-std=c11", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC"]
COLUMNS = 256  # as in kernels.c
WORTH_COMPILED = 1 << 20  # integers
CACHED = 1 << 16  # float64 values that stay in the cache
RANGES = {np.dtype(np.int8): 2**7, np.dtype(np.int16): 2**15}
Neighbours = NDArray[np.int32]
"""(updates, neighbours): for each update the indices of those that are summed in its place; no columns: itself."""


@dataclass(frozen=True)
class Target:
    """One block of one tensor: the old values, where the new ones go, and the scale of what is added to them."""

    w: NDArray[np.float32]
    out: NDArray[np.float32]
    k: int
    divisor: int


def rows_of(updates: Sequence[Tensors], name: str, part: slice) -> list[Integers]:
    """One block of one tensor of every update, contiguous and aligned."""
    return [np.require(update[name].reshape(-1)[part], requirements=["C", "A"]) for update in updates]


def dot_products(left: Sequence[Integers], right: Sequence[Integers], native: ctypes.CDLL | None) -> NDArray[np.int64]:
    """(left, right) exact dot products of rows; the same object twice for those of each pair of rows."""
    n = len(left)
    if native is not None and left is right and left[0].dtype == np.int8:
        lower, scratch = np.zeros((n, n), np.int64), np.empty(n * COLUMNS, np.int16)
        native.gram_int8(_pointers(left), n, left[0].size, lower.ctypes, scratch.ctypes)
        return np.tril(lower) + np.tril(lower, -1).T
    sums = np.zeros((n, len(right)), np.int64)
    for part in blocks(0, left[0].size, max(2048, CACHED // n)):
        a = _as_float64(left, part)  # (left, values)
        b = a if left is right else _as_float64(right, part)  # (right, values)
        sums += (a @ b.T).astype(np.int64)
    return sums


def weighted_mean(target: Target, rows: Sequence[Integers], factors: Sequence[int], native: ctypes.CDLL | None) -> None:
    """out = w + (Σ factor * row) * 2**-k / divisor. rows: this block of each update, contiguous; factors: a*c each."""
    if native is None:
        target.out[:] = stepped(target.w, _weighted_sums(rows, factors), target.k, target.divisor)
        return
    function = getattr(native, f"mean_{rows[0].dtype}")
    order = sorted(range(len(rows)), key=factors.__getitem__)  # equal factors side by side: one multiplication
    function(*_arguments(target, [rows[i] for i in order], np.array([factors[i] for i in order], np.int32)))


def trimmed_mean(
    target: Target,
    rows: Sequence[Integers],
    clips: Sequence[int],
    near: Neighbours,
    trim: int,
    native: ctypes.CDLL | None,
) -> None:
    """out = w + (Σ of each column without its `trim` lowest and highest) * 2**-k / divisor; the columns are those of
    clip * row, or of the sums of each one's neighbours."""
    n, m = near.shape
    largest = 256 * (RANGES[rows[0].dtype] - 1) * max(1, m)
    kind = np.int16 if largest < 2**15 else np.int32 if largest < 2**31 else np.int64
    network = comparators(n, trim)
    if native is None or kind is np.int64:
        sums = _trimmed_sums(rows, clips, near, trim, kind, network)
        target.out[:] = stepped(target.w, sums, target.k, target.divisor)
        return
    scratch = np.empty(n * COLUMNS * (2 if m else 1), kind)
    function = getattr(native, f"trimmed_{rows[0].dtype}_{np.dtype(kind)}")
    common = _arguments(target, rows, np.array(clips, np.int32))
    function(*common, near.ctypes, m, network.ctypes, len(network), trim, scratch.ctypes)


@cache
def comparators(n: int, trim: int) -> NDArray[np.int32]:
    """A network of compare-and-swaps, (steps, 2), after which rows trim … n-trim-1 of n are those of the sorted column.

    Batcher's merge exchange for any n (Knuth, The Art of Computer Programming, vol. 3, 5.2.2, algorithm M), without
    the steps that no wanted row depends on.
    """
    steps: list[tuple[int, int]] = []
    top = 1 << max(0, (n - 1).bit_length() - 1)
    p = top
    while p:
        q, r, d = top, 0, p
        while True:
            steps += [(i, i + d) for i in range(n - d) if i & p == r]
            if q == p:
                break
            d, q, r = q - p, q // 2, p
        p //= 2
    wanted, kept = set(range(trim, n - trim)), []
    for low, high in reversed(steps):
        if low in wanted or high in wanted:
            wanted |= {low, high}
            kept.append((low, high))
    return np.array(kept[::-1], np.int32).reshape(-1, 2)


def _weighted_sums(rows: Sequence[Integers], factors: Sequence[int]) -> NDArray[np.float64]:
    kind = np.int32 if sum(factors) * RANGES[rows[0].dtype] < 2**31 else np.int64
    total, product = np.zeros(rows[0].shape, kind), np.empty(rows[0].shape, kind)
    for row, factor in zip(rows, factors, strict=True):
        total += np.multiply(row, kind(factor), out=product)
    return total.astype(np.float64)


def _trimmed_sums(
    rows: Sequence[Integers],
    clips: Sequence[int],
    near: Neighbours,
    trim: int,
    kind: type[np.signedinteger[Any]],
    network: NDArray[np.int32],
) -> NDArray[np.float64]:
    values: list[NDArray[Any]] = [np.multiply(row, clip, dtype=kind) for row, clip in zip(rows, clips, strict=True)]
    if near.shape[1]:
        values = [np.sum([values[j] for j in chosen], axis=0, dtype=kind) for chosen in near]
    spare = np.empty_like(values[0])
    for low, high in network.tolist():
        x, y = values[low], values[high]
        values[low], spare = np.minimum(x, y, out=spare), x
        np.maximum(x, y, out=y)
    total = np.zeros(values[0].shape, np.int64)
    for value in values[trim : len(values) - trim]:
        total += value
    return total.astype(np.float64)


def _as_float64(rows: Sequence[Integers], part: slice) -> NDArray[np.float64]:
    result = np.empty((len(rows), part.stop - part.start))
    for values, row in zip(result, rows, strict=True):
        values[:] = row[part]
    return result


def _pointers(rows: Sequence[Integers]) -> object:
    return (ctypes.c_void_p * len(rows))(*(row.ctypes.data for row in rows))


def _arguments(target: Target, rows: Sequence[Integers], factors: NDArray[np.int32]) -> list[object]:
    block = [target.w.size, 2.0**-target.k, target.divisor, target.w.ctypes, target.out.ctypes]
    return [_pointers(rows), factors.ctypes, len(rows), *block]


def native_for(integers: int) -> ctypes.CDLL | None:
    """The compiled kernels where there are so many integers to read that they are worth a second of compiling."""
    return native() if integers >= WORTH_COMPILED else None


@cache
def native() -> ctypes.CDLL | None:
    """The compiled kernels; None where there is no compiler, or what it made differs from numpy on a sample."""
    if os.environ.get("HANSA_KERNELS") == "numpy":
        return None
    try:
        library = ctypes.CDLL(str(_built()))
    except (OSError, subprocess.SubprocessError):
        return None
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    common = [pointer, pointer, number, number, ctypes.c_double, ctypes.c_double, pointer, pointer]
    for name in ("mean_int8", "mean_int16"):
        getattr(library, name).argtypes = common
    for name in ("trimmed_int8_int16", "trimmed_int8_int32", "trimmed_int16_int32"):
        getattr(library, name).argtypes = [*common, pointer, number, pointer, number, number, pointer]
    library.gram_int8.argtypes = [pointer, number, number, pointer, pointer]
    return library if _agrees(library) else None


def _built() -> Path:
    """The library's file, compiled unless this source was compiled for this kind of processor before."""
    compiler = next((path for path in map(shutil.which, COMPILERS) if path), None)
    if compiler is None:
        raise FileNotFoundError("no C compiler")
    cpuinfo = Path("/proc/cpuinfo")
    facts = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    processor = next((line for line in facts if line.startswith(("flags", "Features"))), "")
    key = "\n".join([SOURCE.read_text(), compiler, *FLAGS, platform.machine(), processor])
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hansa"
    library = home / f"kernels-{sha256(key.encode()).hexdigest()[:16]}.so"
    if not library.exists():
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home) as folder:
            made = Path(folder) / "kernels.so"
            command = [compiler, *FLAGS, "-march=native", "-o", str(made), str(SOURCE)]
            subprocess.run(command, check=True, capture_output=True, timeout=120)
            made.replace(library)
    return library


def _agrees(library: ctypes.CDLL) -> bool:
    """Whether the library gives numpy's bits on a sample of every kernel."""
    numbers = np.arange(7 * 600, dtype=np.int64) * 2654435761 % 65521 - 32760
    w = (numbers[:600] * 2.0**-20).astype(np.float32)
    w[250:260:2] = [-0.0, 2**-126, 2**-149, 2**64, -(2**65)]
    near = np.array([[i, (i + 1) % 7] for i in range(7)], np.int32)
    small, large = (numbers >> 8).astype(np.int8), numbers.astype(np.int16)
    for rows in (list(small.reshape(7, 600)), list(large.reshape(7, 600))):
        results = []
        for chosen in (library, None):
            out = np.empty((3, 600), np.float32)
            weighted_mean(Target(w, out[0], 9, 2560), rows, [65280, 1, 9, 300, 256, 77, 0], chosen)
            trimmed_mean(Target(w, out[1], 9, 768), rows, [256] * 7, near[:, :0], 2, chosen)
            trimmed_mean(Target(w, out[2], 9, 1536), rows, [256] * 7, near, 2, chosen)
            results.append(out.tobytes() + dot_products(rows, rows, chosen).tobytes())
        if results[0] != results[1]:
            return False
    return True
