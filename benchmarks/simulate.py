"""A job without a chain: local training → quantise → (attack) → screening and sheets → ledger → next model.

Everything that decides anything is the function that trainers, validators and contracts agree on; only files,
envelopes and transactions are left out. Same job, same result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from aggregator.measure import Measurement, measure
from benchmarks.deltas import Delta, Vector, like, noise
from benchmarks.worlds import World
from hansa.protocol import geometry
from hansa.protocol.cid import NO_DIGEST
from hansa.protocol.errors import FatalError
from hansa.protocol.ledger import Ledger, RoundLedger
from hansa.protocol.model import Model, Update, initial_model, quantise
from hansa.protocol.result import next_model
from hansa.protocol.sheet import Entry, decode_sheet, encode_sheet
from hansa.protocol.types import Address, Code, Digest, JobId, Wei
from hansa.runtime.model_chain import SHOWN
from hansa.tasks.base import Params, Task
from hansa.tasks.rows import Rows

Integers: TypeAlias = dict[str, NDArray[Any]]
Sheets: TypeAlias = list[list[Entry]]
Lie: TypeAlias = Callable[[int, Sequence[str], Sheets], Sheets]
"""(round, submitters' names, honest sheets) → the sheets that are revealed."""

REWARD = Wei(10**18)
JOB = JobId(1)
PARENT = Digest(NO_DIGEST[:-1] + b"\1")  # stands for every parent's digest: no file is written


@dataclass
class View:
    """What a player knows when it makes its update. Attackers are told all honest deltas of the round: they could
    guess them from rows of their own."""

    round: int
    model: Model
    previous: Model | None
    memory: dict[str, Any]  # the player's own, kept from round to round
    others: Mapping[str, Delta]  # honest deltas of this round; empty for an honest player
    random: np.random.Generator
    train: Callable[[], Delta]  # honest work on the player's rows

    @property
    def change(self) -> Delta:
        """The last change of the global model; in round 1 zeros."""
        if self.previous is None:
            return {name: np.zeros_like(value) for name, value in self.model.tensors.items()}
        return {name: value - self.previous.tensors[name] for name, value in self.model.tensors.items()}

    def sent(self, vector: Vector) -> Delta:
        return like(vector, self.model.tensors)

    def noise(self, norm: float) -> Vector:
        """A random direction of this length."""
        return noise(self.random, self.model.size, norm)


Behaviour: TypeAlias = Callable[[View], Delta | None]


def honest(view: View) -> Delta | None:
    return view.train()


@dataclass(frozen=True)
class Player:
    """One enrolled account. Later players come later on chain."""

    name: str
    rows: Rows | None
    act: Behaviour = honest
    weight: int = 1

    @property
    def address(self) -> Address:
        return Address("0x" + hashlib.sha256(self.name.encode()).hexdigest()[:40])


@dataclass(frozen=True)
class Job:
    world: World
    players: tuple[Player, ...]
    rounds: int
    steps: int
    seed: int
    seats: int = 3
    rule: str = "validated_mean"
    bits: int = 8
    lie: Lie | None = None
    start: Params | None = None  # instead of the task's model 0

    def train(self, params: Params, number: int, index: int) -> Params:
        """What the player of this index makes of `params` in round `number`, by honest work on its rows."""
        rows, seed = self.players[index].rows, self.draw(number, index)
        if rows is None:
            raise ValueError(f"{self.players[index].name} has no rows")
        return self.world.task.train(params, rows, steps=self.steps, loss_threshold=None, seed=seed).params

    def draw(self, number: int, index: int) -> int:
        """The seed of a player in a round."""
        return (self.seed * 1000 + number) * 1000 + index


@dataclass(frozen=True)
class Played:
    """One finalised round, by players' names."""

    submitted: list[str]
    updates: list[Integers]
    ledger: RoundLedger
    paid: dict[str, Wei]


@dataclass
class History:
    job: Job
    models: list[Model]
    rounds: list[Played] = field(default_factory=list)

    def totals(self) -> dict[str, int]:
        """What each player got over the job."""
        return {p.name: sum(played.paid[p.name] for played in self.rounds) for p in self.job.players}


def play(job: Job) -> History:
    """Plays every round; one in which no update is ok is a failed cycle, and left out."""
    tensors = job.start if job.start is not None else job.world.task.model()
    model, previous = initial_model(tensors, job.bits), None
    addresses = {player.address: player.name for player in job.players}
    ledger = Ledger({p.address: p.weight for p in job.players}, REWARD, job.seats, job.rule)
    history = History(job, [model])
    memories: dict[str, dict[str, Any]] = {player.name: {} for player in job.players}
    for number in range(1, job.rounds + 1):
        updates = _updates(job, number, model, previous, memories)
        names = list(updates)
        if not names:
            continue
        submitted = [player.address for player in job.players if player.name in updates]
        weights = [ledger.trainers[address] for address in submitted]
        before = history.models[:-1]
        earlier = [*before[-SHOWN:], *before[:-SHOWN][:1]]
        revealed = sheets(job, model, earlier, list(updates.values()), weights)
        if job.lie is not None:
            revealed = job.lie(number, names, revealed)
        entry = ledger.round(submitted, [decode_sheet(encode_sheet(sheet), len(names)) for sheet in revealed])
        if not entry.included:
            continue
        files = {i: Update(q, JOB, number, submitted[i]) for i, q in enumerate(updates.values())}
        following = next_model(JOB, model, PARENT, entry, submitted, files, ledger.trainers, job.rule)
        model, previous, ledger = following, model, entry.after
        paid = {addresses[leaf.trainer]: Wei(leaf.pay) for leaf in entry.leaves}
        history.rounds.append(Played(names, list(updates.values()), entry, paid))
        history.models.append(model)
    return history


def sheets(
    job: Job, model: Model, earlier: Sequence[Model], updates: Sequence[Integers], weights: Sequence[int]
) -> Sheets:
    """What each seat writes, each from its own rows."""
    codes = verdicts(updates, model.k)
    ok = [i for i, code in enumerate(codes) if code == Code.OK]
    result = []
    for seat in range(job.seats):
        rows = job.world.validation(seat, job.seats)
        found = measure(
            cast(Task, job.world.task), rows, model, earlier, [updates[i] for i in ok], [weights[i] for i in ok]
        )
        by_place: dict[int, Measurement] = dict(zip(ok, found, strict=True))
        result.append(
            [Entry(c, by_place[i].gain, by_place[i].news) if i in by_place else Entry(c) for i, c in enumerate(codes)]
        )
    return result


def verdicts(updates: Sequence[Integers], k: Sequence[int]) -> list[Code]:
    codes = [Code.ZERO if geometry.is_zero(q) else Code.OK for q in updates]
    candidates = [i for i, code in enumerate(codes) if code == Code.OK]
    for i in geometry.duplicates(updates, k, candidates):
        codes[i] = Code.DUPLICATE
    return codes


def deltas_of(
    job: Job, number: int, model: Model, previous: Model | None, memories: Mapping[str, dict[str, Any]]
) -> dict[str, Delta | None]:
    """What each player comes up with in this round, by its name; None: it stays away."""
    honestly: dict[str, Delta] = {}
    deltas: dict[str, Delta | None] = {}
    in_turn = sorted(enumerate(job.players), key=lambda item: item[1].act is not honest)
    for index, player in in_turn:
        view = View(
            round=number,
            model=model,
            previous=previous,
            memory=memories[player.name],
            others=honestly,
            random=np.random.default_rng(job.draw(number, index)),
            train=partial(_work, job, model, number, index),
        )
        deltas[player.name] = player.act(view)
        if player.act is honest:
            honestly[player.name] = deltas[player.name] or {}
    return deltas


def _updates(
    job: Job, number: int, model: Model, previous: Model | None, memories: Mapping[str, dict[str, Any]]
) -> dict[str, Integers]:
    """Each submitted update by its player's name, in on-chain order."""
    deltas = deltas_of(job, number, model, previous, memories)
    result = {}
    for player in job.players:
        delta = deltas[player.name]
        if delta is not None:
            try:
                result[player.name] = quantise(delta, model)
            except FatalError:  # a trainer whose delta is not finite does not submit
                continue
    return result


def _work(job: Job, model: Model, number: int, index: int) -> Delta:
    trained = job.train(model.tensors, number, index)
    return {name: trained[name] - value for name, value in model.tensors.items()}


def averaged(job: Job, chosen: Sequence[int]) -> Params:
    """What the chosen players train by plain federated averaging (McMahan et al. 2017, algorithm 1), in float32."""
    params = job.world.task.model()
    for number in range(1, job.rounds + 1):
        trained = [job.train(params, number, index) for index in chosen]
        if trained:
            params = {name: np.mean([each[name] for each in trained], axis=0, dtype=np.float32) for name in params}
    return params
