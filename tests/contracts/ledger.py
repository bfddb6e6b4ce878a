"""A second opinion on a job's money: what came in, what was booked, what went out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from hansa.protocol.types import Phase

Who = Hashable


class Refused(Exception):
    """The name of the contracts' error."""


@dataclass
class Round:
    pool: int
    leaves: dict[Who, tuple[int, int]]  # trainer → (pay, strike); empty: a root of zero


@dataclass
class Ledger:
    """The tokens of one job."""

    terms: Any
    sponsor: Who
    posted_at: int
    escrow: int

    def __post_init__(self) -> None:
        self.full = self.terms.rewardPerRound + self.terms.seats * self.terms.feePerSeat
        self.outcome = Phase.NONE
        self.ended_at = self.claim_until = self.slash_until = 0
        self.bonds: dict[Who, int] = {}  # of everybody who is enrolled
        self.committee: list[Who] = []  # by seat
        self.matched = [0] * self.terms.seats
        self.rounds: dict[int, Round] = {}
        self.claimed: set[tuple[Who, int]] = set()
        self.fees: dict[Who, int] = defaultdict(int)
        self.left, self.booked, self.paid, self.burnt = self.escrow, 0, 0, 0
        self.burn_sent = self.forfeited = self.refunded = 0
        self.gains: dict[Who, int] = defaultdict(int)  # what each account has got out, less what it has put in
        self.gains[self.sponsor] = -self.escrow

    def _end(self, time: int, outcome: Phase) -> None:
        self.outcome, self.underway, self.ended_at = outcome, False, time
        self.claim_until = time + self.terms.claimTime
        self.slash_until = time + (self.terms.slashTime if self.rounds else 0)

    def _require_claimable(self, time: int) -> None:
        if self.outcome and time >= self.claim_until:
            raise Refused("Vault_TooLate")

    def claim(self, time: int, who: Who, rounds: Sequence[int]) -> None:
        self._require_claimable(time)
        for number in rounds:
            if (who, number) in self.claimed:
                continue
            self.claimed.add((who, number))
            pay, strike = self.rounds[number].leaves[who]
            amount = min(pay, self.rounds[number].pool)
            self.rounds[number].pool -= amount
            self.paid += amount
            self.gains[who] += amount
            if strike and (not self.outcome or time < self.slash_until):
                penalty = min(self.terms.strikePenalty, self.bonds.get(who, 0))
                self.bonds[who] = self.bonds.get(who, 0) - penalty
                self.forfeited += penalty
                self.burnt += penalty

    def _book_fees(self, seat: int) -> None:
        self.fees[self.committee[seat]] += self.matched[seat] * self.terms.feePerSeat
        self.matched[seat] = 0

    def claim_seat(self, time: int, seat: int) -> None:
        if not self.outcome:
            raise Refused("Federation_JobRunning")
        self._require_claimable(time)
        if self.committee:
            self._book_fees(seat)
            self.claim_fees(time, self.committee[seat])

    def claim_fees(self, time: int, who: Who) -> None:
        self._require_claimable(time)
        amount = self.fees.pop(who, 0)
        self.paid += amount
        self.gains[who] += amount

    def _require_ended(self) -> None:
        if not self.outcome:
            raise Refused("Vault_JobRunning")

    def claim_bond(self, time: int, who: Who) -> None:
        self._require_ended()
        if time < self.slash_until:
            raise Refused("Vault_TooEarly")
        self.gains[who] += self.bonds.get(who, 0)
        if who in self.bonds:
            self.bonds[who] = 0

    def claim_rest(self) -> None:
        self._require_ended()
        self.gains[self.sponsor] += self.left
        self.refunded, self.left = self.refunded + self.left, 0

    def expire(self, time: int) -> None:
        self._require_ended()
        if time < self.claim_until:
            raise Refused("Vault_TooEarly")
        self.burnt += self.booked - self.paid
        self.booked = self.paid

    def send_burnt(self) -> None:
        self.burn_sent = self.burnt

    @property
    def holding(self) -> int:
        return self.left + self.booked - self.paid + self.burnt - self.burn_sent + sum(self.bonds.values())
