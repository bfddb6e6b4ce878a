"""`hansa job show`: a job on the screen and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from hansa.cli.command import Command
from hansa.cli.document import HIDDEN, INLINE, OMIT_NONE, Amount, Metric, Only
from hansa.cli.job.parties import PartiesView, view_parties, who_becomes_one
from hansa.cli.job.state import MONEY, JobNumber, Money, State, metric_text, rest_lines
from hansa.cli.tables import fitting, named, naming, shortened, wrapping_table
from hansa.protocol.cid import to_cid
from hansa.protocol.errors import HansaError
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.phases import PHASES
from hansa.protocol.spec import JobSpec
from hansa.protocol.text import counted, escape_untrusted
from hansa.protocol.types import UNIT, Address, JobId, Phase
from hansa.runtime.accounts import names_of_accounts
from hansa.runtime.amounts import Token, fixed
from hansa.runtime.chain.federation import Federation
from hansa.runtime.chain.structs import JobTerms
from hansa.runtime.follower import JobFollower
from hansa.runtime.history.records import CycleRecord, Failed, Submitted
from hansa.runtime.session import connect
from hansa.runtime.snapshot import Attendance, FullSnapshot, JobSnapshot, SettledSnapshot, read_snapshot, with_ledgers
from hansa.sponsor.terms import NO_TARGET, in_words

LONGEST_TASK = 80  # characters of a name that a line shows

Terms = Annotated[
    JobTerms,
    Only(
        "token committee admission reward_per_round fee_per_seat min_bond strike_penalty target=target_metric "
        "max_rounds max_trainers min_updates seats quorum claim_time",
        target=lambda metric: None if metric == NO_TARGET else metric / UNIT,
    ),
]
Update = Annotated[Submitted, Only("trainer cid=digest", cid=to_cid)]


@dataclass(frozen=True)
class SpecView:
    cid: str
    spec: Annotated[JobSpec | None, INLINE]
    problem: Annotated[str | None, OMIT_NONE]  # why it can't be read
    sees: Annotated[str | None, OMIT_NONE] = None  # who can see one update; None where it can't be read


@dataclass(frozen=True)
class FailedView:
    burnt: Amount
    phase: Annotated[Phase, HIDDEN]  # that ran out; `outcome` has its name


@dataclass(frozen=True)
class FinalisedView:
    model: str  # CID
    metric: Metric
    included: int | None  # updates; None where that can't be worked out
    matched: list[int]  # seats


@dataclass(frozen=True)
class CycleView:
    cycle: int
    round: int
    updates: Sequence[Update]
    outcome: str
    end: Annotated[FailedView | FinalisedView | None, INLINE]


@dataclass(frozen=True)
class TrainerView:
    address: Address
    bond: Amount
    earned: Amount | None  # None, as the next two, where it can't be worked out
    strikes: int | None
    reputation: int | None  # in 1e-6


@dataclass(frozen=True)
class ValidatorView:
    address: Address
    attendance: Annotated[Attendance, INLINE]


@dataclass(frozen=True)
class JobView:
    job: int
    sponsor: Address
    state: State
    spec: SpecView
    terms: Terms
    parties: Annotated[PartiesView, INLINE]
    cycles: list[CycleView]
    trainers: list[TrainerView]
    validators: list[ValidatorView]
    claim_until: int | None
    books: Money


def run(command: Command, job: JobNumber) -> None:
    """Terms, state, rounds and accounts of a job.

    Ends with 1 where its spec can't be read, and shows the rest.
    """
    session = connect(command.workspace)
    follower = JobFollower(session.federation, session.store, JobId(job))
    snapshot = read_snapshot(follower)
    problem: str | None = None
    try:
        snapshot = with_ledgers(follower)
    except HansaError as error:
        problem = str(error)
    view = view_job(snapshot, session.federation, problem)
    token, names = session.token(view.terms.token), names_of_accounts(command.workspace.keys)
    command.answer(view, lambda console: show(console, view, token, names))
    if problem is not None:
        raise typer.Exit(1)


def view_job(snapshot: JobSnapshot, federation: Federation, problem: str | None = None) -> JobView:
    """Everything about a job. problem: why its spec can't be read, and so what follows from that is None."""
    terms, books, spec = snapshot.terms, federation.books(snapshot.job), _view_spec(snapshot, problem)
    parties = view_parties(federation, snapshot.job, terms, snapshot.state, spec.spec)
    if spec.sees is not None:
        spec = replace(spec, sees=f"{spec.sees}{who_becomes_one(parties.committee)}")
    return JobView(
        job=snapshot.job,
        sponsor=snapshot.state.sponsor,
        state=snapshot.state,
        spec=spec,
        terms=terms,
        parties=parties,
        cycles=[_view_cycle(snapshot, cycle) for cycle in snapshot.history.cycles],
        trainers=[_view_trainer(snapshot, item.trainer, item.bond) for item in snapshot.history.enrolled],
        validators=[ValidatorView(member, snapshot.attendance(member)) for member in snapshot.members()],
        claim_until=books.claim_until or None,
        books=books,
    )


def _view_spec(snapshot: JobSnapshot, problem: str | None) -> SpecView:
    cid = to_cid(snapshot.terms.spec)
    if not isinstance(snapshot, FullSnapshot):
        return SpecView(cid, None, problem)
    return SpecView(cid, snapshot.context.spec, problem, snapshot.context.who_sees)


def _view_cycle(snapshot: JobSnapshot, cycle: CycleRecord) -> CycleView:
    said, end = _view_outcome(snapshot, cycle)
    return CycleView(cycle_counter(cycle.cycle), cycle.round, cycle.updates, said, end)


def _view_outcome(snapshot: JobSnapshot, cycle: CycleRecord) -> tuple[str, FailedView | FinalisedView | None]:
    outcome = cycle.outcome
    if outcome is None:
        return "under way", None
    if isinstance(outcome, Failed):
        return f"failed in {outcome.phase.name}", FailedView(outcome.burnt, outcome.phase)
    rounds = snapshot.rounds if isinstance(snapshot, SettledSnapshot) else None
    included = None if rounds is None else len(rounds[cycle.round - 1].included)
    matched = [seat for seat in range(len(cycle.committee)) if outcome.matched >> seat & 1]
    return "finalised", FinalisedView(to_cid(outcome.model), outcome.metric, included, matched)


def _view_trainer(snapshot: JobSnapshot, trainer: Address, bond: int) -> TrainerView:
    if not isinstance(snapshot, SettledSnapshot):
        return TrainerView(trainer, bond, None, None, None)
    return TrainerView(trainer, bond, snapshot.earned(trainer), snapshot.strikes(trainer), snapshot.reputation(trainer))


def show(console: Console, view: JobView, token: Token, names: Mapping[Address, str]) -> None:
    """One job: what it is, its rounds, its people, its money. names: what this directory calls an account."""
    terms, state, spec = view.terms, view.state, view.spec.spec
    at = f"after {state.round - 1}" if not state.deadline else f"round {state.round}"
    task = "task unknown" if spec is None else escape_untrusted(spec.task, LONGEST_TASK)
    rule = f"           can't be read: {view.spec.problem}"
    if spec is not None:
        measure = "" if spec.metric is None else f"\n  metric   {escape_untrusted(spec.metric)}"
        rule = f"  rule     {spec.rule}, {spec.bits} bits{measure}"
    console.print(
        f"[bold]job {view.job}[/]  {task}  {PHASES[state.phase].title}, {at} of {counted(terms.max_rounds, 'round')}"
    )
    if spec is not None and spec.title:
        console.print(f"  title    {escape_untrusted(spec.title)}")
    if spec is not None and spec.about:
        console.print(f"  about    {escape_untrusted(' '.join(spec.about.split()))}")
    console.print(f"  sponsor  {named(view.sponsor, names)}\n  spec     {view.spec.cid}\n{rule}")
    reward, fee, bond = map(token.text, (terms.reward_per_round, terms.fee_per_seat, terms.min_bond))
    quorum = f"quorum {terms.quorum} of {terms.seats}"
    console.print(f"  pays     {reward} a round, {fee} a seat; bond {bond}; {quorum}")
    console.print(f"  claims   {_claims(terms.claim_time, view.claim_until)}")
    console.print(f"  decides  {naming(view.parties.committee.says, names)}")
    console.print(f"  admits   {naming(view.parties.admission.says, names)}")
    if view.parties.measures is not None:
        console.print(f"  measures {view.parties.measures}")
    if view.spec.sees is not None:
        console.print(f"  privacy  {view.spec.sees}")
    console.print()
    tables: list[Callable[[bool], Table]] = []
    if view.cycles:
        tables.append(lambda short: _cycles(view.cycles, short))
    if view.trainers:
        tables.append(lambda short: _trainers(view.trainers, token, names, short))
    if view.validators:
        tables.append(lambda short: _validators(view.validators, names, short))
    for make in tables:
        console.print(fitting(console, make, False, True)[0])
        console.print()
    if state.phase.is_over:
        for line in rest_lines(view.books, token):
            console.print(line)
    console.print("  ".join(f"{name} {token.text(getattr(view.books, name), unit=False)}" for name in MONEY.split()))


def _cycles(cycles: list[CycleView], short: bool) -> Table:
    table = wrapping_table("round", "attempt", "updates", "used", "metric", "model or failure")
    attempts = Counter[int]()
    for cycle in cycles:
        attempts[cycle.round] += 1
        used, metric, model = "", "", cycle.outcome
        if isinstance(cycle.end, FinalisedView):
            used, metric, model = _known(cycle.end.included), metric_text(cycle.end.metric), cycle.end.model
        if isinstance(cycle.end, FailedView):
            model = f"failed: {PHASES[cycle.end.phase].title.lower()}"
        numbers = (str(cycle.round), str(attempts[cycle.round]), str(len(cycle.updates)))
        table.add_row(*numbers, used, metric, shortened(model, short))
    return table


def _trainers(trainers: list[TrainerView], token: Token, names: Mapping[Address, str], short: bool) -> Table:
    table = wrapping_table("trainer", "bond", "earned", "strikes", "reputation")
    for item in trainers:
        earned = None if item.earned is None else token.text(item.earned)
        reputation = None if item.reputation is None else fixed(item.reputation, 6, 3)
        numbers = map(_known, (earned, item.strikes, reputation))
        table.add_row(named(item.address, names, short), token.text(item.bond), *numbers)
    return table


def _validators(validators: list[ValidatorView], names: Mapping[Address, str], short: bool) -> Table:
    table = wrapping_table("validator", "matched", "wrong", "missed")
    for item in validators:
        did = item.attendance
        table.add_row(named(item.address, names, short), str(did.matched), str(did.wrong), str(did.missed))
    return table


def _known(value: object) -> str:
    return "–" if value is None else str(value)


def _claims(seconds: int, until: int | None) -> str:
    """How long pay and fees can be claimed."""
    after = f"{in_words(seconds)} after the job's end; what is claimed later is lost"
    if until is None:
        return f"until {after}"
    return f"until {datetime.fromtimestamp(until).isoformat(' ', 'seconds')}, {after}"
