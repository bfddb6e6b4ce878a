"""REVEAL: show the sheet that was committed to."""

from __future__ import annotations

from hansa.protocol.types import Seat
from hansa.runtime.chain.federation import JobState
from hansa.runtime.desk import Desk


def reveal(desk: Desk, state: JobState, seat: Seat) -> None:
    """Reveals a seat's sheet, which only the journal that committed to it holds."""
    follower = desk.follower
    known = desk.journal.recall((follower.job, state.cycle, "sheet"))
    if state.revealed >> seat & 1 or not state.committed >> seat & 1 or not follower.is_settled():
        return
    if known is None:
        desk.log.warning("this journal does not hold the sheet that was committed", cycle=state.cycle)
        return
    call = follower.federation.reveal_call(follower.job, state.cycle, seat, known["sheet"], known["salt"])
    desk.outbox.send(call, "reveal", state.cycle)
