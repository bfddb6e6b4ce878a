"""What each rule loses to each attack: points of test accuracy below the same job without the attackers.

"Without" is a job of the honest trainers alone: of 20 with 6 attackers, the other 14, with the same rows and seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np

from benchmarks import flowered, poison, worlds
from benchmarks.cells import Cells
from benchmarks.report import Cell, Plot, Report, Section
from benchmarks.simulate import Job, play
from benchmarks.worlds import World
from hansa.protocol.aggregation import RULES

DEFAULT = "validated_mean"
TARGETS = {0.3: "≤ 4", 0.2: "≤ 2.5", 0.25: "≤ 2.5"}
ROUNDS_STEPS = {"heart": (15, 100), "mnist": (8, 15)}


@dataclass(frozen=True)
class Arena:
    """A number of trainers, so many of them bad, for so many rounds of so many steps."""

    task: str
    alpha: str
    trainers: int
    bad: int
    rounds: int
    steps: int
    seeds: int

    @property
    def title(self) -> str:
        split = {"": "hospitals", "0.5": "Dirichlet 0.5", "1000": "even"}[self.alpha]
        return f"{self.task}, {split}: {self.bad} bad of {self.trainers}, {self.rounds} rounds of {self.steps} steps"

    def world(self, seed: int) -> World:
        return _world(self.task, self.alpha, self.trainers, seed)

    @property
    def target(self) -> str:
        return TARGETS.get(self.bad / self.trainers, "")

    @property
    def attacks(self) -> list[str]:
        return [name for name in poison.attacks(self.bad) if name != "backdoor" or self.task == "mnist"]

    def cell(self, rule: str, attack: str | None, seed: int) -> str:
        return f"{self.title} | {rule} | {attack or 'nobody'} | seed {seed}"


@cache
def _world(task: str, alpha: str, trainers: int, seed: int) -> World:
    world = worlds.heart(seed, trainers) if task == "heart" else worlds.mnist(seed, trainers, alpha)
    return worlds.remembering(world)


def arenas(quick: bool, tasks: Sequence[str], seeds: int | None) -> list[Arena]:
    """Those that a target is about first."""
    found = []
    if "heart" in tasks:
        found.append(Arena("heart", "", 4, 1, *ROUNDS_STEPS["heart"], seeds or (2 if quick else 8)))
    if "mnist" in tasks:
        effort = (4, 10) if quick else ROUNDS_STEPS["mnist"]
        places = [("0.5", 6), ("0.5", 4), ("1000", 6), ("1000", 4), ("0.5", 2), ("1000", 2)]
        for alpha, bad in places[:1] if quick else places:
            found.append(Arena("mnist", alpha, 20, bad, *effort, seeds or (1 if quick else 3)))
    return found


def run(
    quick: bool,
    tasks: Sequence[str] = ("heart", "mnist"),
    seeds: int | None = None,
    rules: Sequence[str] | None = None,
    cells: Path | None = None,
    minutes: float | None = None,
) -> Report:
    """rules: also Flower's, where it is installed. minutes: stops measuring then, and reports what there is."""
    found, report = Cells(cells), Report("attacks", quick, [])
    chosen = list(rules or [*RULES, *flowered.installed()])
    if quick and rules is None:
        chosen = [DEFAULT, "mean", *flowered.installed()[:1]]
    places = arenas(quick, tasks, seeds)
    found.fill(_wanted(places, chosen), minutes * 60 if minutes is not None else None)
    for arena in places:
        section, plot = _shown(arena, chosen, found)
        report.sections.append(section)
        if plot.series:
            report.plots.append(plot)
    return report


def _wanted(places: Sequence[Arena], rules: Sequence[str]) -> Iterator[tuple[str, Callable[[], list[float]]]]:
    """The default rule everywhere; then the others, one seed after the other."""
    passes = [(rule, arena, seed) for rule in rules for arena in places for seed in _seeds(arena)]
    passes.sort(key=lambda item: (item[0] != DEFAULT, item[2] if item[0] != DEFAULT else 0))
    for rule, arena, seed in passes:
        for attack in (None, *arena.attacks):
            yield arena.cell(rule, attack, seed), partial(_measured, arena, rule, seed, attack)


def _measured(arena: Arena, rule: str, seed: int, attack: str | None) -> list[float]:
    """Test accuracy after the last round, and how often the backdoor opens (0 for other attacks), both in %."""
    world = arena.world(seed)
    job = Job(world, poison.players(world, arena.bad, attack), arena.rounds, arena.steps, seed)
    if rule in RULES:
        final = play(replace(job, rule=rule)).models[-1].tensors
    else:
        final = flowered.play(job, rule, arena.bad if attack else 0)
    return [100 * world.metric(final), 100 * poison.backdoor_success(world, final) if attack == "backdoor" else 0.0]


def _shown(arena: Arena, rules: Sequence[str], found: Cells) -> tuple[Section, Plot]:
    lost = {rule: {name: _lost(arena, rule, name, found) for name in arena.attacks} for rule in rules}
    quiet = [_mean([found.found[c][0] for c in _cells(arena, rule, None, found)]) for rule in rules]
    rows: list[list[Cell]] = [["without the bad ones: accuracy, %", "", *quiet]]
    for name in arena.attacks:
        target = arena.target if name in poison.EIGHT else ""
        rows.append([name, target, *(_mean(lost[rule][name]) for rule in rules)])
    worst = [_worst([_mean(lost[rule][name]) for name in poison.EIGHT]) for rule in rules]
    rows.append(["worst of the first eight", arena.target, *worst])
    one = [_worst([max(lost[rule][name], default=None) for name in poison.EIGHT]) for rule in rules]
    rows.append(["the same, its worst seed", "", *one])
    if "backdoor" in arena.attacks:
        opened = [_mean([found.found[c][1] for c in _cells(arena, rule, "backdoor", found)]) for rule in rules]
        rows.append(["backdoor: % of marked images taken for 0", "", *opened])
    rows.append(["seeds", "", *(min(len(lost[rule][name]) for name in arena.attacks) for rule in rules)])
    notes = [
        f"Points of test accuracy lost against the {arena.trainers - arena.bad} honest trainers alone, mean over the "
        f"seeds; the target is for {DEFAULT}."
    ]
    section = Section(arena.title, ["points lost to", "target", *rules], rows, notes, 1)
    measured = [rule for rule in rules if any(lost[rule].values())]
    series = {rule: [_mean(lost[rule][name]) for name in arena.attacks] for rule in measured}
    return section, Plot(arena.title, "points of accuracy lost", arena.attacks, series)


def _lost(arena: Arena, rule: str, attack: str, found: Cells) -> list[float]:
    """Points, of every seed that was measured with and without."""
    results = found.found
    pairs = [(arena.cell(rule, None, seed), arena.cell(rule, attack, seed)) for seed in _seeds(arena)]
    return [results[quiet][0] - results[loud][0] for quiet, loud in pairs if quiet in results and loud in results]


def _cells(arena: Arena, rule: str, attack: str | None, found: Cells) -> list[str]:
    names = [arena.cell(rule, attack, seed) for seed in _seeds(arena)]
    return [name for name in names if name in found.found]


def _seeds(arena: Arena) -> range:
    return range(1, arena.seeds + 1)


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _worst(values: Sequence[float | None]) -> float | None:
    return None if None in values else max(value for value in values if value is not None)
