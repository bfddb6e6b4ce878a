"""A trainer's bytes are given away once they can't be copied, and served as long as they are needed: after SUBMIT, or
where it takes several members to open them, as soon as they are registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hansa.protocol.cid import NO_DIGEST, to_cid
from hansa.protocol.content_keys import encode_keys
from hansa.protocol.privacy import THRESHOLD
from hansa.protocol.types import Digest, Phase
from hansa.runtime.chain.federation import JobState
from hansa.runtime.chain.refusals import explain
from hansa.runtime.desk import Desk
from hansa.runtime.history.records import CycleRecord, Failed, Submitted
from hansa.runtime.transactions.sender import Pending, Refused

KEPT = 2  # cycles, and models, whose own files stay in the journal


def publish_updates(desk: Desk, state: JobState, before: Callable[[dict[str, Any]], None] = lambda known: None) -> None:
    """Gives the bytes away once nobody can submit a copy any more: after SUBMIT, never where the cycle failed there.
    What it takes several members to open, as soon as it is sure to be registered. before: hears what the journal holds
    of an update that is about to go out."""
    is_shared = desk.follower.context.spec.privacy == THRESHOLD
    for cycle in reversed(desk.follower.history().cycles[-KEPT:]):
        known = own_update(desk, cycle)
        if known is None or known["digest"] == NO_DIGEST or desk.has_published(known["digest"]):
            continue
        if (is_shared and desk.follower.has_submitted(cycle)) or _has_closed_submit(desk, cycle, state):
            before(known)
            desk.publish(known["digest"])


def own_update(desk: Desk, cycle: CycleRecord) -> dict[str, Any] | None:
    """What the journal holds of this trainer's update that is on chain. One that is not there could be copied into the
    next cycle, and come first there."""
    known = desk.journal.recall((desk.follower.job, cycle.seed, "update"))
    return known if known is not None and Submitted(desk.me, known["digest"]) in cycle.updates else None


def _has_closed_submit(desk: Desk, cycle: CycleRecord, state: JobState) -> bool:
    if _failed_in_submit(cycle):
        return False
    if cycle.outcome is None and not (cycle.cycle == state.cycle and Phase.SUBMIT < state.phase < Phase.LAPSED):
        return False
    return desk.follower.is_past(Phase.SUBMIT, cycle)


def _failed_in_submit(cycle: CycleRecord) -> bool:
    return isinstance(cycle.outcome, Failed) and cycle.outcome.phase == Phase.SUBMIT


def _was_opened(cycle: CycleRecord) -> bool:
    """Whether its members came to read it: a cycle that ended before SCORE stays shut."""
    return not (isinstance(cycle.outcome, Failed) and cycle.outcome.phase < Phase.SCORE)


def files_needed(desk: Desk) -> set[Digest]:
    """Integers of the last bases, updates of the last cycles: what may be sent or served again."""
    follower = desk.follower
    bases = [follower.context.terms.model, *(outcome.model for outcome in follower.finalized())]
    entries = [(desk.journal.recall((follower.job, "integers", base)), "integers") for base in bases[-KEPT:]]
    cycles = follower.history().cycles[-KEPT:]
    entries += [(desk.journal.recall((follower.job, cycle.seed, "update")), "digest") for cycle in cycles]
    return {Digest(known[field]) for known, field in entries if known is not None}


class ContentKeys:
    """The keys of a trainer's updates, published after the job's end where its spec asks for them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._are_out = not desk.follower.context.spec.publish_keys

    def publish(self) -> bool:
        """Whether they are out, as far as they ever will be."""
        if self._are_out:
            return True
        desk, follower = self._desk, self._desk.follower
        if not follower.is_settled():  # a reorganisation could let the job go on
            desk.alarm.awaited = follower.head.timestamp
            return False
        known = desk.journal.remember((follower.job, "keys"), self._file)
        self._are_out = known["digest"] is None
        if not self._are_out:
            desk.publish(known["digest"])
            outcome = desk.send(follower.federation.publish_keys_call(follower.job, known["digest"]), "keys")
            self._are_out = not isinstance(outcome, Pending)
            if isinstance(outcome, Refused):
                desk.log.warning(
                    "content keys not published", reason=explain(outcome.error), file=to_cid(known["digest"])
                )
        return self._are_out

    def _file(self) -> dict[str, Any]:
        """The file of the keys of every update of this trainer that members came to read."""
        keys: dict[Digest, bytes] = {}
        for cycle in self._desk.follower.history().cycles:
            known = own_update(self._desk, cycle)
            if known is not None and _was_opened(cycle):
                keys[known["digest"]] = known["key"]
        return {"digest": self._desk.journal.put_blob(encode_keys(keys)) if keys else None}
