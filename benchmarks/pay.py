"""Who is paid what: riders, the absent, the split and liars, under four pay rules; and pay beside exact Shapley."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks import payrules, shapley, worlds
from benchmarks.cells import Cells
from benchmarks.payscenarios import Scenario, Setting, scenarios
from benchmarks.report import Cell, Plot, Report, Section
from benchmarks.simulate import History, Job, Player, play
from benchmarks.worlds import World

PARTIES = {"digits": 6, "heart": 4, "mnist": 6}
ROUNDS = {"digits": 15, "heart": 15, "mnist": 10}
STEPS = {"digits": 20, "heart": 100, "mnist": 20}
WORST_NOISE = 0.6
HOLDS = {"heart": "four hospitals"} | dict.fromkeys(("digits", "mnist"), "six trainers, Dirichlet 0.5")
RULES = list(payrules.RULES)


def run(
    quick: bool,
    tasks: Sequence[str] = ("digits", "mnist", "heart"),
    seeds: int | None = None,
    seats: Sequence[int] | None = None,
    cells: Path | None = None,
) -> Report:
    found = Cells(cells)
    seats = seats or ((3,) if quick else (3, 5))
    count = seeds or (2 if quick else 8)
    report = Report("pay", quick, [])
    for task in tasks:
        table = Table()
        for seed in range(1, count + 1):
            for size in seats:
                _measured(found, table, task, seed, size)
        report.sections += [table.section(task, count, size) for size in seats]
        report.plots.append(table.plot(task, seats[0]))
        report.sections.append(_beside_shapley(found, task, quick, count))
    return report


@dataclass
class Parts:
    """A subject's pay and what it is compared with, one item a seed."""

    pay: list[float]
    of: list[float]

    @property
    def percent(self) -> float:
        return 100 * sum(self.pay) / sum(self.of) if sum(self.of) else 0.0

    @property
    def worst(self) -> float:
        """The largest of the seeds whose reference is not 0."""
        return max((100 * pay / of for pay, of in zip(self.pay, self.of, strict=True) if of), default=0.0)


class Table:
    """Lines by scenario; in each, by committee size and rule, the parts of every seed."""

    def __init__(self) -> None:
        self.lines: dict[str, tuple[str, dict[tuple[int, str], Parts]]] = {}

    def add(self, line: str, target: str, seats: int, rule: str, pay: float, of: float) -> None:
        _, cells = self.lines.setdefault(line, (target, defaultdict(lambda: Parts([], []))))
        cells[seats, rule].pay.append(pay)
        cells[seats, rule].of.append(of)

    def section(self, task: str, seeds: int, seats: int) -> Section:
        columns = ["% of all pay, or of the trainer's own when honest", "target", *RULES, "shipped, worst seed"]
        rows: list[list[Cell]] = []
        for line, (target, cells) in self.lines.items():
            if (seats, "shipped") in cells:
                shown = not line.endswith("(own)")  # some earn next to nothing
                worst = cells[seats, "shipped"].worst if shown else None
                rows.append([line, target, *(cells[seats, rule].percent for rule in RULES), worst])
        title = f"Pay, {task}: {HOLDS[task]}, {seats} validators; {seeds} seeds, {ROUNDS[task]} rounds"
        return Section(title, columns, rows, ["All seeds together. The target is for the shipped rule."], 1)

    def plot(self, task: str, seats: int) -> Plot:
        series: dict[str, Sequence[float | None]] = {
            rule: [cells[seats, rule].percent for _, cells in self.lines.values()] for rule in RULES
        }
        return Plot(f"{task}, {seats} validators", "% (see the table)", list(self.lines), series)


def _measured(found: Cells, table: Table, task: str, seed: int, seats: int) -> None:
    """Adds a seed's lines to the table, from the cells where they hold all of them: the last is that of this name."""
    name = f"pay, {task}, {seats} validators, seed {seed}"
    if name not in found.found:
        played = Table()
        _fill(played, Setting(_uneven(task, seed), *_effort(task), seed, seats))
        _luck(played, Setting(_even(task, seed), *_effort(task), seed, seats))
        for line, (target, parts) in played.lines.items():
            values = [float(x) for rule in RULES for x in (*parts[seats, rule].pay, *parts[seats, rule].of)]
            found.keep(f"{name}\t{line}\t{target}", values)
        found.keep(name, [])
    for cell, values in found.found.items():
        setting, *labels = cell.split("\t")
        if setting == name and labels:
            line, target = labels
            for rule, pay, of in zip(RULES, values[::2], values[1::2], strict=True):
                table.add(line, target, seats, rule, pay, of)


def _fill(table: Table, setting: Setting) -> None:
    reference = play(setting.honest())
    for rule in RULES:
        paid = payrules.by_round(reference, rule)
        nobody = sum(not any(line.values()) for line in paid)
        table.add("rounds of an honest job that pay nobody", "0", setting.seats, rule, nobody, len(paid))
        got, gains = payrules.totals(reference, rule), payrules.measured(reference)
        apart = shapley.distance(list(got.values()), [gains[name] for name in got])
        table.add("pay out of proportion to measured gain", "≤ 5", setting.seats, rule, apart, 1)
    for scenario in scenarios(setting):
        history = play(scenario.job)
        for rule in RULES:
            _compare(table, scenario, history, reference, rule)


def _compare(table: Table, scenario: Scenario, history: History, reference: History, rule: str) -> None:
    totals = payrules.totals(history, rule)
    mine = sum(totals[name] for name in scenario.subjects)
    if scenario.against == "all pay":
        line, whole = f"{scenario.name} (all)", sum(totals.values())
    else:
        owner = reference.job.players[reference.job.seed % len(reference.job.players)].name
        line, whole = f"{scenario.name} (own)", payrules.totals(reference, rule)[owner]
    table.add(line, scenario.target, scenario.job.seats, rule, mine, whole)


def _luck(table: Table, setting: Setting) -> None:
    """Trainers with rows of one kind: what the luckiest and the unluckiest of them get, as part of an equal share."""
    history = play(setting.honest())
    for rule in RULES:
        totals = payrules.totals(history, rule)
        equal = sum(totals.values()) / len(totals)
        table.add("rows of one kind: smallest share (equal)", "", setting.seats, rule, min(totals.values()), equal)
        table.add("rows of one kind: largest share (equal)", "", setting.seats, rule, max(totals.values()), equal)


def _beside_shapley(found: Cells, task: str, quick: bool, seeds: int) -> Section:
    """Trainers with rows of one kind, of which a growing part has wrong labels."""
    n, times = (4, 3) if quick else (6, 10)
    name = f"Shapley, {task}, n = {n}"
    found.fill((f"{name}, seed {seed}", partial(_compared, task, n, seed)) for seed in range(1, seeds + 1))
    found.fill([(f"{name}, retrained {times} times", lambda: _retrained(_noisy_job(task, n, 1), times))])
    measured = np.array([found.found[f"{name}, seed {seed}"] for seed in range(1, seeds + 1)])
    again = found.found[f"{name}, retrained {times} times"]
    rows: list[list[Cell]] = []
    for place, rule in enumerate([*RULES, "an equal share"]):
        rho, error = measured[:, 2 * place], measured[:, 2 * place + 1]
        rows.append([rule, "≥ 0.93" if rule == "shipped" else "", rho.mean(), rho.min(), error.mean(), error.max()])
    notes = [
        f"n = {n}, 0 to {WORST_NOISE:.0%} of the labels wrong; error: the part of the pay that would change hands.",
        f"shipped, data of seed 1 retrained: mean rank correlation of two trainings' pay {np.mean(again):.2f}, "
        f"least {np.min(again):.2f}",
    ]
    columns = ["pay beside exact Shapley", "target", "ρ, mean", "ρ, least", "error, mean", "error, most"]
    return Section(f"Pay and exact Shapley, {task}; {seeds} seeds", columns, rows, notes, 3)


def _compared(task: str, n: int, seed: int) -> list[float]:
    """Rank correlation and error of each rule's pay in turn, then of an equal share."""
    job = _noisy_job(task, n, seed)
    exact, history = list(shapley.values(job)), play(job)
    pays = [[float(x) for x in payrules.totals(history, rule).values()] for rule in RULES]
    return [
        measure
        for pay in (*pays, [1.0] * n)
        for measure in (shapley.spearman(pay, exact), shapley.distance(pay, exact))
    ]


def _noisy_job(task: str, n: int, seed: int) -> Job:
    world = _even(task, seed, n)
    levels = [WORST_NOISE * i / (n - 1) for i in range(n)]
    players = [
        Player(f"trainer {i}", worlds.noisy(rows, part, world.labels, seed, i))
        for i, (rows, part) in enumerate(zip(world.rows, levels, strict=True))
    ]
    return Job(world, tuple(players), *_effort(task), seed)


def _retrained(job: Job, times: int) -> list[float]:
    """Rank correlations of the pay of each two jobs that differ in the seeds of training alone."""
    pays = []
    for seed in range(101, 101 + times):
        again = Job(job.world, job.players, job.rounds, job.steps, seed, job.seats)
        pays.append([float(x) for x in play(again).totals().values()])
    return [shapley.spearman(a, b) for a, b in combinations(pays, 2)]


def _uneven(task: str, seed: int) -> World:
    if task == "heart":
        return worlds.heart(seed)
    if task == "digits":
        return worlds.digits(seed, PARTIES[task])
    return worlds.mnist(seed, PARTIES[task], rows=1000)


def _even(task: str, seed: int, parties: int | None = None) -> World:
    n = parties or PARTIES[task] + (task == "heart")  # five: four would be the hospitals
    if task == "heart":
        return worlds.heart(seed, n)
    if task == "digits":
        return worlds.digits(seed, n, alpha=1000)
    return worlds.mnist(seed, n, alpha="1000", rows=1000)


def _effort(task: str) -> tuple[int, int]:
    """Rounds and steps of a job."""
    return ROUNDS[task], STEPS[task]
