"""After a job's end: a member takes its fees."""

from __future__ import annotations

from hansa.protocol.types import Seat
from hansa.runtime.chain.federation import JobState
from hansa.runtime.claims import report_unclaimed
from hansa.runtime.desk import Desk
from hansa.runtime.transactions.sender import Mined, Pending, Refused


def take_fees(desk: Desk, state: JobState, seat: Seat | None) -> bool:
    """Takes what a job that is over owes one member; True when that is done. FatalError for fees that can't be had."""
    follower = desk.follower
    federation, job = follower.federation, follower.job
    if seat is not None and state.matched[seat]:
        call, key = federation.claim_seat_fees_call(job, seat), "seat fees"
        fees = state.matched[seat] * follower.context.terms.fee_per_seat
    elif fees := federation.fees(job, desk.me):
        call, key = federation.claim_fees_call(job, desk.me), "fees"
    else:
        return True
    sent = desk.send(call, key)
    if isinstance(sent, Mined):
        desk.metrics.claimed.inc(fees)
    if isinstance(sent, Refused):
        report_unclaimed(follower, desk.log, "fees", fees, federation.books(job, follower.head), sent)
    return not isinstance(sent, Pending)
