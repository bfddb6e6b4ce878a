"""What tasks share that carry the data of all their parties: sources, validation rows, the final table, baselines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hansa.protocol.errors import FatalError
from hansa.tasks.base import Params, Scores, Trained
from hansa.tasks.learning import TorchTask, mean_loss
from hansa.tasks.rows import Party, Rows, concat, share


class PartyStudy(ABC):
    """A `Study` over the list of parties `everyone`, whatever trains its model. A task adds `read` for a user's own
    file."""

    name: str
    measure: str
    metric_is_accuracy = False
    """Whether `metric` is the share of labels that are answered rightly."""
    everyone: list[Party]

    @abstractmethod
    def model(self) -> Params: ...

    @abstractmethod
    def train(self, params: Params, data: Rows, *, steps: int, loss_threshold: float | None, seed: int) -> Trained: ...

    @abstractmethod
    def metric(self, params: Any, data: Any) -> float: ...

    def measured(self, params: Params, data: Rows) -> float:
        """What the final table shows: the metric, unless the task says otherwise."""
        return self.metric(params, data)

    def read(self, path: Path) -> Rows:
        """A trainer's own file."""
        raise FatalError(f"task {self.name} reads no files", next_step=f"name a party: {self._choices()}")

    def parties(self) -> list[str]:
        return [party.name for party in self.everyone]

    def load(self, source: str) -> Rows:
        file = _file(source)
        return self.party(source).train if file is None else self.read(file)

    def validation(self, seat: int, seats: int) -> Rows:
        if not 0 <= seat < seats:
            raise FatalError(f"there is no seat {seat} of {seats}")
        return share(self.everyone, seat, seats)

    def own_validation(self, source: str) -> Rows:
        """A file, or what a party has held back of its own rows."""
        file = _file(source)
        return self.party(source).held if file is None else self.read(file)

    def test(self, source: str) -> Rows:
        return self.party(source).test

    def party(self, source: str) -> Party:
        """By name or index."""
        for index, party in enumerate(self.everyone):
            if source in (party.name, str(index)):
                return party
        raise FatalError(f"task {self.name} has no party {source!r}", next_step=f"name one of {self._choices()}")

    def scores(self, params: Params, label: str = "federated") -> Scores:
        return Scores(label, {party.name: self.measured(params, party.test) for party in self.everyone})

    def baselines(self, *, steps: int, seed: int, names: Sequence[str] | None = None) -> dict[str, Scores]:
        """Those named, or all; a model among them gets `steps` steps from model 0, what a trainer takes in a job."""
        makers = self.baseline_makers()
        for name in names or ():
            if name not in makers:
                raise FatalError(f"task {self.name} has no baseline {name!r}", next_step=f"it has {', '.join(makers)}")
        own = Own(self, steps, seed)
        return {name: makers[name](own) for name in (makers if names is None else names)}

    def known(self, seats: int) -> dict[str, float]:
        """What is known before a job starts, in its metric's unit on the members' rows (lower median of the seats, as
        on chain): model 0, and always answering their commonest label where the metric is accuracy."""
        held = [self.validation(seat, seats) for seat in range(seats)]
        start = self.model()
        known = {"model 0": lower_median([self.metric(start, rows) for rows in held])}
        if self.metric_is_accuracy:
            labels = np.concatenate([rows.labels for rows in held])
            known["majority"] = lower_median([_commonest(labels, rows.labels) for rows in held])
        return known

    def baseline_makers(self) -> dict[str, Callable[[Own], Scores]]:
        """What there is, by name; tasks add their own."""
        return {"local_own": Own.on_own, "local_all": Own.on_all, "pooled": Own.pooled}

    def _choices(self) -> str:
        names = self.parties()
        return f"{', '.join(names[:6])}{', …' if len(names) > 6 else ''} (or 0 to {len(names) - 1})"


class PartyTask(TorchTask, PartyStudy):
    """A `PartyStudy` of named arrays. A task adds `model`, `loss`, `metric`."""

    def __init__(self, parties: Sequence[Party], seed: int) -> None:
        self.everyone = list(parties)
        self.seed = seed

    @property
    def metric_name(self) -> str:
        """What `metric` measures, as a job's spec says it."""
        return self.measure


class Classifier(PartyTask):
    """A `PartyTask` measured by accuracy. Its metric may be `likelihood`, the mean probability (geometric) given to the
    truth: accuracy on a few dozen rows moves in large steps, likelihood also rises while nothing crosses one half."""

    measure = "accuracy"

    def __init__(self, parties: Sequence[Party], seed: int, metric: str) -> None:
        super().__init__(parties, seed)
        self.metric_is_accuracy = metric == "accuracy"

    @property
    def metric_name(self) -> str:
        return self.measure if self.metric_is_accuracy else "likelihood"

    @abstractmethod
    def measured(self, params: Params, data: Rows) -> float:
        """Accuracy, always."""

    def metric(self, params: Params, data: Rows) -> float:
        return self.measured(params, data) if self.metric_is_accuracy else float(np.exp(-mean_loss(self, params, data)))

    def baseline_makers(self) -> dict[str, Callable[[Own], Scores]]:
        return {**super().baseline_makers(), "majority": majority}


class Own:
    """Models that parties could train without Hansa, each trained once."""

    def __init__(self, task: PartyStudy, steps: int, seed: int) -> None:
        self.task = task
        self.steps = steps
        self.seed = seed
        self._models: dict[str, Params] = {}

    def model(self, party: Party) -> Params:
        if party.name not in self._models:
            self._models[party.name] = self._train(party.train)
        return self._models[party.name]

    def on_own(self) -> Scores:
        parties = self.task.everyone
        return Scores(
            "each party's own model, on its own test rows",
            {party.name: self.task.measured(self.model(party), party.test) for party in parties},
        )

    def on_all(self) -> Scores:
        parties = self.task.everyone
        return Scores(
            "each party's own model, on everybody's test rows (mean over the parties)",
            {
                party.name: float(np.mean([self.task.measured(self.model(party), other.test) for other in parties]))
                for party in parties
            },
        )

    def pooled(self) -> Scores:
        everything = concat([party.train for party in self.task.everyone])
        return self.task.scores(self._train(everything), "one model on all parties' rows pooled, as many steps")

    def _train(self, rows: Rows) -> Params:
        start = self.task.model()
        return self.task.train(start, rows, steps=self.steps, loss_threshold=None, seed=self.seed).params


def _file(source: str) -> Path | None:
    """Where a source is a file, not a party's name."""
    path = Path(source).expanduser()
    return path if path.suffix or len(path.parts) > 1 else None


def majority(own: Own) -> Scores:
    """Always the commonest label of the party's own training rows."""
    return Scores(
        "always the commonest answer of the party's own rows",
        {party.name: _commonest(party.train.labels, party.test.labels) for party in own.task.everyone},
    )


def lower_median(values: Sequence[float]) -> float:
    return sorted(values)[(len(values) - 1) // 2]


def _commonest(train: NDArray[Any], test: NDArray[Any]) -> float:
    values, counts = np.unique(train, return_counts=True)
    return float(np.mean(test == values[np.argmax(counts)]))
