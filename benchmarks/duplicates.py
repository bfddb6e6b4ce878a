"""Who is called a duplicate: honest trainers of six tasks, and a twin who sends the first one's update once more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import worlds
from benchmarks.cells import Cells
from benchmarks.deltas import Delta, flat, length
from benchmarks.report import Cell, Report, Section
from benchmarks.simulate import Behaviour, History, Job, Player, View, play
from benchmarks.worlds import World
from hansa.protocol import geometry
from hansa.protocol.types import UNIT, Code

ROUNDS = {"tutorial": 5, "heart": 5, "maintenance": 4, "traffic": 3, "mnist": 2, "digits": 5}
STEPS = {"tutorial": 50, "heart": 100, "maintenance": 200, "traffic": 200, "mnist": 100, "digits": 20}
PARTIES = 6  # of mnist and digits, with rows of one kind
TWINS = 3
"""Jobs with a twin are played for so many seeds only."""
ORIGINAL, TWIN = "trainer 0", "twin"


def run(
    quick: bool, tasks: Sequence[str] = tuple(ROUNDS), seeds: int | None = None, cells: Path | None = None
) -> Report:
    found, count = Cells(cells), seeds or (2 if quick else 20)
    for task in tasks:
        for seed in range(1, count + 1):
            found.fill([(f"honest, {task}, seed {seed}", partial(_honest, task, seed))])
            if seed <= TWINS:
                found.fill((f"{copy}, {task}, seed {seed}", partial(_twin, task, seed, copy)) for copy in COPIES)
    twins = range(1, min(count, TWINS) + 1)
    lines: list[list[Cell]] = [_line(found, task, range(1, count + 1)) for task in tasks]
    copies: list[list[Cell]] = [_copied(found, task, twins, copy) for task in tasks for copy in COPIES]
    ask = f"A duplicate's cosine is above {geometry.ALIKE / UNIT:g}, in models of {geometry.FEWEST} numbers or more."
    earns = "What both names get together, of what the one alone gets; trainers of equal weight."
    return Report(
        "duplicates",
        quick,
        [
            Section(
                f"Honest trainers, {count} seeds",
                ["task", "numbers", "pairs", "largest cosine, round 1", "later", "called duplicates"],
                lines,
                [ask],
                4,
            ),
            Section(
                f"A twin of the first trainer, {len(twins)} seeds",
                ["task, copy", "least cosine", "largest", "rounds", "of them called duplicates", "earns, %"],
                copies,
                [earns],
                4,
            ),
        ],
    )


@dataclass(frozen=True)
class Alike:
    """Every pair's cosine, in units of 1e-9, by round; and how many updates were called duplicates."""

    cosines: list[dict[tuple[int, int], int]]
    called: list[set[str]]


def _alike(history: History) -> Alike:
    cosines, called = [], []
    for model, played in zip(history.models, history.rounds, strict=False):
        products = geometry.dot_products(played.updates, played.updates, model.k)
        norms = products.diagonal()
        pairs = [(i, j) for i in range(len(norms)) for j in range(i) if norms[i] and norms[j]]
        cosines.append({(i, j): geometry.cosine(products[i, j], norms[i], norms[j]) for i, j in pairs})
        codes = zip(played.submitted, played.ledger.judgements, strict=True)
        called.append({name for name, judgement in codes if judgement.code == Code.DUPLICATE})
    return Alike(cosines, called)


def _honest(task: str, seed: int) -> list[float]:
    """Numbers of the model, pairs, largest cosine of round 1 and of those after it, updates called duplicates; what the
    original earns."""
    job = _job(task, seed)
    history = play(job)
    alike = _alike(history)
    first, *later = alike.cosines
    largest = max((cosine for pairs in later for cosine in pairs.values()), default=0)
    counted = sum(len(pairs) for pairs in alike.cosines)
    called = sum(len(names) for names in alike.called)
    return [
        history.models[0].size,
        counted,
        max(first.values()) / UNIT,
        largest / UNIT,
        called,
        history.totals()[ORIGINAL],
    ]


def _line(found: Cells, task: str, seeds: Sequence[int]) -> list[Cell]:
    of = np.array([found.found[f"honest, {task}, seed {seed}"] for seed in seeds])
    return [task, int(of[0, 0]), int(of[:, 1].sum()), of[:, 2].max(), of[:, 3].max(), int(of[:, 4].sum())]


def _twin(task: str, seed: int, copy: str) -> list[float]:
    """Least and largest cosine with the original, rounds, those in which the twin is called a duplicate, what both
    earn."""
    alone = _job(task, seed)
    job = replace(alone, players=(*alone.players, Player(TWIN, None, COPIES[copy](alone))))
    history = play(job)
    alike = _alike(history)
    pair = [pairs[len(alone.players), 0] / UNIT for pairs in alike.cosines]
    paid = history.totals()
    called = sum(TWIN in names for names in alike.called)
    return [min(pair), max(pair), len(pair), called, paid[ORIGINAL] + paid[TWIN]]


def _copied(found: Cells, task: str, seeds: Sequence[int], copy: str) -> list[Cell]:
    of = np.array([found.found[f"{copy}, {task}, seed {seed}"] for seed in seeds])
    both, alone = of[:, 4].sum(), sum(found.found[f"honest, {task}, seed {seed}"][5] for seed in seeds)
    earns = 100 * both / alone if alone else None
    return [f"{task}, {copy}", of[:, 0].min(), of[:, 1].max(), int(of[:, 2].sum()), int(of[:, 3].sum()), earns]


def _job(task: str, seed: int) -> Job:
    world = _world(task, seed)
    players = tuple(Player(f"trainer {i}", rows) for i, rows in enumerate(world.rows))
    return Job(world, players, ROUNDS[task], STEPS[task], seed)


def _world(task: str, seed: int) -> World:
    if task == "mnist":
        return worlds.mnist(seed, PARTIES, alpha="1000")
    if task == "digits":
        return worlds.digits(seed, PARTIES, alpha=1000)
    return worlds.tutorial(seed) if task == "tutorial" else worlds.as_shipped(task, seed)


def _sent(change: float, noise: float, view: View) -> Delta | None:
    """The original's update so many times as long, with noise, as a part of its length."""
    sent = flat(view.others[ORIGINAL])
    return view.sent(change * sent + view.noise(noise * length(sent)))


def _same(change: float, noise: float, job: Job) -> Behaviour:
    return partial(_sent, change, noise)


def _a_step_more(job: Job) -> Behaviour:
    """The original's training, a step longer."""
    longer = replace(job, steps=job.steps + 1)

    def act(view: View) -> Delta | None:
        trained = longer.train(view.model.tensors, view.round, 0)
        return {name: trained[name] - value for name, value in view.model.tensors.items()}

    return act


COPIES: dict[str, Callable[[Job], Behaviour]] = {
    "the same": partial(_same, 1, 0),
    "half as long": partial(_same, 0.5, 0),
    "1 % noise": partial(_same, 1, 0.01),
    "5 % noise": partial(_same, 1, 0.05),
    "one step more": _a_step_more,
}
