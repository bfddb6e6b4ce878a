"""What each rule loses to each attack: points of test accuracy below the same job without the attackers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks import poison, worlds
from benchmarks.report import Cell, Plot, Report, Section
from benchmarks.simulate import Job, play
from benchmarks.worlds import World
from protocol.rules import RULES

DEFAULT = "validated_mean"
TARGETS = {0.3: "≤ 4", 0.2: "≤ 2.5", 0.25: "≤ 2.5"}


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
        split = {"heart": "hospitals", "0.5": "Dirichlet 0.5", "1000": "even"}[
            self.task if self.task == "heart" else self.alpha
        ]
        return f"{self.task}, {split}: {self.bad} bad of {self.trainers}, {self.rounds} rounds, {self.seeds} seeds"

    def world(self, seed: int) -> World:
        if self.task == "heart":
            return worlds.heart(seed, self.trainers)
        return worlds.mnist(seed, self.trainers, self.alpha)

    @property
    def target(self) -> str:
        return TARGETS.get(self.bad / self.trainers, "")


def arenas(quick: bool, tasks: Sequence[str], seeds: int | None) -> list[Arena]:
    found = []
    if "heart" in tasks:
        found.append(Arena("heart", "", 4, 1, 15, 100, seeds or (2 if quick else 8)))
    if "mnist" in tasks:
        effort = (8, 15) if quick else (15, 20)
        for alpha in ("0.5",) if quick else ("0.5", "1000"):
            for bad in (6, 4) if quick else (6, 4, 2):
                found.append(Arena("mnist", alpha, 20, bad, *effort, seeds or (1 if quick else 3)))
    return found


def run(
    quick: bool,
    tasks: Sequence[str] = ("heart", "mnist"),
    seeds: int | None = None,
    rules: Sequence[str] | None = None,
) -> Report:
    report = Report("attacks", quick, [])
    for arena in arenas(quick, tasks, seeds):
        chosen = rules or ([DEFAULT, "mean"] if quick and arena.task == "mnist" else list(RULES))
        section, plot = _measured(arena, chosen)
        report.sections.append(section)
        report.plots.append(plot)
    return report


def _measured(arena: Arena, rules: Sequence[str]) -> tuple[Section, Plot]:
    names = [name for name in poison.attacks(arena.bad) if name != "backdoor" or arena.task == "mnist"]
    quiet = {rule: [_accuracy(arena, rule, seed, None)[0] for seed in _seeds(arena)] for rule in rules}
    lost: dict[str, dict[str, float]] = {name: {} for name in names}
    fooled: list[Cell] = ["backdoor: % of marked images taken for 0", ""]
    for rule in rules:
        for name in names:
            found = [_accuracy(arena, rule, seed, name) for seed in _seeds(arena)]
            lost[name][rule] = 100 * float(np.mean(quiet[rule]) - np.mean([accuracy for accuracy, _ in found]))
            if name == "backdoor":
                fooled.append(100 * float(np.mean([success for _, success in found])))
    rows: list[list[Cell]] = [["without the bad ones: accuracy, %", ""]]
    rows[0] += [100 * float(np.mean(quiet[rule])) for rule in rules]
    for name in names:
        target = arena.target if name in poison.EIGHT else ""
        rows.append([name, target, *(lost[name][rule] for rule in rules)])
    rows.append(["worst of the first eight", arena.target])
    rows[-1] += [max(lost[name][rule] for name in poison.EIGHT) for rule in rules]
    if "backdoor" in names:
        rows.append(fooled)
    notes = [f"Points of test accuracy lost, mean over the seeds; the target is for {DEFAULT}."]
    section = Section(arena.title, ["points lost to", "target", *rules], rows, notes, 1)
    series = {rule: [lost[name][rule] for name in names] for rule in rules}
    return section, Plot(arena.title, "points of accuracy lost", names, series)


def _seeds(arena: Arena) -> range:
    return range(1, arena.seeds + 1)


def _accuracy(arena: Arena, rule: str, seed: int, attack: str | None) -> tuple[float, float]:
    """Test accuracy after the last round, and how often the backdoor opens (0 for other attacks)."""
    world = arena.world(seed)
    players = poison.players(world, arena.bad, attack)
    final = play(Job(world, players, arena.rounds, arena.steps, seed, rule=rule)).models[-1].tensors
    return world.metric(final), poison.backdoor_success(world, final) if attack == "backdoor" else 0.0
