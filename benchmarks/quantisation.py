"""8 and 16 bits beside float32: the model that comes out, the bytes that are sent, what rounding costs.

Float32 is plain federated averaging of the same trainers with the same seeds (McMahan et al. 2017, algorithm 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks import worlds
from benchmarks.deltas import Delta, Vector, flat, length
from benchmarks.report import Cell, Plot, Report, Section
from benchmarks.simulate import Behaviour, Job, Player, View, averaged, play
from benchmarks.worlds import World
from hansa.protocol.model import Model, Update, initial_model, quantise
from hansa.protocol.types import CycleId, JobId
from hansa.tasks import load_task

WIDTHS = {"float32": 0, "8 bits": 8, "16 bits": 16}  # bits; 0: no integers
Found = tuple[float, float, float]
"""Accuracy, test loss and relative rounding error of one seed."""
ROUNDS = {"heart": 15, "mnist": 15}
STEPS = {"heart": 100, "mnist": 50}


def run(quick: bool, tasks: Sequence[str] = ("heart", "mnist"), seeds: int | None = None) -> Report:
    report = Report("quantisation", quick, [])
    count = seeds or (2 if quick else 8)
    for task in tasks:
        rounds = ROUNDS[task] // 3 if quick else ROUNDS[task]
        jobs = [_job(task, seed, rounds) for seed in range(1, count + 1)]
        found = {line: [_measured(job, bits) for job in jobs] for line, bits in WIDTHS.items()}
        report.sections.append(_section(task, rounds, count, found))
        accuracy = {"accuracy": [100 * float(np.mean([a for a, _, _ in lines])) for lines in found.values()]}
        report.plots.append(Plot(f"{task}, {rounds} rounds", "test accuracy, %", list(found), accuracy))
    return report


def _job(task: str, seed: int, rounds: int) -> Job:
    world: World = worlds.heart(seed) if task == "heart" else worlds.mnist(seed, 4)
    players = tuple(Player(f"trainer {i}", rows) for i, rows in enumerate(world.rows))
    return Job(world, players, rounds, STEPS[task], seed, rule="mean")


def _measured(job: Job, bits: int) -> Found:
    errors: list[float] = []
    if bits:
        players = tuple(replace(player, act=_watched(errors)) for player in job.players)
        final = play(replace(job, bits=bits, players=players)).models[-1].tensors
    else:
        final = averaged(job, range(len(job.players)))
    return job.world.metric(final), -job.world.likelihood(final), float(np.mean(errors or 0.0))


def _watched(errors: list[float]) -> Behaviour:
    """Honest work; notes how much of each update rounding and clipping took."""

    def act(view: View) -> Delta | None:
        delta = view.train()
        errors.append(_lost(delta, view))
        return delta

    return act


def _lost(delta: Delta, view: View) -> float:
    exact: Vector = flat(delta)
    exponents = dict(zip(view.model.names, view.model.k, strict=True))
    sent = quantise(delta, view.model)
    rounded = np.concatenate(
        [np.ldexp(sent[name].ravel().astype(np.float64), -exponents[name]) for name in sorted(sent)]
    )
    return length(exact - rounded) / max(length(exact), 1e-300)


def _section(task: str, rounds: int, seeds: int, found: dict[str, list[Found]]) -> Section:
    start, rows = load_task(task, {}, 1).model(), list[list[Cell]]()
    for line, values in found.items():
        accuracy, loss, error = np.array(values).T
        gap = 100 * (accuracy - np.array([a for a, _, _ in found["float32"]]))
        size = _bytes(initial_model(start, bits)) if (bits := WIDTHS[line]) else sum(x.nbytes for x in start.values())
        cells: list[Cell] = [float(gap.mean()), float(gap.min()), float(loss.mean()), 100 * float(error.mean()), size]
        rows.append([line, 100 * float(accuracy.mean()), *cells])
    columns = ["", "accuracy, %", "− float32", "worst seed", "test loss", "lost in integers, %", "bytes an update"]
    notes = [
        "Lost: by rounding, and by the integers' range before k has settled.",
        "Clipping of long updates is part of the job, not of float32's plain averaging.",
    ]
    return Section(f"Quantisation, {task}: {rounds} rounds, {seeds} seeds", columns, rows, notes, 3)


def _bytes(model: Model) -> int:
    """Of an update's file, before it is sealed."""
    zeros = quantise({name: np.zeros_like(value) for name, value in model.tensors.items()}, model)
    return len(Update(zeros, JobId(1), CycleId(1), Player("anyone", None).address).encode())
