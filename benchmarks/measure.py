"""What it takes a validator to measure the updates of one cycle: processor seconds, and memory beside what it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from aggregator.measure import measure
from benchmarks.aggregation import cheapest, most_in_memory
from benchmarks.report import Cell, Report, Section, load
from benchmarks.synthetic import Synthetic
from hansa.protocol import aggregation, kernels
from hansa.protocol.model import Model, initial_model
from hansa.runtime.memory import give_back_large

MILLION = 10**6
EARLIER = 4  # models whose ways to the present one are no news, from round 4 on


def run(quick: bool, trainers: int = 10, parameters: int | None = None) -> Report:
    give_back_large()
    size = parameters or (MILLION if quick else 25 * MILLION)
    random, task = np.random.default_rng(1), Synthetic({"parameters": size}, 1)
    model, data = initial_model(task.model(), 8), task.validation(0, 1)
    updates = [
        {name: random.integers(-90, 90, values.shape, np.int8) for name, values in model.tensors.items()}
        for _ in range(trainers)
    ]
    earlier = [_moved(model, random) for _ in range(EARLIER)]
    weights, times, start = [1] * trainers, 3 if quick else 2, most_in_memory()

    def measured(known: list[Model]) -> Callable[[], object]:
        return lambda: measure(task, data, model, known, updates, weights)

    works: list[tuple[str, Callable[[], object], str]] = [
        ("round 1", measured([]), ""),
        (f"later, with {EARLIER} models before", measured(earlier), "≤ 1.2"),
        ("  of it one gradient of the made-up task", lambda: task.gradient(model.tensors, data), ""),
        ("  of it the mean", lambda: aggregation.aggregate("mean", model, updates, weights, [256] * trainers), ""),
    ]
    rows: list[list[Cell]] = [[what, cheapest(times, work), target] for what, work, target in works]
    beside = (most_in_memory() - start) / 1e6
    notes = [
        f"Best of {times} runs; {load()}. Kernels: {'compiled' if kernels.native() else 'numpy'}.",
        f"Peak memory beside updates and models: {beside:.0f} MB, {beside * 1e6 / (4 * size):.1f} × the float32 model.",
    ]
    title = f"Measuring {trainers} × {size:,} int8, one thread"
    return Report("measure", quick, [Section(title, ["", "CPU s", "target, full size"], rows, notes)])


def _moved(model: Model, random: np.random.Generator) -> Model:
    moved = {
        name: values + np.float32(1e-3) * random.random(values.shape, np.float32)
        for name, values in model.tensors.items()
    }
    return replace(model, tensors=moved)
