"""Hansa's exact rules on one thread, beside Flower's own functions and a plain read of the same bytes.

Flower gets float32, as its clients send; Hansa int8, as its trainers do. Speed is given for what both mean: four bytes
a number.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers import INSTALL, offered
from benchmarks.report import Cell, Plot, Report, Section, best, load
from hansa.protocol import aggregation, geometry, kernels
from hansa.protocol.errors import FatalError
from hansa.protocol.model import Model, initial_model

MILLION = 10**6
NAME = "weight"
FOLDER = Path(__file__).parents[1]


@dataclass(frozen=True)
class Measured:
    """ours, theirs: processor seconds of the best of several runs; theirs is None where there is no peer."""

    what: str
    n: int
    size: int
    ours: float
    theirs: float | None
    target: str

    @property
    def speed(self) -> float:
        """GB/s, as if every number were a float32."""
        return 4e-9 * self.n * self.size / self.ours

    def row(self) -> list[Cell]:
        ratio = self.theirs / self.ours if self.theirs else None
        theirs = 1000 * self.theirs if self.theirs else None
        return [self.what, f"{self.n} × {self.size:,}", 1000 * self.ours, theirs, ratio, self.speed, self.target]


def run(quick: bool) -> Report:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    scale, times = (10, 5) if quick else (1, 9)
    found = [*_means(25 * MILLION // scale, times), *_robust(MILLION // scale, times)]
    peak = peak_memory(50, 25 * MILLION // scale)
    columns = [
        "one thread",
        "numbers",
        "Hansa, ms",
        "Flower, ms",
        "times faster",
        "GB/s float32-eq.",
        "target, full size",
    ]
    notes = [f"Processor time, best of {times} runs; {load()}. Kernels: {'compiled' if kernels.native() else 'numpy'}."]
    if offered("flwr") is None:
        notes.append(f"Flower is not installed: {INSTALL}")
    speed = Section(f"Aggregation beside {_flower()}", columns, [item.row() for item in found], notes, 1)
    memory = Section(
        "Peak memory of a whole process that takes the mean, updates read from files",
        ["", "MB", "target, full size"],
        [[f"50 × {25 * MILLION // scale:,} int8", peak / 1e6, "< 500"]],
        ["Interpreter, model and new model are in it; the file is one, each update a window of it of its own."],
        0,
    )
    plot = Plot(
        "Aggregation, one thread",
        "milliseconds of processor time",
        [item.what for item in found],
        {
            "Hansa (int8, exact)": [1000 * item.ours for item in found],
            _flower(): [1000 * item.theirs if item.theirs else None for item in found],
        },
    )
    return Report("aggregation", quick, [speed, memory], plots=[plot])


def _means(size: int, times: int) -> Iterator[Measured]:
    n = 10
    model, updates = _made(n, size)
    flower = offered("flwr.server.strategy.aggregate")
    seconds = cheapest(times, lambda: aggregation.aggregate("mean", model, updates, [1] * n, [256] * n))
    theirs = None
    if flower is not None:
        results = [([update[NAME].astype(np.float32)], 1) for update in updates]
        theirs = cheapest(times, lambda: flower.aggregate(results))
    yield Measured("mean", n, size, seconds, theirs, "≥ 35 GB/s")
    if flower is not None:
        sent = _fit_results(results)
        del results
        in_place = cheapest(times, lambda: flower.aggregate_inplace(sent))
        yield Measured("mean, Flower's in place", n, size, seconds, in_place, "")
        del sent
    words = [np.ascontiguousarray(update[NAME][: size // 8 * 8]).view(np.uint64) for update in updates]
    yield Measured("(a plain read of the int8)", n, size, cheapest(times, lambda: [np.max(w) for w in words]), None, "")
    total = cheapest(times, lambda: [w.sum(dtype=np.uint64) for w in words])
    yield Measured("(the same, summed as words)", n, size, total, None, "")


def _robust(size: int, times: int) -> Iterator[Measured]:
    n = 50
    model, updates = _made(n, size)
    flower = offered("flwr.server.strategy.aggregate")
    results = [([update[NAME].astype(np.float32)], 1) for update in updates] if flower is not None else []
    clips = [256 - i for i in range(n)]

    def ours(rule: str) -> float:
        return cheapest(times, lambda: aggregation.aggregate(rule, model, updates, [1] * n, clips))

    def theirs(work: Callable[[Any], object]) -> float | None:
        return cheapest(max(2, times // 3), lambda: work(flower)) if flower is not None else None

    yield Measured("median", n, size, ours("median"), theirs(lambda peer: peer.aggregate_median(results)), "≤ 50 ms")
    trimmed = theirs(lambda peer: peer.aggregate_trimmed_avg(results, 0.3))
    yield Measured("trimmed mean", n, size, ours("trimmed_mean"), trimmed, "≤ 50 ms")
    distances = cheapest(times, lambda: geometry.dot_products(updates, updates, model.k))
    vectors = [tensors for tensors, _ in results]
    peer = theirs(lambda peer: peer._compute_distances(vectors))
    yield Measured("all distances (exact dot products)", n, size, distances, peer, "≤ 130 ms")
    yield Measured("nearest-neighbour trimmed mean", n, size, ours("nnm_trimmed_mean"), None, "")


def cheapest(times: int, work: Callable[[], object]) -> float:
    """Processor seconds, of all threads, of the cheapest run.

    On an idle machine those of one thread are those of the clock; on a busy one other programs' turns don't count.
    """
    return best(times, work, time.process_time)


def _made(n: int, size: int) -> tuple[Model, list[dict[str, NDArray[np.int8]]]]:
    random = np.random.default_rng(1)
    model = initial_model({NAME: random.normal(0, 0.05, size).astype(np.float32)}, bits=8)
    return model, [{NAME: random.integers(-127, 128, size, np.int8)} for _ in range(n)]


def _fit_results(results: Sequence[tuple[list[NDArray[np.float32]], int]]) -> list[tuple[None, Any]]:
    common = offered("flwr.common")
    assert common is not None
    status = common.Status(common.Code.OK, "")
    return [
        (None, common.FitRes(status, common.ndarrays_to_parameters(tensors), number, {})) for tensors, number in results
    ]


def _flower() -> str:
    package = offered("flwr")
    return f"Flower {package.__version__}" if package is not None else "Flower (not installed)"


class Window(Mapping[str, NDArray[np.int8]]):
    """One update that stays on disk: its bytes are mapped for each block anew."""

    def __init__(self, path: Path, offset: int, size: int) -> None:
        self._place = (path, offset, size)

    def __getitem__(self, name: str) -> NDArray[np.int8]:
        path, offset, size = self._place
        return np.memmap(path, np.int8, "r", offset=offset, shape=(size,))

    def __iter__(self) -> Iterator[str]:
        yield NAME

    def __len__(self) -> int:
        return 1


def peak_memory(n: int, size: int) -> int:
    """Bytes that a process of its own had in memory at most while it aggregated; raises FatalError if it failed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "updates"
        np.random.default_rng(1).integers(-127, 128, size + 4096 * n, np.int8).tofile(path)
        command = [sys.executable, "-m", "benchmarks.aggregation", str(path), str(n), str(size)]
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FatalError("the process that measures memory failed", cause=done.stderr.strip().splitlines()[-1])
    return int(done.stdout)


def _aggregate_from(path: Path, n: int, size: int) -> int:
    updates = [Window(path, 4096 * i, size) for i in range(n)]
    random = np.random.default_rng(1)
    model = Model({NAME: random.random(size, np.float32) + 1}, job=0, round=0, parent=None, bits=8, k=(8,))
    aggregation.aggregate("mean", model, updates, [1] * n, [256] * n)
    return most_in_memory()


def most_in_memory() -> int:
    """Of this process alone: what getrusage says starts with its parent's."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise FatalError("this system does not say how much memory a process had", next_step="measure on Linux")


if __name__ == "__main__":
    print(_aggregate_from(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
