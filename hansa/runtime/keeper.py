"""What anyone may do in a job, so that nobody has to be relied on: cycles are opened, failed and rejoined."""

from __future__ import annotations

import time
from collections.abc import Callable

from hansa.protocol.hashes import cycle_counter, everybody_due
from hansa.protocol.types import Address, Phase, Timestamp
from hansa.runtime.chain.federation import JobState
from hansa.runtime.desk import Desk

LATER_SECONDS = 1.5  # after which a chain's next block is of a later second


class JobKeeper:
    """Keeps one job moving for one account; needs no file. A store that fails, or a model that can't be had, keeps
    nobody from ending what is over."""

    def __init__(self, desk: Desk, takes_part: Callable[[], bool] = lambda: True) -> None:
        """takes_part: whether this account would act if the next cycle waited for it."""
        self._desk = desk
        self._takes_part = takes_part
        self._awaited: list[Address] = []  # members whose keys were missing at the last look

    def keep_moving(self, state: JobState) -> None:
        """Opens or fails a cycle that nobody before this account did, and rejoins one that does not wait for it."""
        federation, job = self._desk.follower.federation, self._desk.follower.job
        if self._desk.turns.note(state):
            self._desk.log.info(
                "phase",
                phase=state.phase.name,
                round=state.round,
                cycle=cycle_counter(state.cycle),
                until=state.deadline,
            )
        match state.phase:
            case Phase.OPEN if self._may_act(state) and self._is_late_enough(state) and self._can_be_opened(state):
                self._desk.send(federation.open_call(job), "open", state.cycle, state.failures)
            case Phase.LAPSED if self._may_act(state):
                self._desk.send(federation.fail_call(job, state.cycle), "fail", state.cycle, state.failures)
        if self._is_absent(state) and self._takes_part():
            self._desk.send(federation.rejoin_call(job, state.cycle), "rejoin", state.cycle)

    def _may_act(self, state: JobState) -> bool:
        return self._is_my_turn(state) and self._desk.sender.pays

    def _is_my_turn(self, state: JobState) -> bool:
        return self._desk.turns.has_come(self._place(state), self._desk.follower.context.terms.open_time)

    def _place(self, state: JobState) -> int:
        """Members that voted last come first, then the other members, then the trainers by enrolment."""
        me = self._desk.me
        seats = sorted(range(len(state.committee)), key=lambda seat: (not state.voted >> seat & 1, seat))
        order = [state.committee[seat] for seat in seats]
        if me in order:
            return order.index(me)
        enrolled = [item.trainer for item in self._desk.follower.history().enrolled]
        return len(order) + (enrolled.index(me) if me in enrolled else len(enrolled))

    def _is_late_enough(self, state: JobState) -> bool:
        """Whether the next block can be of a later second than the one in which OPEN began: by the chain's clock, by
        this machine's, or because OPEN was seen a second ago, whatever the clocks say."""
        desk = self._desk
        since = state.deadline - desk.follower.context.terms.open_time
        if desk.follower.head.timestamp > since:
            return True
        desk.alarm.awaited = Timestamp(since + 1)  # a node may simulate at the time of its last block
        left = min(since + 1 - time.time(), LATER_SECONDS - desk.turns.waited)
        if left <= 0:
            return True
        desk.alarm.look_again(left)
        return False

    def _can_be_opened(self, state: JobState) -> bool:
        """Whether the committee has announced keys: a member without one can't read what is submitted.

        Asked where nobody has shown yet that it is there. All are waited for a tenth of OPEN, a quorum half of it.
        """
        follower = self._desk.follower
        terms, head = follower.context.terms, follower.head
        waited = max(self._desk.turns.waited, head.timestamp - state.deadline + terms.open_time)
        if (state.cycle and not state.failures) or waited > terms.open_time / 2:
            return True
        committee = follower.federation.expected_committee(follower.job, terms, state)
        if committee is None:
            return True
        known = follower.federation.announced_keys(committee, head)
        missing = [member for member, key in zip(committee, known, strict=True) if key is None]
        if missing and self._awaited != missing:
            self._desk.log.info("waiting for the committee's keys", missing=missing)
        self._awaited = missing
        return not missing or (waited > terms.open_time / 10 and len(committee) - len(missing) >= terms.quorum)

    def _is_absent(self, state: JobState) -> bool:
        """Whether the last opened cycle neither waited for this account nor heard it."""
        if state.cycle == 0 or everybody_due(state.cycle) or state.rejoining or state.phase.is_over:
            return False
        me, follower = self._desk.me, self._desk.follower
        if me in state.committee:
            return not (state.due | state.voted) >> state.committee.index(me) & 1
        is_known = follower.trainer == me
        enrolled, last, _ = follower.own if is_known else follower.federation.trainer(follower.job, me, follower.head)
        return enrolled and last + 1 < cycle_counter(state.cycle)
