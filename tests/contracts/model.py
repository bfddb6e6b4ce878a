"""A second opinion: the life of a job and its money as the design tells them, in plain Python.

Nothing here is taken from the contracts. Each action is told its time, and either changes the model or raises `Refused`
with the name of the error that the contracts must give.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from history import History
from ledger import Ledger, Refused, Round, Who
from outcomes import Outcome
from terms import TIME_OF

from hansa.protocol import links
from hansa.protocol.types import Phase

MEMBER_PHASES = (Phase.ATTEST, Phase.RELEASE, Phase.SCORE, Phase.REVEAL, Phase.VOTE)


@dataclass
class Cycle:
    """What happens in one attempt."""

    opened_at: int
    everybody: bool
    due_trainers: set[Who]
    due: set[int]
    submitted: list[Who] = field(default_factory=list)
    acted: dict[Phase, set[int]] = field(default_factory=lambda: {phase: set() for phase in MEMBER_PHASES})
    votes: dict[int, tuple[Outcome, int]] = field(default_factory=dict)
    closed: dict[Phase, int] = field(default_factory=dict)  # phases that everybody due has ended early


@dataclass
class Model(Ledger):
    """A job. Its money is in `Ledger`, its hashes in `history`. keys: what each account has announced last."""

    history: History
    keys: Mapping[Who, bytes]

    def __post_init__(self) -> None:
        super().__post_init__()
        self.enrol_end = self.posted_at + self.terms.enrolTime
        self.open_since = self.enrol_end
        self.cycle: Cycle | None = None
        self.enrolled: dict[Who, int] = {}  # bonds as enrolled
        self.last_counter: dict[Who, int] = {}  # of a trainer's last update
        self.underway = self.stopping = self.rejoining = False
        self.counter = self.failures = self.attempts = self.stale = 0
        self.round, self.best = 1, -(2**63)

    # where it stands

    def clock(self, time: int) -> tuple[Phase, Phase, int]:
        """Phase; the phase that ran out where that is LAPSED; when the phase ends (0: never)."""
        if self.outcome:
            return self.outcome, self.outcome, 0
        if self.underway:
            return self._cycle_clock(time)
        if time < self.enrol_end:
            return Phase.ENROL, Phase.ENROL, self.enrol_end
        if len(self.bonds) < self.terms.minUpdates:
            return Phase.LAPSED, Phase.ENROL, 0
        end = self.open_since + self.terms.openTime
        return (Phase.OPEN, Phase.OPEN, end) if time < end else (Phase.LAPSED, Phase.OPEN, 0)

    def _cycle_clock(self, time: int) -> tuple[Phase, Phase, int]:
        end = self.live.opened_at
        for phase in (Phase.SUBMIT, *MEMBER_PHASES, Phase.FINALIZE):
            lasts = getattr(self.terms, TIME_OF[phase])
            if lasts == 0:
                continue
            end = self.live.closed.get(phase, end + lasts)
            if time < end:
                return phase, phase, end
            if phase == Phase.FINALIZE or self._number(phase) < self._minimum(phase):
                return Phase.LAPSED, phase, 0
        raise AssertionError("FINALIZE lasts")

    def _number(self, phase: Phase) -> int:
        return len(self.live.submitted if phase == Phase.SUBMIT else self.live.acted[phase])

    def _minimum(self, phase: Phase) -> int:
        if phase == Phase.SUBMIT:
            return int(self.terms.minUpdates)
        return int(self.terms.threshold if phase in (Phase.ATTEST, Phase.RELEASE) else self.terms.quorum)

    @property
    def live(self) -> Cycle:
        assert self.cycle is not None
        return self.cycle

    def _require(self, phase: Phase, time: int) -> None:
        if self.clock(time)[0] != phase:
            raise Refused("Federation_WrongPhase")

    # what one can do

    def enrol(self, time: int, who: Who, bond: int) -> None:
        self._require(Phase.ENROL, time)
        if bond < self.terms.minBond:
            raise Refused("Federation_BondTooSmall")
        if who in self.bonds:
            raise Refused("Federation_AlreadyEnrolled")
        self.bonds[who] = self.enrolled[who] = bond
        self.gains[who] -= bond
        if len(self.bonds) == self.terms.maxTrainers:
            self.enrol_end = self.open_since = time

    @property
    def keeps_committee(self) -> bool:
        """Whether the next cycle is a round's second, and the terms want the same members in it."""
        return bool(self.attempts == 1 and self.terms.keepCommittee)

    def open(self, time: int, answer: Sequence[Who] | None, randomness: bytes) -> None:
        """answer: what the committee contract says; None where it is no proper one."""
        self._require(Phase.OPEN, time)
        if time <= self.open_since:
            raise Refused("Federation_TooEarly")
        members = self.committee if self.keeps_committee else answer
        if members is None:
            raise Refused("Federation_BadCommittee")
        last = self.cycle
        voted = last.acted[Phase.VOTE] if last else set()
        everybody = last is None or self.failures > 0 or self.rejoining or self._too_few(last)
        fresh = {seat for seat, who in enumerate(members) if not self.committee or self.committee[seat] != who}
        for seat in fresh:
            if self.committee:
                self._book_fees(seat)
        self.committee = list(members)
        self.cycle = Cycle(
            opened_at=time,
            everybody=everybody,
            due_trainers=set(self.bonds) if everybody or last is None else set(last.submitted),
            due=set(range(self.terms.seats)) if everybody else voted | fresh,
        )
        self.counter += 1
        self.attempts += 1
        self.underway, self.rejoining = True, False
        seats = [(who, self.keys.get(who, links.NO_KEY)) for who in members]
        self.history.open(randomness, seats, self.counter, everybody)

    def _too_few(self, last: Cycle) -> bool:
        sharing = self.terms.attestTime > 0 or self.terms.releaseTime > 0
        return sharing and len(last.acted[Phase.VOTE]) < self.terms.threshold

    def submit(self, time: int, who: Who, digest: bytes) -> None:
        self._require(Phase.SUBMIT, time)
        if who not in self.bonds:
            raise Refused("Federation_NotEnrolled")
        if who in self.live.submitted:
            raise Refused("Federation_AlreadySubmitted")
        self.live.submitted.append(who)
        self.last_counter[who] = self.counter
        self.history.submit(who, digest)
        if self.live.due_trainers <= set(self.live.submitted):
            self.live.closed.setdefault(Phase.SUBMIT, time)

    def act(self, time: int, phase: Phase, who: Who, shown: Any) -> None:
        """A member's step. shown: what `History.show` reads; of a vote outcome and metric."""
        self._require(phase, time)
        if who not in self.committee:
            raise Refused("Federation_NotSeated")
        seat, acted = self.committee.index(who), self.live.acted
        if seat in acted[phase]:
            raise Refused("Federation_AlreadyActed")
        if phase == Phase.REVEAL and seat not in acted[Phase.SCORE]:
            raise Refused("Federation_NotCommitted")
        if phase == Phase.VOTE and seat not in acted[Phase.REVEAL]:
            raise Refused("Federation_NotRevealed")
        acted[phase].add(seat)
        self.history.show(phase, seat, shown)
        if phase == Phase.VOTE:
            self.live.votes[seat] = shown
        waited = {Phase.REVEAL: acted[Phase.SCORE], Phase.VOTE: acted[Phase.REVEAL]}.get(phase, self.live.due)
        if waited <= acted[phase]:
            self.live.closed.setdefault(phase, time)

    @property
    def board(self) -> links.Board:
        acted = self.live.acted
        return links.Board(bitmap(self.live.due), *(bitmap(acted[phase]) for phase in MEMBER_PHASES))

    @property
    def silence(self) -> int:
        """What a cycle burns that the committee failed."""
        return int(self.full * self.terms.failureBurn // 10_000)

    def finalize(self, time: int, outcome: Outcome) -> None:
        self._require(Phase.FINALIZE, time)
        matched = {seat: metric for seat, (voted, metric) in self.live.votes.items() if voted.result == outcome.result}
        if len(matched) < self.terms.quorum:
            raise Refused("Federation_NoQuorum")
        words = self.history.words(self.live.votes, self.terms.seats)
        if outcome.failed:
            if outcome.leaves:
                raise Refused("Federation_BadResult")
            masked = self.terms.attestTime > 0
            self._fail(time, Phase.VOTE, 0 if masked else self.silence, words)
            return
        self.history.finalise(outcome, self.board, words, time)
        metric = sorted(matched.values())[(len(matched) - 1) // 2]
        for seat in matched:
            self.matched[seat] += 1
        owed = {who: (pay, strike) for who, pay, strike in outcome.leaves}
        self.rounds[self.round] = Round(self.terms.rewardPerRound, owed)
        self.left -= self.full
        self.booked += self.full
        self.round, self.failures, self.attempts = self.round + 1, 0, 0
        self.stale = 0 if metric > self.best else self.stale + 1
        self.best = max(self.best, metric)
        patience = self.terms.patience
        done = self.round > self.terms.maxRounds or metric >= self.terms.targetMetric or 0 < patience <= self.stale
        self._go_on(time, done)

    def fail(self, time: int) -> None:
        phase, reached, _ = self.clock(time)
        if phase != Phase.LAPSED:
            raise Refused("Federation_WrongPhase")
        if reached == Phase.ENROL:
            self._end(time, Phase.CANCELLED)
            return
        if reached == Phase.OPEN:
            self.history.lapse(time)
            self._count_failure(time)
        else:
            self._fail(time, reached, 0 if reached == Phase.SUBMIT else self.silence, links.NO_WORDS)

    def _fail(self, time: int, reached: Phase, burn: int, words: bytes) -> None:
        self.history.fail(self.board, words, reached, burn, time)
        self.left -= burn
        self.burnt += burn
        self._count_failure(time)

    def _count_failure(self, time: int) -> None:
        self.failures += 1
        if self.failures >= self.terms.maxFailures:
            self._end(time, Phase.ABORTED)
        else:
            self._go_on(time, False)

    def _go_on(self, time: int, done: bool) -> None:
        self.underway = False
        self.open_since = time
        if done or self.stopping or self.left < self.full:
            self._end(time, Phase.COMPLETED if self.rounds else Phase.ABORTED)

    def rejoin(self, who: Who) -> None:
        if self.outcome:
            raise Refused("Federation_WrongPhase")
        if self.cycle is None or not self.is_absent(who):
            raise Refused("Federation_NotAbsent")
        self.rejoining = True

    def is_absent(self, who: Who) -> bool:
        """Whether the last cycle neither waited for it nor heard it."""
        return not self.live.everybody and (self._idle_trainer(who) or self._idle_member(who))

    def _idle_trainer(self, who: Who) -> bool:
        return who in self.bonds and who not in self.live.due_trainers and who not in self.live.submitted

    def _idle_member(self, who: Who) -> bool:
        seat = self.committee.index(who) if who in self.committee else None
        return seat is not None and seat not in self.live.due | self.live.acted[Phase.VOTE]

    def stop(self, time: int, who: Who) -> None:
        if who != self.sponsor:
            raise Refused("Federation_NotSponsor")
        if self.outcome:
            raise Refused("Federation_WrongPhase")
        self.stopping = True
        if self.clock(time)[1] == Phase.ENROL:
            self._end(time, Phase.CANCELLED)
        elif not self.underway:
            self._end(time, Phase.COMPLETED if self.rounds else Phase.ABORTED)


def bitmap(seats: Iterable[int]) -> int:
    return sum(1 << seat for seat in seats)
