"""When a member may open its result in the transaction that votes it: every condition, each violated once."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from aggregator.vote import decides
from hansa.protocol.hashes import sealed_vote
from hansa.protocol.types import Phase, Seat

MINE, OTHER = b"\x01" * 32, b"\x02" * 32
ME = Seat(3)


@dataclass
class Moment:
    """Seats 0, 1, 2, 3 revealed, seat 4 did not; all but seat 3 have voted, for one result. The quorum is 4 of 5."""

    revealed: int = 0b01111
    voted: int = 0b00111
    deep: dict[str, Any] = field(default_factory=dict)  # what differs there
    votes: dict[int, bytes] = field(default_factory=lambda: {0: MINE, 1: MINE, 2: MINE})
    quorum: int = 4
    is_agreed: bool = True

    def decides(self) -> bool:
        now = {"cycle": 7, "phase": Phase.VOTE, "revealed": self.revealed, "voted": self.voted}
        state = SimpleNamespace(**now, committee=("0xa", "0xb", "0xc", "0xd", "0xe"))
        votes = {Seat(seat): SimpleNamespace(sealed=sealed_vote(of, Seat(seat))) for seat, of in self.votes.items()}
        follower = SimpleNamespace(
            deep=lambda: SimpleNamespace(**{**now, **self.deep}),
            cycle=lambda: SimpleNamespace(votes=votes),
            context=SimpleNamespace(terms=SimpleNamespace(quorum=self.quorum)),
            is_deep_agreed=lambda: self.is_agreed,
        )
        return decides(cast(Any, SimpleNamespace(follower=follower)), cast(Any, state), ME, MINE)


def test_last_vote_of_a_quorum__opens_the_result() -> None:
    assert Moment().decides()


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(Moment(voted=0b00011, votes={0: MINE, 1: MINE}, quorum=3), id="one that revealed has not voted"),
        pytest.param(Moment(deep={"voted": 0b00011}), id="a vote is not deep enough"),
        pytest.param(Moment(votes={0: MINE, 1: MINE}), id="a vote is not among the events"),
        pytest.param(Moment(votes={0: MINE, 1: MINE, 2: OTHER}), id="others voted something else"),
        pytest.param(Moment(quorum=5), id="the quorum is larger than all that revealed"),
        pytest.param(Moment(deep={"cycle": 6}), id="deep down it is another cycle"),
        pytest.param(Moment(deep={"phase": Phase.REVEAL}), id="deep down sheets can still be revealed"),
        pytest.param(Moment(deep={"revealed": 0b00111}), id="a sheet is not deep enough"),
        pytest.param(Moment(is_agreed=False), id="another endpoint knows of other votes"),
    ],
)
def test_vote__goes_alone__where(moment: Moment) -> None:
    assert not moment.decides()


def test_a_vote_for_something_else__does_not_matter__where_the_quorum_is_met_without_it() -> None:
    assert Moment(votes={0: MINE, 1: MINE, 2: OTHER}, quorum=3).decides()
