"""A job's history as it is exported: by round, and in each round by trainer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from hansa.cli.document import OMIT_NONE, Amount, Metric, Only
from hansa.cli.wallet.archived import ArchiveView
from hansa.protocol.cid import to_cid
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.ledger import RoundLedger
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import Address, Code
from hansa.runtime.amounts import Token
from hansa.runtime.history.records import CycleRecord, Failed, Finalized, JobHistory
from hansa.runtime.snapshot import misvoted


@dataclass(frozen=True)
class Source:
    """A job with its ledgers, from a chain or from an archive that passed its audit. gas: by round, where it is
    known."""

    history: JobHistory
    ledgers: Sequence[RoundLedger]
    spec: JobSpec
    chain_id: int
    federation: Address
    token: Token
    gas: Mapping[int, int]
    archive: ArchiveView | None = None


@dataclass(frozen=True)
class TrainerRow:
    """What one round was to one trainer."""

    trainer: Address
    verdict: str  # on its update; "absent" where it sent none
    included: bool
    gain: int | None  # medians of the committee, 1e-9 of validation loss; None unless the verdict is ok
    news: int | None
    pay: Amount | None  # None: the quorum voted other rewards than the sheets give, and nobody can claim
    strike: int
    reputation: int  # 1e-6


@dataclass(frozen=True)
class RoundRow:
    """One finalised round."""

    round: int
    ended: int  # Unix time
    cycle: int
    metric: Metric
    updates: int
    included: int
    model: str  # CID
    gas: int | None  # None: not known
    pay: Amount | None  # of all trainers; None as theirs
    trainers: list[TrainerRow]


@dataclass(frozen=True)
class FailedRow:
    """A cycle that came to nothing."""

    round: int
    cycle: int
    ended: int  # Unix time
    phase: str  # that ran out
    burnt: Amount


@dataclass(frozen=True)
class TrainerTotal:
    address: Address
    name: Annotated[str | None, OMIT_NONE]  # that this directory has for it
    pay: Amount
    strikes: int


@dataclass(frozen=True)
class HistoryView:
    """A job's finalised rounds, from the first, and who trained in it, as they enrolled."""

    job: int
    chain_id: int
    federation: Address
    sponsor: Address
    spec: str  # CID
    task: str
    title: str
    measure: str  # what the metric is
    outcome: str | None  # None while the job runs
    reward_per_round: Amount
    token: Annotated[Token, Only("address symbol decimals")]
    archive: Annotated[ArchiveView | None, OMIT_NONE]
    rounds: list[RoundRow]
    failed: list[FailedRow]
    trainers: list[TrainerTotal]


def view_history(source: Source, names: Mapping[Address, str]) -> HistoryView:
    """Everything that is exported of a job. names: what this directory calls an account."""
    history, spec = source.history, source.spec
    lost = set(misvoted(history, source.ledgers))
    rounds = [
        _round(cycle, outcome, ledger, history.trainers, source.gas.get(outcome.round), outcome.round not in lost)
        for (cycle, outcome), ledger in zip(history.finalised, source.ledgers, strict=True)
    ]
    return HistoryView(
        job=history.job,
        chain_id=source.chain_id,
        federation=source.federation,
        sponsor=history.posted.sponsor,
        spec=to_cid(history.posted.terms.spec),
        task=spec.task,
        title=spec.title,
        measure=spec.metric or "metric",
        outcome=None if history.ended is None else history.ended.name,
        reward_per_round=history.posted.terms.reward_per_round,
        token=source.token,
        archive=source.archive,
        rounds=rounds,
        failed=[_failed(cycle, cycle.outcome) for cycle in history.cycles if isinstance(cycle.outcome, Failed)],
        trainers=[_total(trainer, names.get(trainer), rounds) for trainer in history.trainers],
    )


def _round(
    cycle: CycleRecord,
    outcome: Finalized,
    ledger: RoundLedger,
    trainers: Sequence[Address],
    gas: int | None,
    is_claimable: bool,
) -> RoundRow:
    return RoundRow(
        round=outcome.round,
        ended=outcome.time,
        cycle=cycle_counter(cycle.cycle),
        metric=outcome.metric,
        updates=len(cycle.updates),
        included=len(ledger.included),
        model=to_cid(outcome.model),
        gas=gas,
        pay=sum(leaf.pay for leaf in ledger.leaves) if is_claimable else None,
        trainers=[_trainer(cycle, ledger, trainer, is_claimable) for trainer in trainers],
    )


def _trainer(cycle: CycleRecord, ledger: RoundLedger, trainer: Address, is_claimable: bool) -> TrainerRow:
    leaf = next(leaf for leaf in ledger.leaves if leaf.trainer == trainer)
    place = cycle.place_of(trainer)
    judgement = None if place is None else ledger.judgements[place]
    is_ok = judgement is not None and judgement.code == Code.OK
    return TrainerRow(
        trainer=trainer,
        verdict="absent" if judgement is None else judgement.code.name.lower(),
        included=place in ledger.included,
        gain=judgement.gain if judgement is not None and is_ok else None,
        news=judgement.news if judgement is not None and is_ok else None,
        pay=leaf.pay if is_claimable else None,
        strike=leaf.strike,
        reputation=leaf.reputation,
    )


def _failed(cycle: CycleRecord, outcome: Failed) -> FailedRow:
    return FailedRow(cycle.round, cycle_counter(cycle.cycle), outcome.time, outcome.phase.name, outcome.burnt)


def _total(trainer: Address, name: str | None, rounds: Sequence[RoundRow]) -> TrainerTotal:
    own = [row for each in rounds for row in each.trainers if row.trainer == trainer]
    return TrainerTotal(trainer, name, sum(row.pay or 0 for row in own), sum(row.strike for row in own))
