"""Whose turn it is in a job: who has acted in its phase, and who is waited for."""

from __future__ import annotations

from typing import NamedTuple

from hansa.protocol.hashes import everybody_due
from hansa.protocol.phases import PHASES, STEPS
from hansa.protocol.types import Address, Phase
from hansa.runtime.chain.structs import JobState
from hansa.runtime.history.records import JobHistory


class Turn(NamedTuple):
    acted: list[Address]
    awaited: list[Address]


def whose_turn(state: JobState, history: JobHistory) -> Turn:
    """Who has acted in the present phase, and who is due and has not; nobody in phases that anyone may end."""
    trainers, cycles = [enrolment.trainer for enrolment in history.enrolled], history.cycles
    if state.phase == Phase.ENROL:
        return Turn(trainers, [])
    if state.phase == Phase.SUBMIT and cycles:
        acted = [update.trainer for update in cycles[-1].updates]
        before = {update.trainer for update in cycles[-2].updates} if len(cycles) > 1 else set()
        due = [who for who in trainers if everybody_due(state.cycle) or who in before]
        return Turn(acted, [who for who in due if who not in acted])
    row = PHASES[state.phase]
    return Turn(_members(state, row.seats_acted(state)), _members(state, row.seats_awaited(state)))


def counts(state: JobState) -> tuple[int, ...]:
    """What changes whenever somebody acts, or the phase does."""
    return (state.phase, state.cycle, state.enrolled, state.submitted, *(step.seats_acted(state) for step in STEPS))


def _members(state: JobState, bitmap: int) -> list[Address]:
    return [member for seat, member in enumerate(state.committee) if bitmap >> seat & 1]
