"""What a federation did; everything in it comes from chain and store, not from the daemons."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from hansa.cli.demo.gas import CALLS, Gas, gas_used
from hansa.cli.document import INLINE, Amount, Metric
from hansa.cli.wallet.history import movements
from hansa.devnet.federation import LocalFederation
from hansa.devnet.gasless import have_sent_nothing
from hansa.protocol.cid import to_cid
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.model import Model
from hansa.protocol.types import Address, JobId
from hansa.runtime.chain.federation import Federation
from hansa.runtime.snapshot import Attendance, FullSnapshot, read_job

FETCH_SECONDS = 20.0


@dataclass(frozen=True)
class RoundView:
    round: int
    cycle: int
    model: str  # CID
    metric: Metric
    updates: int
    included: int
    gas: int


@dataclass(frozen=True)
class ScoreRow:
    """The task's measure as fractions; mean: None where nothing was measured."""

    mean: float | None
    by_trainer: dict[str, float]


@dataclass(frozen=True)
class Accuracy:
    """Of the last model, and of the baselines beside it; None: no such."""

    federated: ScoreRow
    local_own: ScoreRow
    local_all: ScoreRow
    pooled: float | None
    majority: float | None
    others: Annotated[dict[str, float | None], INLINE]


@dataclass(frozen=True)
class Reward:
    address: Address
    pay: Amount
    strikes: int
    reputation: int  # 1e-6
    claimed: Amount
    balance: Amount


@dataclass(frozen=True)
class ValidatorPay:
    address: Address
    attendance: Annotated[Attendance, INLINE]
    paid: Amount


@dataclass(frozen=True)
class Conservation:
    """escrowed = paid + refunded + burnt + left, of the escrow alone: penalties come off the bonds."""

    escrowed: Amount
    paid: Amount
    refunded: Amount
    burnt: Amount
    left: Amount

    @property
    def holds(self) -> bool:
        return self.escrowed == self.paid + self.refunded + self.burnt + self.left


@dataclass(frozen=True)
class DemoView:
    job: int
    chain_id: int
    task: str
    rounds: list[RoundView]
    accuracy: Accuracy
    rewards: list[Reward]
    validators: list[ValidatorPay]
    gas: dict[str, int]  # mean by call
    conservation: Conservation
    seconds: float
    coinless: bool  # whether no trainer had any of the chain's coin, or sent a transaction


def report(local: LocalFederation, baselines: Path | None, seconds: float) -> tuple[DemoView, FullSnapshot, Gas]:
    """The demo's answer, and what it was made from."""
    federation, job = local.session.federation, local.posted.job
    snapshot = read_job(federation, local.session.store, job)
    contracts = {federation.address.lower(): "Federation", federation.vault.lower(): "Vault"}
    first = max(local.first_block, local.session.chain.first_number)
    gas = gas_used(local.anvil.url, contracts, first, snapshot.at.number)
    view = DemoView(
        job=job,
        chain_id=local.session.deployment.chain_id,
        task=snapshot.context.spec.task,
        rounds=[_view_round(snapshot, gas, number) for number in range(1, len(snapshot.rounds) + 1)],
        accuracy=accuracy(local, snapshot, baselines),
        rewards=[_view_reward(snapshot, federation, trainer) for trainer in local.trainers],
        validators=[_view_validator(snapshot, local, member) for member in local.members],
        gas={name: gas.mean(name) for name in CALLS.values()},
        conservation=conservation(federation, job),
        seconds=round(seconds, 1),
        coinless=local.setup.gasless and have_sent_nothing(local.anvil, local.trainers),
    )
    return view, snapshot, gas


def _view_round(snapshot: FullSnapshot, gas: Gas, number: int) -> RoundView:
    cycle, outcome = snapshot.finalised[number - 1]
    return RoundView(
        round=number,
        cycle=cycle_counter(cycle.cycle),
        model=to_cid(outcome.model),
        metric=outcome.metric,
        updates=len(cycle.updates),
        included=len(snapshot.rounds[number - 1].included),
        gas=gas.by_round[number],
    )


def accuracy(local: LocalFederation, snapshot: FullSnapshot, baselines: Path | None) -> Accuracy:
    """The task's measure of the last model on each party's test rows, and the baselines beside it."""
    task: Any = local.prepared.task
    nothing = federated = _score({})
    if snapshot.finalised and hasattr(task, "scores"):
        digest, limit = snapshot.finalised[-1][1].model, snapshot.context.spec.model_bytes
        model = Model.decode(local.session.store.get(digest, limit=limit, timeout=FETCH_SECONDS))
        federated = _score(task.scores(model.tensors).by_party)
    beside: Mapping[str, Any] = json.loads(baselines.read_text()) if baselines is not None else {}
    found = {name: _score(scores["by_party"]) for name, scores in beside.items()}
    return Accuracy(
        federated=federated,
        local_own=found.pop("local_own", nothing),
        local_all=found.pop("local_all", nothing),
        pooled=found.pop("pooled", nothing).mean,
        majority=found.pop("majority", nothing).mean,
        others={name: scores.mean for name, scores in found.items()},
    )


def _score(by_party: Mapping[str, float]) -> ScoreRow:
    values = list(by_party.values())
    return ScoreRow(
        mean=round(sum(values) / len(values), 6) if values else None,
        by_trainer={name: round(value, 6) for name, value in by_party.items()},
    )


def _view_reward(snapshot: FullSnapshot, federation: Federation, trainer: Address) -> Reward:
    leaves = list(snapshot.leaves(trainer))
    done = federation.claimed_rounds(snapshot.job, trainer, [number for number, _ in leaves])
    return Reward(
        address=trainer,
        pay=snapshot.earned(trainer),
        strikes=snapshot.strikes(trainer),
        reputation=snapshot.reputation(trainer),
        claimed=sum(leaf.pay for number, leaf in leaves if number in done),
        balance=federation.token_balance(snapshot.terms.token, trainer),
    )


def _view_validator(snapshot: FullSnapshot, local: LocalFederation, member: Address) -> ValidatorPay:
    moved = movements(local.session, member, snapshot.job)
    paid = sum(row.amount for row in moved if row.kind == "FeesClaimed")
    return ValidatorPay(member, snapshot.attendance(member), paid)


def conservation(federation: Federation, job: JobId) -> Conservation:
    """What became of a job's escrow."""
    books = federation.books(job)
    return Conservation(
        escrowed=books.escrowed,
        paid=books.paid,
        refunded=books.refunded,
        burnt=books.burnt - books.forfeited,
        left=books.left + books.booked - books.paid,
    )
