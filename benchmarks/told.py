"""What an update tells of its rows: tables and pictures of four attacks, and of what Hansa has against them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import worlds
from benchmarks.deltas import Delta, flat
from benchmarks.inversion import Attacked, added, invert, mnist_rows, patient, psnr, sent, step_delta
from benchmarks.membership import best_auc
from benchmarks.peers import offered
from benchmarks.private import DELTA
from benchmarks.regrouping import difference, drawn_anew, guessed, kept
from benchmarks.report import Cell, Section
from benchmarks.simulate import Job, Player, play
from client.privacy.accountant import epsilon_of, mu_squared_of, sigma_for
from client.privacy.budget import Noise
from client.privacy.steps import row_steps
from hansa.tasks import load_task
from hansa.tasks.rows import Rows, generator

SIGMA = sigma_for(mu_squared_of(8.0, DELTA), 15)  # of ε 8 over 15 rounds
WEAK = 1.0  # noise of a hundred steps


def sections(quick: bool, drawn: Path) -> list[Section]:
    """drawn: the folder that the pictures go to, where matplotlib is."""
    return [_patients(20 if quick else 200), _pictures(quick, drawn), _members(1 if quick else 2), _groups(quick)]


# --- one patient


def _patients(count: int) -> Section:
    task: Any = load_task("heart", {}, 1)
    everybody = task.load("0")
    params = task.train(task.model(), everybody, steps=20, loss_threshold=None, seed=0).params
    random = np.random.default_rng(1)
    places = [random.permutation(len(everybody))[:4] for _ in range(count)]
    seen: dict[str, Callable[[Delta, list[Delta], Rows], Delta]] = {
        "committee, as trained": lambda one, four, row: one,
        "committee, its 8-bit integers": lambda one, four, row: sent(one),
        "masked, the sum of four": lambda one, four, row: sent(added(four)),
        f"committee, ε 8 (noise {SIGMA:.2f} clips)": lambda one, four, row: sent(_noisy(task, params, row, SIGMA)),
    }
    errors: dict[str, list[float]] = {name: [] for name in seen}
    for chosen in places:
        rows = [everybody.take(chosen[i : i + 1]) for i in range(4)]
        four = [step_delta(task, params, row, 1, 0) for row in rows]
        for name, look in seen.items():
            away = np.abs(patient(look(four[0], four, rows[0])) - rows[0].inputs[0].astype(np.float64))
            errors[name].append(float(away.max()))
    lines: list[list[Cell]] = [[name, f"{np.median(found):.2g}"] for name, found in errors.items()]
    notes = [
        "The largest error over a patient's 13 numbers, which are of size 1; median.",
        "Of one step on one row: a real update is of many steps and rows, and such a division gives nothing there.",
    ]
    title = f"heart: one patient read out of one step, by a division ({count} patients)"
    return Section(title, ["who sees what", "error"], lines, notes)


def _noisy(task: Any, params: Delta, rows: Rows, sigma: float, steps: int = 1, rate: float = 1.0) -> Delta:
    noise = Noise("row", steps, sigma, sigma)
    return row_steps(task, params, rows, noise, clip=1.0, rate=rate, seed=0, exact=False, slow=False).delta


# --- pictures


def _pictures(quick: bool, drawn: Path) -> Section:
    task, eight = mnist_rows(8, 1)
    params, one, four = task.model(), eight.take(slice(0, 1)), eight.take(slice(0, 4))
    mean = task.load("0").inputs.astype(np.float64).mean(axis=0) / 255
    others = [mnist_rows(4, seed)[1] for seed in (2, 3, 4)]
    cases: dict[str, tuple[Delta, Rows]] = {
        "1 row": (step_delta(task, params, one, 1, 0), one),
        "1 row, 8-bit integers": (sent(step_delta(task, params, one, 1, 0)), one),
        f"1 row, ε 8 (noise {SIGMA:.2f} clips)": (_noisy(task, params, one, SIGMA), one),
    }
    if not quick:
        cases |= {
            "4 rows": (step_delta(task, params, four, 1, 0), four),
            "8 rows": (step_delta(task, params, eight, 1, 0), eight),
            "8 rows after 5 steps": (step_delta(task, params, eight, 5, 0), eight),
            "4 rows in the sum of four trainers": (
                added([step_delta(task, params, rows, 1, 0) for rows in (four, *others)]),
                four,
            ),
        }
    found = {name: invert(task, params, delta, rows, 1, 40 if quick else 400) for name, (delta, rows) in cases.items()}
    blind = psnr(eight.inputs / 255, np.repeat(mean[None], len(eight), axis=0))
    lines: list[list[Cell]] = [
        [name, float(each.quality.mean()), float(each.quality.max())] for name, each in found.items()
    ]
    lines.append(["always the mean picture", float(blind.mean()), float(blind.max())])
    notes = [
        "Peak signal-to-noise ratio, dB: above 20 a digit is plain; a noisy one can be read below the mean picture's.",
        "Gradient matching by direction and smoothness, 400 steps; the attacker knows the labels. Stronger ones exist.",
    ]
    if not quick and draw(found, drawn / "privacy-pictures.png"):
        notes.append(f"Drawn: {drawn / 'privacy-pictures.png'}")
    return Section("mnist: pictures made again from one full-batch update", ["update of", "mean", "best"], lines, notes)


def draw(found: dict[str, Attacked], file: Path) -> bool:
    """The first four rows of each attack beside what they were; False where matplotlib is not installed."""
    pyplot = offered("matplotlib.pyplot")
    if pyplot is None:
        return False
    widest = max(found.values(), key=lambda each: len(each.true))
    lines = {"the rows": widest.true, **{name: each.found for name, each in found.items()}}
    figure, axes = pyplot.subplots(len(lines), 4, figsize=(6, 1.25 * len(lines)))
    for number, (name, pictures) in enumerate(lines.items()):
        for place, axis in enumerate(axes[number]):
            axis.set_axis_off()
            if place < len(pictures):
                axis.imshow(pictures[place], cmap="gray", vmin=0, vmax=1)
        axes[number][0].set_title(name, loc="left", fontsize=9)
    figure.tight_layout()
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=80)
    pyplot.close(figure)
    return True


# --- membership


def _members(trials: int) -> Section:
    lines: list[list[Cell]] = []
    heart: Any = load_task("heart", {}, 1)
    found = [_of_heart(heart, str(place), seed) for place in range(4) for seed in range(trials)]
    one, four, noisy = map(float, np.mean(found, axis=0))
    lines.append(["heart, a hospital's rows, 100 steps of 4", one, four, None, noisy])
    for rows in (8, 50) if trials == 1 else (8, 50, 200):
        each = np.mean([_of_mnist(rows, seed) for seed in range(trials)], axis=0)
        lines.append([f"mnist, {rows} rows, 100 steps of up to 32", *map(float, each)])
    epsilon = epsilon_of(100 / WEAK**2, DELTA)
    notes = [
        "Area under the curve of the best of three scores: .5 is a coin, though with 8 rows the best of three is .6.",
        f"Noise: 1 clip in each of 100 full-batch steps, which is ε {epsilon:.0f}, a weak one, in one round.",
    ]
    columns = ["whether a row was there", "one update", "mean of 4", "mean of 10", "one, with noise"]
    return Section("Membership in the rows of an update", columns, lines, notes)


def _of_heart(task: Any, source: str, seed: int) -> list[float]:
    rows, others, params = task.load(source), task.test(source), task.model()
    one = _trained(task, params, rows, seed)
    sources = [str(place) for place in range(4)]
    all_four = [one if each == source else _trained(task, params, task.load(each), seed) for each in sources]
    noisy = _noisy(task, params, rows, WEAK, 100, task.learning_rate)
    return [best_auc(task, params, seen, rows, others) for seen in (one, _mean(all_four), noisy)]


def _of_mnist(count: int, seed: int) -> list[float]:
    task: Any = load_task("mnist", {"parties": 4, "alpha": "1000"}, seed + 1)
    order = generator("membership", seed).permutation(len(task.load("0")))
    deal = [task.load("0").take(np.sort(order[start * count : (start + 1) * count])) for start in range(11)]
    params, (mine, others) = task.model(), (deal[0], deal[10])
    updates = [_trained(task, params, rows, seed) for rows in deal[:10]]
    noisy = _noisy(task, params, mine, WEAK, 100, task.learning_rate)
    seen = (updates[0], _mean(updates[:4]), _mean(updates), noisy)
    return [best_auc(task, params, each, mine, others) for each in seen]


def _trained(task: Any, params: Delta, rows: Rows, seed: int) -> Delta:
    trained = task.train(params, rows, steps=100, loss_threshold=None, seed=seed).params
    return {name: trained[name] - params[name] for name in params}


def _mean(deltas: list[Delta]) -> Delta:
    return {name: value / np.float32(len(deltas)) for name, value in added(deltas).items()}


# --- sums of groups


def _groups(quick: bool) -> Section:
    world = worlds.heart(1, 12)
    players = tuple(Player(f"trainer {place}", rows) for place, rows in enumerate(world.rows))
    history = play(Job(world, players, 5 if quick else 15, 100, 1, rule="mean"))
    updates = [
        np.stack([flat(_real(update, model.k)) for update in played.updates])
        for played, model in zip(history.rounds, history.models, strict=False)
    ]
    ways: dict[str, Callable[[int], tuple[float, float]]] = {}
    for size in (3, 4, 6):
        ways[f"groups of {size}, drawn anew each round"] = partial(_guess, updates, drawn_anew, size)
    ways["groups of 3, kept, a tenth away"] = partial(_guess, updates, kept, 3)
    ways["one group of 12, a tenth away"] = partial(_guess, updates, kept, 12)
    lines: list[list[Cell]] = [
        [name, *map(float, np.mean([way(seed) for seed in range(5)], axis=0))] for name, way in ways.items()
    ]
    wrong = difference(history.rounds[-1].updates, 3)
    lines.append(["two openings over one model, one without a trainer", *([None, None] if wrong else [1.0, 1.0])])
    notes = [
        "Cosine between what sums give of a trainer's mean update and the truth; mean of 12 trainers of heart.",
        "Its own part: without what all have in common, which the model's public steps tell anyway.",
        f"Two openings: {wrong} integers of the update differ from the difference of the sums.",
        "So there is one group a cycle, and over one model one set, for ever.",
    ]
    return Section("What open sums tell of a single trainer", ["sums of", "its update", "its own part"], lines, notes)


def _guess(updates: Any, draw_groups: Any, size: int, seed: int) -> tuple[float, float]:
    return guessed(updates, draw_groups, size, seed)


def _real(update: Any, k: tuple[int, ...]) -> Delta:
    exponents = dict(zip(sorted(update), k, strict=True))
    return {name: np.ldexp(values.astype(np.float32), -exponents[name]) for name, values in update.items()}
