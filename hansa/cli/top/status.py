"""How a running job stands: who has acted in its phase, who is waited for, what the last round said. Read by `top`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from hansa.cli.document import INLINE, Amount, Metric
from hansa.cli.job.state import Money, State
from hansa.protocol.baselines import parse_baselines
from hansa.protocol.phases import PHASES, STEPS
from hansa.protocol.types import Address, Code, Phase
from hansa.runtime.chain.structs import Books, JobState
from hansa.runtime.history.turn import whose_turn
from hansa.runtime.snapshot import Attendance, FullSnapshot


@dataclass(frozen=True)
class Person:
    address: Address
    name: str | None  # that this directory has for it


@dataclass(frozen=True)
class TrainerRow(Person):
    """A trainer: its update of the cycle under way, what the last finalised round said, what it has earned."""

    submitted: bool
    verdict: str | None
    gain: int | None  # 1e-9
    share: float | None  # of the round's pay
    earned: Amount
    strikes: int
    reputation: int  # 1e-6


@dataclass(frozen=True)
class ValidatorRow(Person):
    seat: int | None
    did: str | None  # the last thing in this cycle
    attendance: Annotated[Attendance, INLINE]
    fees: Amount


@dataclass(frozen=True)
class RoundCount:
    finalised: int
    at_most: int


@dataclass(frozen=True)
class JobStatus:
    """One job at one block. misvoted: finalised rounds whose rewards differ from what their sheets give."""

    job: int
    task: str
    block: int
    timestamp: int
    state: Annotated[State, INLINE]
    rounds: RoundCount
    phase_seconds: int  # that the phase may last; 0 where it has no end
    seconds_left: int
    acted: list[Person]
    awaited: list[Person]
    places_left: int
    metrics: list[Metric]  # by round
    baselines: dict[str, Metric]
    misvoted: list[int]
    trainers: list[TrainerRow]
    validators: list[ValidatorRow]
    token: Address
    reward_per_round: Amount
    fee_per_seat: Amount
    money: Money
    age: int = 0  # seconds since the block


def job_status(view: FullSnapshot, books: Books, names: Mapping[Address, str], misvoted: list[int]) -> JobStatus:
    """names: what this directory calls an account. misvoted: as `SettledSnapshot.misvoted` says."""
    acted, awaited = whose_turn(view.state, view.history)
    terms = view.context.terms
    return JobStatus(
        job=view.job,
        task=view.context.spec.task,
        block=view.at.number,
        timestamp=view.at.timestamp,
        state=view.state,
        rounds=RoundCount(len(view.rounds), terms.max_rounds),
        phase_seconds=PHASES[view.state.phase].seconds(terms),
        seconds_left=seconds_left(view.state, view.at.timestamp),
        acted=[Person(who, names.get(who)) for who in acted],
        awaited=[Person(who, names.get(who)) for who in awaited],
        places_left=terms.max_trainers - view.state.enrolled if view.state.phase == Phase.ENROL else 0,
        metrics=[outcome.metric for _, outcome in view.finalised],
        baselines=dict(parse_baselines(view.context.spec.baselines)),
        misvoted=misvoted,
        trainers=[_view_trainer(view, who, names) for who in view.trainers],
        validators=[_view_validator(view, who, names) for who in view.members()],
        token=terms.token,
        reward_per_round=terms.reward_per_round,
        fee_per_seat=terms.fee_per_seat,
        money=books,
    )


def seconds_left(state: JobState, block_time: int) -> int:
    """Until the phase runs out, by this machine's clock where that is past the last block; 0 where it has no end."""
    return max(0, state.deadline - max(int(time.time()), block_time)) if state.deadline else 0


def _view_trainer(view: FullSnapshot, who: Address, names: Mapping[Address, str]) -> TrainerRow:
    cycle = view.history.cycles[-1] if view.history.cycles else None
    verdict, gain, share = _view_last_round(view, who) if view.rounds else (None, None, None)
    return TrainerRow(
        who,
        names.get(who),
        submitted=cycle is not None and cycle.has_update_of(who),
        verdict=verdict,
        gain=gain,
        share=share,
        earned=view.earned(who),
        strikes=view.strikes(who),
        reputation=view.reputation(who),
    )


def _view_last_round(view: FullSnapshot, who: Address) -> tuple[str, int | None, float | None]:
    """Verdict, gain and share of the last finalised round."""
    record, ledger = view.finalised[-1][0], view.rounds[-1]
    place = record.place_of(who)
    if place is None:
        return "absent", None, None
    judged = ledger.judgements[place]
    dropped = judged.code == Code.OK and place not in ledger.included
    total = sum(share.p for share in ledger.shares.values())
    part = ledger.shares[who].p / total if total and who in ledger.shares else None
    return "dropped" if dropped else judged.code.name.lower(), judged.gain, part


def _view_validator(view: FullSnapshot, who: Address, names: Mapping[Address, str]) -> ValidatorRow:
    attended, seat = view.attendance(who), view.state.seat_of(who)
    did = [] if seat is None else [step.acted for step in STEPS if step.seats_acted(view.state) >> seat & 1]
    return ValidatorRow(
        who,
        names.get(who),
        seat=seat,
        did=did[-1] if did else None,
        attendance=attended,
        fees=attended.matched * view.context.terms.fee_per_seat,
    )
