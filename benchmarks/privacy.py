"""What differential privacy costs heart's model, what members' own rows change, and what an update tells of its rows:
to a member, behind masks, and with noise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import accounts, told, worlds
from benchmarks.private import DELTA, under_budget
from benchmarks.report import Cell, Plot, Report, Section
from benchmarks.simulate import History, Job, Player, play
from client.privacy.accountant import epsilon_of, mu_squared_of, sigma_for
from hansa.tasks.heart import HOSPITALS

EPSILONS = (8.0, 4.0, 2.0, 1.0)
ROUNDS, STEPS = 15, 100


def run(quick: bool, seeds: int | None = None) -> Report:
    count = seeds or (1 if quick else 5)
    report = Report("privacy", quick, [])
    jobs = [_job(seed) for seed in range(1, count + 1)]
    utility, plot = _utility(jobs)
    report.sections += [utility, accounts.section(EPSILONS, ROUNDS, DELTA), _validation(jobs)]
    report.plots.append(plot)
    report.sections += told.sections(quick, drawn=Path("reports"))
    return report


def _job(seed: int, parties: int = 4) -> Job:
    world = worlds.heart(seed, parties)
    players = tuple(Player(name, rows) for name, rows in zip(world.task.parties(), world.rows, strict=True))
    return Job(world, players, ROUNDS, STEPS, seed)


def _accuracy(history: History) -> float:
    """Of the last model, mean over the hospitals' test rows, per cent."""
    return 100 * history.job.world.task.scores(history.models[-1].tensors).mean


# --- what a budget costs


def _utility(jobs: list[Job]) -> tuple[Section, Plot]:
    found: dict[str, list[float]] = {"no budget": [_accuracy(play(job)) for job in jobs]}
    for epsilon in EPSILONS:
        found[f"ε {epsilon:g}"] = [_accuracy(play(under_budget(job, epsilon))) for job in jobs]
    found["ε 8, unit party"] = [_accuracy(play(under_budget(job, 8.0, "party"))) for job in jobs]
    own = [job.world.task.baselines(steps=ROUNDS * STEPS, seed=job.seed) for job in jobs]
    for name in ("local_own", "local_all", "pooled", "majority"):
        found[OWN[name]] = [100 * each[name].mean for each in own]
    rows = [_line(name, values) for name, values in found.items()]
    sigmas = ", ".join(f"{sigma_for(mu_squared_of(each, DELTA), ROUNDS):.2f} (ε {each:g})" for each in EPSILONS)
    two = epsilon_of(4 * mu_squared_of(2.0, DELTA), DELTA)
    notes = [
        f"Each hospital's own budget over {ROUNDS} rounds, δ {DELTA:g}, unit row, clip 1, one full-batch step a round.",
        f"Noise in clips: {sigmas}. ε 2 is {two:.2f} where a row is exchanged for another.",
        f"Through clipping, exact integers of 8 bits and validated_mean; {len(jobs)} seeds of splits and noise.",
        "Validation rows, a fifth of each hospital's, are with the members in clear: the budget does not cover them.",
    ]
    columns = ["", "test accuracy, %", "± over seeds", "worst seed"]
    title = f"heart, four hospitals: what a privacy budget costs ({len(jobs)} seeds)"
    means = {"accuracy": [float(np.mean(values)) for values in found.values()]}
    return Section(title, columns, rows, notes), Plot("heart under a privacy budget", "accuracy, %", list(found), means)


OWN = {
    "local_own": "own model, own rows",
    "local_all": "own model, all hospitals' rows",
    "pooled": "all rows pooled",
    "majority": "commonest answer",
}


def _line(name: str, values: list[float]) -> list[Cell]:
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return [name, float(np.mean(values)), spread, float(min(values))]


# --- whose rows members measure on


def _validation(jobs: list[Job]) -> Section:
    everyone = list(range(len(HOSPITALS)))
    ways: dict[str, list[int] | None] = {"dealt, 3 members": None, "own, a member each": everyone}
    for without in everyone:
        ways[f"own, none of {HOSPITALS[without]}"] = [place for place in everyone if place != without]
    rows: list[list[Cell]] = []
    for name, members in ways.items():
        histories = [play(_measured_by(job, members)) for job in jobs]
        shares = np.mean([_shares(history) for history in histories], axis=0)
        rows.append([name, float(np.mean([_accuracy(history) for history in histories])), *map(float, shares)])
    notes = [
        "Own: a member measures on what its hospital has held back, and no row leaves a hospital.",
        "Pay follows the rows of whoever sits: who has no member is paid less than where all have one.",
    ]
    columns = ["members' rows", "test accuracy, %", *(f"pay of {name}, %" for name in HOSPITALS)]
    return Section(f"heart: rows dealt out, or members' own ({len(jobs)} seeds)", columns, rows, notes, 1)


def _measured_by(job: Job, members: list[int] | None) -> Job:
    """The job whose members are those of these hospitals; None: three with rows of all."""
    if members is None:
        return job
    world: Any = job.world
    own = tuple(world.task.everyone[place].held for place in members)
    made = worlds.OwnWorld(world.task, world.rows, world.held, world.test, world.labels, own)
    return replace(job, world=made, seats=len(members))


def _shares(history: History) -> list[float]:
    totals = history.totals()
    return [100 * totals[name] / max(1, sum(totals.values())) for name in HOSPITALS]
