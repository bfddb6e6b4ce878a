"""The peer: Flower's own aggregation functions over the same players, rows and seeds, in float32, as Flower has it.

Flower's robust strategies are told how many attackers there are, and get the same weight for everybody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.peers import offered
from benchmarks.simulate import Job, deltas_of
from hansa.protocol.model import Model, initial_model
from hansa.tasks.base import Params

MODULE = "flwr.server.strategy.aggregate"
Aggregate = Callable[[Any, Any, int, int], Any]

STRATEGIES: dict[str, Aggregate] = {  # (Flower's module, results, trainers, attackers) → the new parameters
    "Flower FedAvg": lambda flower, results, n, bad: flower.aggregate(results),
    "Flower FedMedian": lambda flower, results, n, bad: flower.aggregate_median(results),
    "Flower FedTrimmedAvg": lambda flower, results, n, bad: flower.aggregate_trimmed_avg(results, bad / n),
    "Flower Multi-Krum": lambda flower, results, n, bad: flower.aggregate_krum(results, bad, n - bad),
}


def installed() -> list[str]:
    """The names of the strategies that can be measured here."""
    return list(STRATEGIES) if offered(MODULE) is not None else []


def play(job: Job, strategy: str, bad: int) -> Params:
    """The parameters after the job's last round; `bad` of its players are attackers."""
    flower, names = offered(MODULE), sorted(job.world.task.model())
    model, previous = initial_model(job.world.task.model(), job.bits), None
    memories: dict[str, dict[str, Any]] = {player.name: {} for player in job.players}
    for number in range(1, job.rounds + 1):
        deltas = deltas_of(job, number, model, previous, memories)
        sent = [
            ([model.tensors[name] + delta[name] for name in names], 1) for delta in deltas.values() if delta is not None
        ]
        found = STRATEGIES[strategy](flower, sent, len(sent), bad)
        tensors = {name: np.asarray(value, np.float32) for name, value in zip(names, found, strict=True)}
        model, previous = _following(model, tensors, number), model
    return model.tensors


def _following(model: Model, tensors: Params, number: int) -> Model:
    return replace(model, tensors=tensors, round=number)
