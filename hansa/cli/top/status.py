"""How a running job stands: who has acted in its phase, who is waited for, what the last round said. Read by `top`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from hansa.cli.job.show import metric_of, state_data
from hansa.protocol.baselines import parse_baselines
from hansa.protocol.hashes import everybody_due
from hansa.protocol.types import UNIT, Phase
from hansa.runtime.snapshot import FullSnapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hansa.protocol.types import Address
    from hansa.runtime.chain.federation import Books, JobState

DID = {
    Phase.ATTEST: "attested",
    Phase.RELEASE: "released",
    Phase.SCORE: "committed",
    Phase.REVEAL: "revealed",
    Phase.VOTE: "voted",
}
"""By phase of the committee: the bitmap of who has acted in it."""


def describe(view: FullSnapshot, books: Books, names: Mapping[Address, str], misvoted: list[int]) -> dict[str, Any]:
    """One job at one block, as JSON: amounts are integer strings, gains in 1e-9, parts and metrics numbers.

    names: what this directory calls an account. misvoted: finalised rounds whose rewards differ from their sheets.
    """
    acted, awaited = whose_turn(view)
    terms = view.context.terms
    return {
        "job": view.job,
        "task": view.context.spec.task,
        "block": view.at.number,
        "timestamp": view.at.timestamp,
        **state_data(view.state),
        "rounds": {"finalised": len(view.rounds), "at_most": terms.max_rounds},
        "phase_seconds": phase_seconds(view),
        "seconds_left": seconds_left(view.state, view.at.timestamp),
        "acted": [_person(who, names) for who in acted],
        "awaited": [_person(who, names) for who in awaited],
        "places_left": terms.max_trainers - view.state.enrolled if view.state.phase == Phase.ENROL else 0,
        "metrics": [metric_of(outcome.metric) for _, outcome in view.finalised],
        "baselines": {name: metric / UNIT for name, metric in parse_baselines(view.context.spec.baselines)},
        "misvoted": misvoted,
        "trainers": [_trainer(view, who, names) for who in view.trainers],
        "validators": [_validator(view, who, names) for who in view.members()],
        "token": terms.token,
        "reward_per_round": str(terms.reward_per_round),
        "fee_per_seat": str(terms.fee_per_seat),
        "money": {
            name: str(getattr(books, name))
            for name in ("escrowed", "left", "booked", "paid", "burnt", "refunded", "bonded")
        },
    }


def whose_turn(view: FullSnapshot) -> tuple[list[Address], list[Address]]:
    """Who has acted in the present phase, and who is due and has not; nobody in phases that anyone may end."""
    state, cycles = view.state, view.history.cycles
    if state.phase == Phase.ENROL:
        return view.trainers, []
    if state.phase == Phase.SUBMIT and cycles:
        acted = [update.trainer for update in cycles[-1].updates]
        before = {update.trainer for update in cycles[-2].updates} if len(cycles) > 1 else set()
        due = [who for who in view.trainers if everybody_due(state.cycle) or who in before]
        return acted, [who for who in due if who not in acted]
    if state.phase not in DID:
        return [], []
    done = getattr(state, DID[state.phase])
    due_seats = {Phase.REVEAL: state.committed, Phase.VOTE: state.revealed}.get(state.phase, state.due)
    return _members(state, done), _members(state, due_seats & ~done)


def seconds_left(state: JobState, block_time: int) -> int:
    """Until the phase runs out, by this machine's clock where that is past the last block; 0 where it has no end."""
    return max(0, state.deadline - max(int(time.time()), block_time)) if state.deadline else 0


def phase_seconds(view: FullSnapshot) -> int:
    """How long the phase may last; 0 where it has no end."""
    return int(getattr(view.context.terms, f"{view.state.phase.name.lower()}_time", 0))


def _members(state: JobState, bitmap: int) -> list[Address]:
    return [member for seat, member in enumerate(state.committee) if bitmap >> seat & 1]


def _person(who: Address, names: Mapping[Address, str]) -> dict[str, Any]:
    return {"address": who, "name": names.get(who)}


def _trainer(view: FullSnapshot, who: Address, names: Mapping[Address, str]) -> dict[str, Any]:
    """A trainer: its update of the cycle under way, what the last finalised round said, what it has earned."""
    cycle = view.history.cycles[-1] if view.history.cycles else None
    data: dict[str, Any] = {
        **_person(who, names),
        "submitted": cycle is not None and any(update.trainer == who for update in cycle.updates),
        "verdict": None,
        "gain": None,
        "share": None,
        "earned": str(view.earned(who)),
        "strikes": view.strikes(who),
        "reputation": view.reputation(who),
    }
    if not view.rounds:
        return data
    record, ledger = view.finalised[-1][0], view.rounds[-1]
    place = next((i for i, update in enumerate(record.updates) if update.trainer == who), None)
    if place is None:
        return {**data, "verdict": "absent"}
    judged = ledger.judgements[place]
    ok = judged.code.name.lower()
    data |= {"verdict": "dropped" if ok == "ok" and place not in ledger.included else ok, "gain": judged.gain}
    total = sum(share.p for share in ledger.shares.values())
    if total and who in ledger.shares:
        data["share"] = ledger.shares[who].p / total
    return data


def _validator(view: FullSnapshot, who: Address, names: Mapping[Address, str]) -> dict[str, Any]:
    attended, state = view.attendance(who), view.state
    seat = view.seat(who)
    did = [] if seat is None else [name for name in DID.values() if getattr(state, name) >> seat & 1]
    return {
        **_person(who, names),
        "seat": seat,
        "did": did[-1] if did else None,
        "matched": attended.matched,
        "wrong": attended.wrong,
        "missed": attended.missed,
        "fees": str(attended.matched * view.context.terms.fee_per_seat),
    }
