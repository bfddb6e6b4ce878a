"""A job without a chain: local training → quantise → (attack) → screening and sheets → ledger → next model.

Everything that decides anything is the function that trainers, validators and contracts agree on; only files,
envelopes and transactions are left out. Same job, same result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from aggregator.measure import Measurement, measure
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
from hansa.tasks.base import Task
from hansa.tasks.rows import Rows

Delta: TypeAlias = dict[str, NDArray[np.float32]]
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
    start: dict[str, NDArray[np.float32]] | None = None  # instead of the task's model 0


@dataclass(frozen=True)
class Played:
    """One finalised round, by players' names."""

    submitted: list[str]
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

    def verdicts(self, name: str) -> list[Code | None]:
        """None where the player did not submit."""
        return [
            played.ledger.judgements[played.submitted.index(name)].code if name in played.submitted else None
            for played in self.rounds
        ]


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
        history.rounds.append(Played(names, entry, {addresses[leaf.trainer]: Wei(leaf.pay) for leaf in entry.leaves}))
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
        seed = (job.seed * 1000 + number) * 1000 + index
        view = View(
            round=number,
            model=model,
            previous=previous,
            memory=memories[player.name],
            others=honestly,
            random=np.random.default_rng(seed),
            train=_trainer(job, player, model, seed),
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


def _trainer(job: Job, player: Player, model: Model, seed: int) -> Callable[[], Delta]:
    def train() -> Delta:
        if player.rows is None:
            raise ValueError(f"{player.name} has no rows")
        trained = job.world.task.train(model.tensors, player.rows, steps=job.steps, loss_threshold=None, seed=seed)
        return {name: trained.params[name] - value for name, value in model.tensors.items()}

    return train
