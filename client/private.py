"""A trainer under a privacy budget: what it may train, with which noise, and the account of what it gave away."""

from __future__ import annotations

from typing import Any

from client.privacy.accountant import Cost, epsilon_of
from client.privacy.budget import Noise, PrivacySettings, Setting, noise_for
from client.privacy.ledger import Budget, PrivacyLedger, Release
from client.privacy.noise import MOST_EXACT
from client.privacy.rows import party_digest, row_digests
from client.privacy.steps import NoisyDelta, party_update, row_steps
from client.training import LocalUpdate, training_seed
from hansa.protocol.errors import FatalError
from hansa.protocol.model import Model, quantise
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import Digest, Place
from hansa.runtime.desk import Desk
from hansa.tasks import running
from hansa.tasks.base import Data, RowDifferentiable, Task
from hansa.tasks.modules.batching import Part
from hansa.tasks.rows import Rows

FEW = 4  # rows that are tried before anything is paid


class PrivateTraining:
    """One trainer's updates of one job, charged to its rows before they are made.

    FatalError, before anything is paid, for a job or a task that can't be trained so.
    """

    def __init__(self, desk: Desk, task: Task, data: Data, settings: PrivacySettings) -> None:
        self._desk, self._task, self._data, self._settings = desk, task, data, settings
        self._spec = desk.follower.context.spec
        check_job(self._spec, settings)
        with running(self._spec.task, "looking at each row by itself"):
            self._rows = row_digests(data)
            check_task(task, data, settings)
        if settings.unit == "party":
            self._rows |= {party_digest(desk.me)}
        self._budget = Budget(settings.epsilon, settings.delta, settings.terms)
        self._ledger = PrivacyLedger(settings.file)
        self._say_standing()

    def close(self) -> None:
        self._ledger.close()

    def check_budget(self, round_: int) -> None:
        """BudgetSpent where these rows have nothing left to train with; asked before a bond is paid."""
        setting = Setting(self._rounds_left(round_, 0), **self._group())
        noise_for(self._settings, setting, self._ledger.spent(self._rows).of(self._settings.unit))

    def update(self, base: Digest, model: Model, place: Place | None = None) -> tuple[LocalUpdate, Noise]:
        """Trained from `model`, its cost on disk before; where `place` is given, by a seed of that job's own.

        BudgetSpent where the budget is at its end.
        """

        def plan(spent: Cost, others: int) -> Noise:
            return noise_for(self._settings, self._setting(model, others), spent.of(self._settings.unit))

        noise = self._ledger.charge(self._rows, self._release(base), plan, self._budget)
        trained = self._train(model, noise, place)
        for row in trained.ignored:
            self._desk.log.warning("row counts as nothing: its gradient is not finite", row=row + 1)
        return LocalUpdate(quantise(trained.delta, model), trained.loss, noise.steps), noise

    def give(self, base: Digest, noise: Noise) -> None:
        """Notes that the update goes out; then it may be sealed."""
        self._ledger.give(self._rows, self._release(base), noise, self._budget)
        self._say_standing()

    def _train(self, model: Model, noise: Noise, place: Place | None) -> NoisyDelta:
        settings, spec, task = self._settings, self._spec, self._task
        params = {name: values.copy() for name, values in model.tensors.items()}
        seed = training_seed(spec, self._desk.me, model.round + 1, place)
        terms = self._desk.follower.context.terms
        exact = model.size * noise.steps * terms.max_rounds <= MOST_EXACT
        if noise.unit == "party":
            trained = task.train(params, self._data, steps=spec.steps, loss_threshold=None, seed=seed)
            delta = {name: trained.params[name] - model.tensors[name] for name in model.names}
            return NoisyDelta(party_update(delta, noise, clip=settings.clip, exact=exact), trained.loss, ())
        assert isinstance(task, RowDifferentiable)
        return row_steps(
            task,
            params,
            self._data,
            noise,
            clip=settings.clip,
            rate=step_rate(task, spec.steps, noise.steps),
            seed=seed,
            exact=exact,
            slow=settings.slow,
        )

    def _setting(self, model: Model, others: int) -> Setting:
        """reach: what noise of one clip is in the update, to compare with its coarsest quantisation step."""
        reach = self._settings.clip
        if self._settings.unit == "row" and isinstance(self._task, RowDifferentiable):
            reach *= step_rate(self._task, self._spec.steps, self._settings.steps) / len(self._data)
        step = 2.0 ** -min(model.k)
        return Setting(self._rounds_left(model.round, others), **self._group(), step=step, reach=reach)

    def _rounds_left(self, done: int, others: int) -> int:
        """Rounds to come that the budget shall last for: of the job's, and of those that were asked for."""
        left = self._desk.follower.context.terms.max_rounds - done
        return left if self._settings.rounds is None else min(left, self._settings.rounds - others)

    def _group(self) -> dict[str, int]:
        privacy: str = self._spec.privacy
        return {"group": int(self._spec.group) if privacy == "masked" else 0}

    def _release(self, base: Digest) -> Release:
        federation = self._desk.follower.federation
        place = f"{federation.chain.chain_id}/{federation.address.lower()}"
        return Release(place, self._desk.follower.job, self._desk.me.lower(), bytes(base))

    def _say_standing(self) -> None:
        settings, spent = self._settings, self._ledger.spent(self._rows).of(self._settings.unit)
        used = epsilon_of(spent, settings.delta)
        self._desk.log.info(
            "privacy budget",
            spent=round(used, 4),
            of=settings.epsilon,
            delta=settings.delta,
            unit=settings.unit,
            rows=len(self._data),
        )


def step_rate(task: RowDifferentiable, steps: int, dp_steps: int) -> float:
    """The rate of one full-batch step that goes as far as the job's steps would on a constant slope."""
    return task.learning_rate * steps / dp_steps


def check_job(spec: JobSpec, settings: PrivacySettings) -> None:
    """FatalError for a job whose terms say something of the rows that noise does not cover."""
    if spec.loss_threshold is not None:
        raise FatalError(
            "--epsilon can't be used in this job",
            cause="its loss threshold ends training when the rows' own loss is low, and the number of steps would tell",
            next_step="pick a job without one, or train without --epsilon",
        )
    privacy: str = spec.privacy
    if settings.colluders is not None and privacy != "masked":
        raise FatalError(
            "--colluders can't be used in this job",
            cause=f"its privacy is {privacy}: each update is seen by itself, and has to have all its noise",
            next_step="leave it out",
        )


def check_task(task: Task, data: Any, settings: PrivacySettings) -> None:
    """FatalError for rows or a model that can't be trained so: a few rows are tried."""
    few = data.take(slice(0, FEW)) if isinstance(data, Rows) else Part(data, range(min(FEW, len(data))))
    if row_digests(few) != row_digests(few):
        raise FatalError(
            f"task {task.name} gives other rows each time it is asked",
            cause="--epsilon counts what is spent by rows",
            next_step="let load() give rows that stay, and change them in loss()",
        )
    if settings.unit == "party":
        return
    if not isinstance(task, RowDifferentiable):
        raise FatalError(
            f"task {task.name} can't be trained with --epsilon",
            cause="it has no row_gradients()",
            next_step="write it as docs/tasks.md says, or use --unit party",
        )
    next(iter(task.row_gradients(task.model(), few, seed=0, slow=settings.slow)))
