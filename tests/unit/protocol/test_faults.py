"""Who was at fault in a cycle, case by case; the contract's own judgement is tested on chain."""

from __future__ import annotations

import pytest

from hansa.protocol.faults import at_fault
from hansa.protocol.hashes import sealed_vote
from hansa.protocol.links import Board
from hansa.protocol.types import Phase

ALL, RESULT = 0b1111, bytes(31) + b"\1"


def board(**changes: int) -> Board:
    return Board(**dict.fromkeys(("due", "attested", "released", "committed", "revealed", "voted"), ALL) | changes)


def votes(*seats: int, result: bytes = RESULT) -> dict[int, int]:
    return {seat: sealed_vote(result, seat) for seat in seats}


@pytest.mark.parametrize(
    ("done", "reached", "expected"),
    [
        (board(), Phase.FINALIZE, set()),
        (board(attested=0, released=0, committed=0, revealed=0, voted=0), Phase.SUBMIT, set()),
        (board(attested=0b0110, released=0, committed=0, revealed=0), Phase.ATTEST, {0, 3}),
        (board(attested=0b0110, due=0b0111), Phase.ATTEST, {0}),
        (board(released=0b0011, committed=0, revealed=0), Phase.RELEASE, {2, 3}),
        (board(attested=0b0011, released=0b0011), Phase.FINALIZE, set()),
        (board(committed=0b1100, revealed=0), Phase.SCORE, {0, 1}),
        (board(committed=0b1100, revealed=0b1100, due=0b1110), Phase.FINALIZE, {1}),
        (board(revealed=0b0001), Phase.REVEAL, {1, 2, 3}),
        (board(revealed=0b0111), Phase.VOTE, {3}),
        (board(voted=0), Phase.VOTE, set()),
    ],
)
def test_absent__where_it_was_waited_for__is_at_fault(done, reached, expected):
    assert set(at_fault(done, reached, {}, None, 4)) == expected


def test_voted_otherwise__counts_only_against_a_result():
    cast = votes(0, 1, 2) | votes(3, result=bytes(32))
    assert at_fault(board(), Phase.FINALIZE, cast, RESULT, 4) == {3: "voted otherwise than its quorum"}
    assert at_fault(board(), Phase.FINALIZE, cast, None, 4) == {}


def test_fault__is_told_once_a_seat():
    cast = votes(0, 1, 2) | votes(3, result=bytes(32))
    found = at_fault(board(revealed=0b0111), Phase.FINALIZE, cast, RESULT, 4)
    assert found == {3: "did not reveal the scores that it committed to"}
