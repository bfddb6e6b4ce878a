"""ATTEST and RELEASE, what every privacy mode that has them does alike: when a member acts, what it journals before it
sends, and when what it released may be given away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hansa.protocol.errors import NotFound, SpoiltModel, StoreUnavailable, WrongBytes
from hansa.protocol.types import Digest, Phase, Seat, Timestamp
from hansa.runtime.chain.federation import JobState
from hansa.runtime.desk import Desk
from hansa.runtime.history.records import CycleRecord
from hansa.runtime.journal import Key

MODEL_MISSING = (SpoiltModel, NotFound, StoreUnavailable, WrongBytes)
"""What may be raised for the model that updates start from, or one before it, where it can't be had or used."""
SOON = 0.1  # seconds until updates that were just registered may have been published


def is_time(desk: Desk, state: JobState, length: int, is_ready: bool) -> bool:
    """Whether to do what the present phase is for: when all is ready, at the latest when half of it is over.

    length: of the phase, in seconds. Looks again soon where it isn't time.
    """
    half = state.deadline - length // 2
    if is_ready or desk.follower.is_past_time(half):
        return True
    desk.alarm.awaited = Timestamp(half)
    desk.alarm.look_again(SOON)
    return False


def bitmap(bits: Sequence[bool]) -> bytes:
    """Bit i has the value 2^(i mod 8) of byte i // 8; those beyond the last are 0."""
    number = sum(1 << place for place, bit in enumerate(bits) if bit)
    return number.to_bytes((len(bits) + 7) // 8, "little")


def is_set(bits: bytes, place: int) -> bool:
    return bool(bits[place // 8] >> place % 8 & 1)


def step_key(desk: Desk, cycle: CycleRecord, step: str) -> Key:
    """Where the journal keeps what was said of a cycle with these updates: a reorganisation may give it others."""
    return (desk.follower.job, cycle.cycle, step, cycle.updates_acc)


def attest(desk: Desk, state: JobState, seat: Seat, look: Callable[[], Sequence[bool] | None]) -> None:
    """Says which updates this member has, once. look: by place; None while it is not time to say so."""
    follower = desk.follower
    if state.attested >> seat & 1 or not follower.is_settled():
        return
    cycle = follower.cycle()
    known = _remembered(desk, cycle, "attest", lambda: None if (bits := look()) is None else {"bits": bitmap(bits)})
    if known is not None:
        call = follower.federation.attest_call(follower.job, cycle.cycle, seat, known["bits"])
        desk.send(call, "attest", cycle.cycle, known["bits"])


def release(desk: Desk, state: JobState, seat: Seat, make: Callable[[], Digest | None]) -> None:
    """Releases a file, once. make: puts it into the journal and gives its digest; None while it is not time."""
    follower = desk.follower
    if state.released >> seat & 1 or not follower.is_settled():
        return
    cycle = follower.cycle()
    known = _remembered(desk, cycle, "release", lambda: None if (digest := make()) is None else {"digest": digest})
    if known is not None:
        call = follower.federation.release_call(follower.job, cycle.cycle, seat, known["digest"])
        desk.send(call, "release", cycle.cycle, known["digest"])


def own_release(desk: Desk, cycle: CycleRecord) -> Digest | None:
    """The file that the journal says this member released, where the chain says so too."""
    known = desk.journal.recall(step_key(desk, cycle, "release"))
    if known is None or desk.me not in cycle.committee:
        return None
    digest: Digest = known["digest"]
    return digest if cycle.releases.get(Seat(cycle.committee.index(desk.me))) == digest else None


def may_open(desk: Desk, cycle: CycleRecord) -> bool:
    """Whether what was released of a cycle may be given away: RELEASE is over, `confirmations` deep, and did not lapse.
    Where it lapsed it never may."""
    least = desk.follower.context.terms.threshold
    return len(cycle.releases) >= least and desk.follower.is_past(Phase.RELEASE, cycle)


def _remembered(
    desk: Desk, cycle: CycleRecord, step: str, make: Callable[[], dict[str, Any] | None]
) -> dict[str, Any] | None:
    """What the journal keeps of a step; made, where it is time to, and kept before it is sent."""
    key = step_key(desk, cycle, step)
    known = desk.journal.recall(key)
    if known is None and (made := make()) is not None:
        known = desk.journal.remember(key, lambda: made)
    return known
