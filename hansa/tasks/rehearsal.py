"""A task without a chain: plain federated averaging in numpy, and checks of what the chain's daemons rely on.

The averaging is McMahan et al., AISTATS 2017, algorithm 1, with equal weights: the reference that Hansa's own figures
stand beside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hansa.protocol.errors import FatalError
from hansa.protocol.geometry import ALIKE, FEWEST
from hansa.protocol.model import initial_model
from hansa.protocol.text import counted
from hansa.protocol.types import UNIT
from hansa.tasks.base import Data, Differentiable, Movable, Params, Study, Task
from hansa.tasks.loading import running
from hansa.tasks.validation import count_rows, validation_rows

BITS = 8  # of a job, unless its sponsor says otherwise
FIRST_STEPS = 3
LOOK = "look for numbers in them that are not finite, or far too large"


def federate(
    task: Task,
    sources: Sequence[str],
    rounds: int,
    steps: int,
    seed: int = 0,
    tell: Callable[[str], None] = lambda said: None,
) -> Params:
    """The model after `rounds` rounds in which every source trains `steps` steps and the results are averaged.

    tell: hears how alike the first round's updates are.
    """
    params = task.model()
    data = [task.load(source) for source in sources]
    for number in range(rounds):
        trained = [
            task.train(params, rows, steps=steps, loss_threshold=None, seed=_seed(seed, number, index)).params
            for index, rows in enumerate(data)
        ]
        if not number and len(sources) > 1:
            tell(_likest(params, trained, sources))
        params = {name: np.mean([t[name] for t in trained], axis=0, dtype=np.float64) for name in params}
        params = {name: value.astype(np.float32) for name, value in params.items()}
    return params


def _likest(params: Params, trained: Sequence[Params], sources: Sequence[str]) -> str:
    """The two whose updates are most alike, beside what counts as a duplicate."""
    changes = [np.concatenate([(t[name] - params[name]).ravel() for name in params]) for t in trained]
    for change in changes:
        change /= max(float(np.linalg.norm(change)), 1e-30)
    pairs = [(float(np.dot(changes[a], changes[b])), a, b) for a, b in combinations(range(len(changes)), 2)]
    most, first, second = max(pairs)
    said = f"updates: {sources[first]} and {sources[second]} are the likest, cosine {most:.2f}"
    if changes[0].size < FEWEST:
        return f"{said}; duplicates are, of a model this small, only the same numbers"
    return f"{said}; above {ALIKE / UNIT} the later one counts as a duplicate"


def table(
    task: Task, params: Params, steps: int, seats: int, seed: int = 0, validation: str | None = None
) -> dict[str, float]:
    """Label → mean over the parties: the trained model, and the task's baselines where it is a `Study`."""
    if not isinstance(task, Study):
        shares = [task.metric(params, validation_rows(task, seat, seats, validation)) for seat in range(seats)]
        return {"federated, on the validation rows": float(np.mean(shares))}
    lines = [task.scores(params), *task.baselines(steps=steps, seed=seed).values()]
    return {f"{line.label} ({task.measure})" if not i else line.label: line.mean for i, line in enumerate(lines)}


def check(task: Task, source: str, seats: int, validation: str | None = None) -> Iterator[str]:
    """What was found in order, one line each; FatalError names the first rule that the task breaks.

    validation: where the members' rows are, for a task that asks for that.
    """
    with running(task.name, "making model 0"):
        start = task.model()
        _check_model(start, task.model())
        initial_model(start, BITS).encode()
    yield f"model: {counted(len(start), 'tensor')}, {sum(value.size for value in start.values()):,} numbers"

    with running(task.name, f"loading {source}"):
        rows = task.load(source)
        count_rows(task, rows)
    with running(task.name, "reading the validation rows"):
        shares = [validation_rows(task, seat, seats, validation) for seat in range(seats)]
    if not len(rows) or not all(map(len, shares)):
        raise FatalError(
            "somebody has no rows",
            cause=f"{source}: {len(rows)}, validators: {list(map(len, shares))}",
            next_step="give every trainer and every validator at least one",
        )
    yield f"rows: {len(rows):,} of {source} to train on; validators have {', '.join(f'{len(s):,}' for s in shares)}"

    check_training_rows(task, start, rows, source)
    with running(task.name, "training"):
        trained = _check_training(task, start, rows)
    again = "same params, rows and seed, same bits" if is_repeatable(task) else "not the same bits again, nor need it"
    yield f"train: {again}; its argument stays as it was"

    if isinstance(task, Differentiable):
        with running(task.name, "taking the gradient"):
            error = _check_gradient(task, start, trained, shares[0])
        yield f"gradient: the slope of the loss to {error:.1e}"
    else:
        yield "gradient: none; updates are measured by `metric`"

    for share in shares:
        check_validation_rows(task, start, share)
    yield f"metric: {task.metric(start, shares[0]):.4f} for model 0"


def check_training_rows(task: Task, start: Params, rows: Data, source: str) -> None:
    """FatalError where a few steps from model 0 on these rows lead to numbers that are not finite. With the first one
    alone a row that is far too large may not show: model 0 is often zeros."""
    with running(task.name, f"taking {FIRST_STEPS} steps on {source}"):
        first = task.train(dict(start), rows, steps=FIRST_STEPS, loss_threshold=None, seed=0)
    if wrong := [name for name, value in first.params.items() if not np.isfinite(value).all()]:
        raise FatalError(f"{', '.join(wrong)} is not finite after {FIRST_STEPS} steps on {source}", next_step=LOOK)


def check_validation_rows(task: Task, start: Params, rows: Data) -> None:
    """FatalError where model 0 can't be measured on these rows: a metric or a slope that is not finite."""
    with running(task.name, "measuring model 0"):
        metric = task.metric(start, rows)
        loss, slopes = task.gradient(start, rows) if isinstance(task, Differentiable) else (0.0, {})
    if not np.isfinite(metric):
        raise FatalError("metric is not a finite number on the validation rows", cause=f"{metric}", next_step=LOOK)
    wrong = [name for name, value in slopes.items() if not np.isfinite(value).all()]
    if wrong or not np.isfinite(loss):
        what = f"the gradient of {', '.join(wrong)}" if wrong else f"the loss, {loss},"
        raise FatalError(f"{what} is not finite on the validation rows", next_step=LOOK)


def _check_model(first: Params, again: Params) -> None:
    if not first:
        raise FatalError("model() has no tensors")
    for name, value in first.items():
        if value.dtype != np.float32:
            raise FatalError(f"model(): {name} is {value.dtype}", next_step="make it float32")
        if value.size == 0 or not np.isfinite(value).all():
            raise FatalError(
                f"model(): {name} is empty or has numbers that are not finite",
                next_step="leave it out of the model, as a module does with a buffer of persistent=False",
            )
        if value.tobytes() != again[name].tobytes():
            raise FatalError(
                f"model(): {name} differs from call to call", next_step="draw it from the job's seed alone"
            )


def _check_training(task: Task, start: Params, rows: Data) -> Params:
    """Read-only arguments, as a daemon that has decoded a model may pass them."""
    before = {name: value.copy() for name, value in start.items()}
    for value in start.values():
        value.flags.writeable = False
    first = again = task.train(start, rows, steps=5, loss_threshold=None, seed=1)
    if is_repeatable(task):
        again = task.train(start, rows, steps=5, loss_threshold=None, seed=1)
    if set(first.params) != set(start):
        raise FatalError("train() returns other tensors than it was given")
    for name, value in first.params.items():
        if (value.dtype, value.shape) != (np.dtype(np.float32), start[name].shape):
            raise FatalError(f"train(): {name} became {value.dtype} {value.shape}", next_step="keep type and shape")
        if value.tobytes() != again.params[name].tobytes():
            raise FatalError(f"train(): {name} differs from run to run", next_step="draw everything from `seed`")
        if start[name].tobytes() != before[name].tobytes():
            raise FatalError(f"train() changed its argument {name}", next_step="work on a copy")
    if all(np.array_equal(first.params[name], value) for name, value in start.items()):
        raise FatalError(
            "train() changed nothing in 5 steps",
            next_step="look whether the learning rate is far too small, or the optimizer has other parameters",
        )
    return first.params


def is_repeatable(task: Task) -> bool:
    """Whether training must give the same bits again where the task computes now."""
    return not isinstance(task, Movable) or task.repeatable


def _check_gradient(task: Differentiable, start: Params, trained: Params, rows: Data) -> float:
    """The slope from model 0 to a trained one, beside the difference of two losses; returns their relative distance."""
    _, slopes = task.gradient(start, rows)
    way = {name: trained[name].astype(np.float64) - start[name] for name in slopes}

    def at(distance: float) -> dict[str, NDArray[np.floating[Any]]]:
        return {**start, **{name: start[name] + distance * step for name, step in way.items()}}

    middle, gradient = task.gradient(at(0.5), rows)
    for name, value in gradient.items():
        if value.dtype not in (np.float32, np.float64) or value.shape != start[name].shape:
            raise FatalError(
                f"gradient(): {name} is {value.dtype} {value.shape} for a tensor of shape {start[name].shape}",
                next_step="return it as float32 or float64, in the tensor's own shape",
            )
    epsilon = task.epsilon() if isinstance(task, Movable) else 0.0
    step = max(1e-4, epsilon ** (1 / 3))
    measured = (task.gradient(at(0.5 + step), rows)[0] - task.gradient(at(0.5 - step), rows)[0]) / (2 * step)
    slope = sum(float(np.vdot(gradient[name], way[name])) for name in way)
    scale = max(abs(slope), 1e-6 * abs(middle), 1e-12)
    error, rounding = float(abs(slope - measured) / scale), 4 * epsilon * abs(middle) / (step * scale)
    if not error < (0.05 + rounding if epsilon else 0.01):
        raise FatalError(
            "gradient() is not the slope of the loss",
            cause=f"along a training step it says {slope:.6g}, the losses say {measured:.6g}",
            next_step="compute it over all rows, for the loss that it returns, with nothing drawn in between",
        )
    return error


def _seed(*numbers: int) -> int:
    seed = 0
    for number in numbers:
        seed = seed * 10_000 + number
    return seed
