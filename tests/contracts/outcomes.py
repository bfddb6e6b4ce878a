"""What a committee may vote for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from brownie.network.account import Account
from node import word
from terms import NO_WORD

from hansa.protocol import merkle

KINDS = ["fair", "fair", "greedy", "greedy", "strikes", "strikes", "nobody", "nothing", "unpaid"]


@dataclass(frozen=True)
class Outcome:
    """leaves: (trainer, pay, strike) each; none: a root of zero. failed: no model at all."""

    name: str
    leaves: tuple[tuple[Account, int, int], ...] = ()
    failed: bool = False

    @property
    def tree(self) -> merkle.RewardsTree:
        return merkle.RewardsTree([merkle.Leaf(who.address, pay, strike, 7) for who, pay, strike in self.leaves])

    @property
    def result(self) -> tuple[bytes, bytes]:
        return NO_WORD if self.failed else word(self.name), self.tree.root if self.leaves else NO_WORD


def outcome_of(kind: str, number: int, trainers: Sequence[Account], reward: int) -> Outcome:
    """A fair round, or what a dishonest quorum may think of. number: of the round."""
    name = f"{kind} {number}"
    if kind == "nothing":
        return Outcome(name, failed=True)
    if kind == "unpaid":  # no model, but rewards
        return Outcome(name, tuple((who, reward, 0) for who in trainers), failed=True)
    if kind == "nobody" or not trainers:
        return Outcome(name)
    if kind == "greedy":
        return Outcome(name, tuple((who, reward + 2**200 * i, 0) for i, who in enumerate(trainers)))
    struck = kind == "strikes"
    share = reward // len(trainers)
    return Outcome(name, tuple((who, share, int(struck and i % 2 == 0)) for i, who in enumerate(trainers)))
