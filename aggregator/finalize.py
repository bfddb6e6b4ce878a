"""FINALIZE: open the result that a quorum voted, and give its model away."""

from __future__ import annotations

from aggregator.vote import result_key
from hansa.protocol.hashes import sealed_vote
from hansa.protocol.result import NOTHING
from hansa.protocol.types import Seat
from hansa.runtime.chain.federation import JobState
from hansa.runtime.desk import Desk


def finalize(desk: Desk, state: JobState, seat: Seat) -> None:
    """Finalises the result that this member voted, in its turn among those that voted the same."""
    follower = desk.follower
    known = desk.journal.recall(result_key(follower.job, state))
    if known is None or not follower.is_settled():
        return
    if known["model"] != NOTHING.model:
        desk.publisher.publish(known["model"])
    votes, terms = follower.cycle().votes, follower.context.terms
    matching = [s for s, vote in votes.items() if vote.sealed == sealed_vote(known["hash"], s)]
    if len(matching) < terms.quorum:
        desk.log.error("my result has no quorum", mine=len(matching), quorum=terms.quorum)
        return
    place = sorted(matching).index(seat) if seat in matching else len(matching)
    if desk.turns.has_come(place, terms.finalize_time):
        call = follower.federation.finalize_call(follower.job, state.cycle, known["model"], known["rewards"])
        desk.outbox.send(call, "finalize", state.cycle)
