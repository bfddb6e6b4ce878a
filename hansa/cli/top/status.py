"""How a running job stands: who has acted in its phase, who is waited for, what the last round said. Read by `top`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from hansa.cli.job.show import metric_of, state_data
from hansa.protocol.baselines import parse_baselines
from hansa.protocol.phases import PHASES, STEPS
from hansa.protocol.types import UNIT, Phase
from hansa.runtime.history.turn import whose_turn
from hansa.runtime.snapshot import FullSnapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hansa.protocol.types import Address
    from hansa.runtime.chain.federation import Books, JobState


def describe(view: FullSnapshot, books: Books, names: Mapping[Address, str], misvoted: list[int]) -> dict[str, Any]:
    """One job at one block, as JSON: amounts are integer strings, gains in 1e-9, parts and metrics numbers.

    names: what this directory calls an account. misvoted: finalised rounds whose rewards differ from their sheets.
    """
    acted, awaited = whose_turn(view.state, view.history)
    terms = view.context.terms
    return {
        "job": view.job,
        "task": view.context.spec.task,
        "block": view.at.number,
        "timestamp": view.at.timestamp,
        **state_data(view.state),
        "rounds": {"finalised": len(view.rounds), "at_most": terms.max_rounds},
        "phase_seconds": PHASES[view.state.phase].seconds(terms),
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


def seconds_left(state: JobState, block_time: int) -> int:
    """Until the phase runs out, by this machine's clock where that is past the last block; 0 where it has no end."""
    return max(0, state.deadline - max(int(time.time()), block_time)) if state.deadline else 0


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
    did = [] if seat is None else [step.acted for step in STEPS if step.seats_acted(state) >> seat & 1]
    return {
        **_person(who, names),
        "seat": seat,
        "did": did[-1] if did else None,
        "matched": attended.matched,
        "wrong": attended.wrong,
        "missed": attended.missed,
        "fees": str(attended.matched * view.context.terms.fee_per_seat),
    }
