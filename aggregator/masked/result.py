"""SCORE and VOTE of a masked job: all whose updates are in are scored alike, and the sum is the step."""

from __future__ import annotations

from typing import Any

from aggregator.inbox import Inboxes
from aggregator.masked.member import MaskedMember
from aggregator.measure import measure_sum
from aggregator.rows import ValidationRows
from aggregator.score import LOOK, Scorer, commit, kept, sheet_key
from aggregator.steps import is_time
from aggregator.vote import Voter
from hansa.protocol.ledger import RoundLedger
from hansa.protocol.masked.sheets import Worth, masked_sheet
from hansa.protocol.masked.step import masked_model
from hansa.protocol.masked.words import values_of
from hansa.protocol.result import NOTHING, Result
from hansa.protocol.types import Seat
from hansa.runtime.chain.federation import JobState
from hansa.runtime.desk import Desk
from hansa.runtime.history.records import CycleRecord
from hansa.runtime.masked.base import MaskedBase
from hansa.runtime.masked.current import current_base
from hansa.runtime.masked.opening import Standing
from hansa.tasks import running
from hansa.tasks.base import Task


class MaskedScorer(Scorer):
    """One member's sheets."""

    def __init__(self, desk: Desk, task: Task, inboxes: Inboxes, rows: ValidationRows, member: MaskedMember) -> None:
        super().__init__(desk, task, inboxes, rows)
        self._member = member

    def score(self, state: JobState, seat: Seat) -> None:
        """Commits when the sum is open, at the latest at half of SCORE."""
        desk, follower = self._desk, self._desk.follower
        if state.committed >> seat & 1 or not follower.is_settled():
            return
        cycle = follower.cycle()
        key = sheet_key(follower.job, cycle.cycle, cycle.updates_acc)
        known = desk.journal.recall(key)
        if known is None:
            base = current_base(follower)
            standing = Standing() if base.group is None else self._member.standing(base)
            if not is_time(desk, state, base.terms.score_time, self._is_ready(base, cycle, standing)):
                return
            known = desk.journal.remember(key, lambda: self._fill(base, cycle, standing, seat))
        commit(desk, cycle, seat, known)

    def _is_ready(self, base: MaskedBase, cycle: CycleRecord, standing: Standing) -> bool:
        """Whether no more will be known in this cycle."""
        if base.group is None:
            return True
        if standing.is_open:
            return standing.is_final
        return standing.fault is not None and standing.has_all and not self._member.has_probed(cycle, base)

    def _fill(self, base: MaskedBase, cycle: CycleRecord, standing: Standing, seat: Seat) -> dict[str, Any]:
        """The sheet, as `kept`."""
        present, worth = base.present(cycle), None
        if standing.is_open:
            worth = self._worth(base, standing, seat)
        elif standing.fault is not None:
            self._desk.log.warning("nothing comes of this cycle: an update spoilt the sum", word=standing.fault.first)
        found = [] if base.is_of_earlier(cycle) else self._member.found_malformed(cycle)
        spoilt = [place for place, of_group in present.items() if of_group in standing.spoilers]
        entries = masked_sheet(len(cycle.updates), present, found, spoilt if worth is not None else (), worth)
        self._desk.log.info("sheet ready", codes=[entry.code.name for entry in entries])
        return kept(entries)

    def _worth(self, base: MaskedBase, standing: Standing, seat: Seat) -> Worth | None:
        assert standing.total is not None
        follower, total = self._desk.follower, values_of(standing.total, base.model.shapes)
        with running(base.spec.task, "measuring the sum"), self._desk.working("measuring"):
            rows, earlier = self._rows.of(seat), follower.models.earlier(base.model)
            found = measure_sum(self._task, rows, base.model, earlier, total, standing.updates)
        if not found.finite:
            self._desk.log.error("calls every update unreachable: the measurement is not finite", next_step=LOOK)
            return None
        return Worth(found.gain, found.news, standing.updates)


class MaskedVoter(Voter):
    """One member's votes."""

    def __init__(self, desk: Desk, task: Task, inboxes: Inboxes, rows: ValidationRows, member: MaskedMember) -> None:
        super().__init__(desk, task, inboxes, rows)
        self._member = member

    def work_out(self, cycle: CycleRecord, ledger: RoundLedger, seat: Seat) -> Result | None:
        """None while this member has not opened the sum that others have."""
        if not ledger.included:
            return NOTHING
        base = current_base(self._desk.follower)
        if base.group is None:
            return NOTHING
        standing = self._member.standing(base)
        if not standing.is_open or standing.total is None:
            self._desk.log.warning("the sum that the others opened is not to be had")
            return None
        with self._desk.working("aggregating"):
            job = self._desk.follower.job
            return Result.of(masked_model(job, base.model, base.digest, standing.total, standing.updates), ledger)
