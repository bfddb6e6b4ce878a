"""How long a job's phases must be: its task is tried out before anybody pays for it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hansa.protocol.cid import digest_of
from hansa.protocol.errors import FatalError
from hansa.protocol.masked.sharing import Sharing, sharing_problem
from hansa.protocol.masked.streams import vector
from hansa.protocol.masked.words import length
from hansa.protocol.model import Model
from hansa.protocol.privacy import COMMITTEE, MASKED, MODES
from hansa.sponsor.post import PreparedJob
from hansa.sponsor.terms import TIMES
from hansa.tasks.base import Data, Differentiable, Study, Task
from hansa.tasks.loading import running
from hansa.tasks.rehearsal import check_training_rows, check_validation_rows
from hansa.tasks.validation import asks_for_rows, validation_rows

SLOWER = 5  # the slowest machine that a job should be for, beside this one
MINUTE = 60
FIRST_PARTY = "0"  # as a source of a task that carries everybody's rows


@dataclass(frozen=True)
class Rehearsal:
    """Seconds on this machine. step: of training, None where no rows are here; gradient: of a look at a validator's
    rows, None likewise; file: of writing, hashing and reading a model. parameters: the model's.

    privacy: the job's mode. stream: of drawing, adding and hashing one mask stream, 0 unless masked; held: streams of
    each update that a member has the seeds of; sets: streams of each update.
    """

    step: float | None
    gradient: float | None
    file: float
    parameters: int
    privacy: str = COMMITTEE
    stream: float = 0.0
    held: int = 0
    sets: int = 0

    def work(self, trainers: int, steps: int) -> dict[str, float]:
        """Seconds of each phase that one party on this machine is at work. A member's fetching has half of SCORE."""
        step, gradient = self.step or 0.0, self.gradient or 0.0
        return {
            "submit": steps * step + 3 * self.file + self.sets * self.stream,
            **self._of_privacy(trainers),
            "score": 2 * (2 * gradient + (4 + trainers / 2) * self.file + self.sets * self.stream),
            "vote": gradient + (4 + trainers / 4) * self.file,
            "finalize": 3 * self.file,
        }

    def _of_privacy(self, trainers: int) -> dict[str, float]:
        """Phases that other modes have not; a member acts at half of each, at the latest. An update's file has a
        quarter of a model's bytes, a masked one half of them."""
        match self.privacy:
            case "threshold":
                return {"release": trainers / 2 * self.file}
            case "masked":
                return {"attest": trainers * self.file, "release": 2 * trainers * self.held * self.stream}
        return {}

    def proposed(
        self, trainers: int, steps: int, usual: Mapping[str, int] = TIMES, crowd: float = 1.0
    ) -> dict[str, int]:
        """Seconds by phase for a machine so much slower, never less than usual. crowd: parties on one processor."""
        slow = {name: SLOWER * crowd * seconds for name, seconds in self.work(trainers, steps).items()}
        usual = {**MODES[self.privacy].times, **usual}
        return {name: max(usual[name], _rounded(seconds)) for name, seconds in slow.items()}

    def says(self, times: Mapping[str, int]) -> str:
        """One line on what was found, and what follows."""
        step = "no rows here to train on" if self.step is None else f"a step takes {self.step:.3g} s"
        gradient = "" if self.gradient is None else f", a gradient {self.gradient:.3g} s"
        chosen = " ".join(f"--time {name}={_short(times[name])}" for name in self.work(1, 1))
        return f"rehearsed: {self.parameters:,} parameters, {step}{gradient}; for machines five times slower: {chosen}"

    def check(self, trainers: int, steps: int, times: Mapping[str, int]) -> None:
        """FatalError where the work of a phase would not end in its time on this very machine."""
        proposed = self.proposed(trainers, steps)
        for name, seconds in self.work(trainers, steps).items():
            if seconds > times[name]:
                raise FatalError(
                    f"--time {name}={times[name]} is too short: the task's rehearsal takes {seconds:.0f} s of it here",
                    cause="every cycle would fail, and burn a part of its reward",
                    next_step=f"give --time {name}={proposed[name]}, or post it as it is with --no-rehearsal",
                )


def rehearse(prepared: PreparedJob, seats: int, source: str | None = None, validation: str | None = None) -> Rehearsal:
    """One training step, one gradient, one file, after what every daemon tries before its first cycle. source,
    validation: where rows are that the task does not bring; without a source steps and gradients are left out.
    FatalError where the task fails at it, or numbers that are not finite come of it."""
    task, model = prepared.task, prepared.model
    file = _seconds(lambda: _handled(model))
    rows, held = _rows(task, seats, source, validation)
    step = gradient = None
    if rows is not None and held is not None:
        check_training_rows(task, dict(model.tensors), rows, source or FIRST_PARTY)
        check_validation_rows(task, dict(model.tensors), held)
        with running(task.name, "trying a step of training"):
            step = _seconds(lambda: _step(task, model, rows))
        with running(task.name, "trying to measure model 0"):
            gradient = _seconds(lambda: _look(task, model, held))
    return Rehearsal(step, gradient, file, model.size, prepared.spec.privacy, **_masking(prepared, seats))


def _masking(prepared: PreparedJob, seats: int) -> dict[str, Any]:
    """What masks take, where updates are masked."""
    shares = prepared.spec.shares
    if prepared.spec.privacy != MASKED or sharing_problem(seats, shares) is not None:
        return {}
    sharing, words = Sharing(seats, shares), length(prepared.model.shapes)
    stream = _seconds(lambda: vector([bytes(32)], words))
    return {"stream": stream, "held": len(sharing.by_seat[0]), "sets": len(sharing.sets)}


def _rows(task: Task, seats: int, source: str | None, validation: str | None) -> tuple[Data | None, Data | None]:
    """A trainer's and a validator's rows, where they are here; a trainer's may stand for a validator's."""
    if source is None and not isinstance(task, Study):
        return None, None
    source = source or FIRST_PARTY
    with running(task.name, f"loading {source}"):
        rows = task.load(source)
    if validation is None and asks_for_rows(task):
        return rows, rows
    with running(task.name, "reading the validation rows"):
        return rows, validation_rows(task, 0, seats, validation)


def _handled(model: Model) -> None:
    data = model.encode()
    digest_of(data)
    Model.decode(data)


def _step(task: Task, model: Model, rows: Data) -> None:
    task.train(dict(model.tensors), rows, steps=1, loss_threshold=None, seed=0)


def _look(task: Task, model: Model, rows: Data) -> None:
    if isinstance(task, Differentiable):
        task.gradient(model.tensors, rows)
    else:
        task.metric(model.tensors, rows)


def _seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _short(seconds: int) -> str:
    return f"{seconds}s" if seconds % MINUTE else f"{seconds // MINUTE}m"


def _rounded(seconds: float) -> int:
    """Up to whole ten seconds, from a minute on to whole minutes."""
    unit = 10 if seconds < MINUTE else MINUTE
    return math.ceil(seconds / unit) * unit
