"""Who was at fault in a cycle, as a pool of stakes judges it by the links of `history`."""

from __future__ import annotations

from collections.abc import Mapping

from hansa.protocol.hashes import sealed_vote
from hansa.protocol.links import Board
from hansa.protocol.types import Phase, Seat

_SHARING = {Phase.ATTEST: "attested", Phase.RELEASE: "released"}


def at_fault(
    board: Board, reached: Phase, votes: Mapping[Seat, int], result: bytes | None, seats: int
) -> dict[Seat, str]:
    """What each seat at fault did, in words. Not voting is nobody's fault, nor is a cycle that failed in SUBMIT.

    reached: the phase that ran out; FINALIZE for a finalised cycle. votes: sealed, by seat. result: the hash that a
    quorum agreed on; None where none did.
    """
    found = {seat: _absence(board, reached, seat) for seat in map(Seat, range(seats))}
    for seat, vote in votes.items():
        if result is not None and vote != sealed_vote(result, seat):
            found[seat] = found[seat] or "voted otherwise than its quorum"
    return {seat: fault for seat, fault in found.items() if fault}


def _absence(board: Board, reached: Phase, seat: Seat) -> str:
    def has(bitmap: int) -> bool:
        return bool(bitmap >> seat & 1)

    if reached < Phase.ATTEST:
        return ""
    if reached < Phase.SCORE:
        absent = has(board.due) and not has(getattr(board, _SHARING[reached]))
        return f"was absent in {reached.name}" if absent else ""
    if has(board.due) and not has(board.committed):
        return "did not commit to scores"
    if reached > Phase.SCORE and has(board.committed) and not has(board.revealed):
        return "did not reveal the scores that it committed to"
    return ""
