"""Who has which rows: the trainers', the validators' and the test rows of one benchmark."""

from __future__ import annotations

import subprocess
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.digits import Digits
from hansa.tasks import load_task, task_digest
from hansa.tasks.base import Params, Trained
from hansa.tasks.learning import mean_loss
from hansa.tasks.rows import Rows, concat, generator
from hansa.tasks.study import PartyTask

TUTORIAL = Path(__file__).parents[1] / "docs" / "tutorial.md"
COMPANIES = ("north", "middle", "south", "validation")


@dataclass(frozen=True)
class World:
    """A task, and its rows as dealt out. held: what all parties together gave for validation, by party and label."""

    task: PartyTask
    rows: tuple[Rows, ...]  # one item a trainer
    held: Rows
    test: Rows
    labels: int  # how many classes there are

    def validation(self, seat: int, seats: int) -> Rows:
        return self.held.take(slice(seat, None, seats))

    def metric(self, params: dict[str, NDArray[np.float32]]) -> float:
        """Accuracy on the test rows, 0 to 1."""
        return self.task.measured(params, self.test)

    def likelihood(self, params: dict[str, NDArray[np.float32]]) -> float:
        """Minus the mean loss on the test rows."""
        return -mean_loss(self.task, params, self.test)


@dataclass(frozen=True)
class OwnWorld(World):
    """One whose members measure on rows of their own, by seat."""

    own: tuple[Rows, ...] = ()

    def validation(self, seat: int, seats: int) -> Rows:
        return self.own[seat]


def heart(seed: int, parties: int = 4) -> World:
    """The four hospitals; any other number of parties gets all rows dealt out evenly by the seed."""
    return _world(_task("heart", {"parties": parties}, seed), labels=2)


def mnist(seed: int, parties: int, alpha: str = "0.5", rows: int | None = None, held: int = 900) -> World:
    """MNIST, split by a Dirichlet draw. rows: at most so many for each trainer; held: for all validators together."""
    task = _task("mnist", {"parties": parties, "alpha": alpha}, seed)
    world = _world(task, labels=10)
    random = generator("benchmarks", "mnist", seed)
    chosen = tuple(few(part, rows, random) for part in world.rows) if rows else world.rows
    return replace(world, rows=chosen, held=few(world.held, held, random), test=few(world.test, 2000, random))


def digits(seed: int, parties: int, alpha: float = 0.5) -> World:
    """scikit-learn's 8 × 8 digits, split by a Dirichlet draw."""
    return _world(Digits(parties, alpha, seed), labels=10)


def as_shipped(name: str, seed: int) -> World:
    """A built-in task with its own parties; its classes, if it has any, are not to be relabelled."""
    return _world(_task(name, {}, seed), labels=0)


def tutorial(seed: int) -> World:
    """The three companies of docs/tutorial.md, by its own code, with this seed for the one that the page takes."""
    text = TUTORIAL.read_text()
    made = text.split("<<'END'\n")[1].split("END\n")[0].replace("default_rng(1)", f"default_rng({seed})")
    with TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-c", made], cwd=folder, check=True)
        file = Path(folder) / "energy.py"
        file.write_text(text.split("```python title=energy.py\n")[1].split("```")[0])
        task = cast(
            PartyTask, load_task("energy.py:Energy", {}, seed, task_digest=task_digest(file), allowed=[str(file)])
        )
        north, middle, south, held = (task.load(f"{folder}/{name}.csv") for name in COMPANIES)
    return World(task, (north, middle, south), held, held, labels=0)


class Remembering:
    """A task that trains from model 0 only once for each trainer and seed: round 1 is the same under every rule."""

    def __init__(self, task: PartyTask) -> None:
        self._task, self._start = task, task.model()
        self._trained: dict[tuple[int, int, int], Trained] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)

    def train(self, params: Params, data: Rows, *, steps: int, loss_threshold: float | None, seed: int) -> Trained:
        def work() -> Trained:
            return self._task.train(params, data, steps=steps, loss_threshold=loss_threshold, seed=seed)

        if loss_threshold is not None or any(not np.array_equal(params[n], v) for n, v in self._start.items()):
            return work()
        key = (zlib.crc32(data.labels.tobytes() + np.ascontiguousarray(data.inputs).tobytes()), steps, seed)
        if key not in self._trained:
            self._trained[key] = work()
        return self._trained[key]


def remembering(world: World) -> World:
    return replace(world, task=cast(PartyTask, Remembering(world.task)))


def _task(name: str, settings: dict[str, object], seed: int) -> PartyTask:
    task = load_task(name, settings, seed)
    assert isinstance(task, PartyTask)
    return task


def _world(task: PartyTask, labels: int) -> World:
    everyone = task.everyone
    return World(
        task=task,
        rows=tuple(party.train for party in everyone),
        held=task.validation(0, 1),
        test=concat([party.test for party in everyone]),
        labels=labels,
    )


def few(rows: Rows, most: int, random: np.random.RandomState) -> Rows:
    """At most so many of the rows, in their order."""
    return rows.take(np.sort(random.permutation(len(rows))[:most]))


def relabelled(rows: Rows, labels: NDArray[Any]) -> Rows:
    return Rows(rows.inputs, labels.astype(rows.labels.dtype))


def noisy(rows: Rows, part: float, classes: int, *key: int | str) -> Rows:
    """The rows with a part of the labels changed to another class, drawn by the key."""
    random = generator("label noise", *key)
    wrong = random.permutation(len(rows))[: round(part * len(rows))]
    labels = rows.labels.copy()
    labels[wrong] = (labels[wrong] + random.randint(1, classes, len(wrong))) % classes
    return relabelled(rows, labels)


def flipped(rows: Rows, classes: int) -> Rows:
    """Every label the opposite one: class c becomes classes − 1 − c."""
    return relabelled(rows, classes - 1 - rows.labels)


def cut(rows: Rows, parts: int, *key: int | str) -> Sequence[Rows]:
    """One trainer's rows shuffled by the key and cut into equal parts."""
    order = generator("cut", *key).permutation(len(rows))
    return [rows.take(np.sort(order[part::parts])) for part in range(parts)]
