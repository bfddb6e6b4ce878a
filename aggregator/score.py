"""SCORE: judge every update of the cycle, measure the good ones, commit to the sheet that says so. REVEAL: show it.

A member that can judge none, or measure none, calls all unreachable: it says nothing that counts like an honest
measurement, and is not absent, for which a pool of stakes would burn a part of its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from aggregator.inbox import Inbox, Inboxes
from aggregator.measure import Measurement, measure
from aggregator.rows import ValidationRows
from aggregator.steps import MODEL_MISSING, is_time
from hansa.protocol import sheet
from hansa.protocol.errors import SpoiltModel
from hansa.protocol.sheet import Entry
from hansa.protocol.types import Code, CycleId, JobId, Seat
from hansa.protocol.verdict import Attempt, Judged
from hansa.runtime.chain.federation import JobState
from hansa.runtime.desk import Desk
from hansa.runtime.history.records import CycleRecord
from hansa.runtime.journal import Key
from hansa.tasks import running
from hansa.tasks.base import Task

LOOK = "look at your validation rows, and at the task's loss, for numbers that are not finite or far too large"


class Scorer:
    """One member's sheets."""

    def __init__(self, desk: Desk, task: Task, inboxes: Inboxes, rows: ValidationRows) -> None:
        self._desk = desk
        self._task = task
        self._inboxes = inboxes
        self._rows = rows

    def score(self, state: JobState, seat: Seat) -> None:
        """Commits when every update is judged, at the latest at half of SCORE."""
        desk, follower = self._desk, self._desk.follower
        if state.committed >> seat & 1 or not follower.is_settled():
            return
        cycle = follower.cycle()
        key = sheet_key(follower.job, cycle.cycle, cycle.updates_acc)
        known = desk.journal.recall(key)
        if known is None:
            made = self._make(state, cycle, seat)
            if made is None:
                return
            known = desk.journal.remember(key, lambda: made)
        commit(desk, cycle, seat, known)

    def _make(self, state: JobState, cycle: CycleRecord, seat: Seat) -> dict[str, Any] | None:
        """The sheet, as `kept`; None while it is not time."""
        desk, length = self._desk, self._desk.follower.context.terms.score_time
        try:
            inbox = self._inboxes.of(cycle, seat)
            return self.fill(inbox) if is_time(desk, state, length, inbox.fetch()) else None
        except MODEL_MISSING as error:
            if not is_time(desk, state, length, isinstance(error, SpoiltModel)):
                desk.log.debug("the model that updates start from is not there yet", error=str(error))
                return None
            desk.log.error(
                "calls every update unreachable: it has not the model that they start from", error=str(error)
            )
            return kept([Entry(Code.UNREACHABLE)] * len(cycle.updates))

    def fill(self, inbox: Inbox) -> dict[str, Any]:
        """The sheet of a cycle, as `kept`."""
        follower, cycle, base = self._desk.follower, inbox.cycle, inbox.cycle_keys.model
        judged = inbox.verdicts(self._attempts())
        ok = [place for place, item in enumerate(judged) if item.code == Code.OK]
        weights = follower.weights()
        with running(follower.context.spec.task, "measuring updates"), self._desk.working("measuring"):
            measured = measure(
                self._task,
                self._rows.of(inbox.cycle_keys.seat),
                base,
                follower.models.earlier(base),
                [item.update.tensors for place in ok if (item := judged[place]).update is not None],
                [weights[cycle.updates[place].trainer] for place in ok],
            )
        worth = dict(zip(ok, measured, strict=True))
        unmeasured = [cycle.updates[place].trainer for place, one in worth.items() if not one.finite]
        if unmeasured and len(unmeasured) == len(ok):
            self._desk.log.error("calls every update unreachable: no measurement is finite", next_step=LOOK)
            return kept([Entry(Code.UNREACHABLE)] * len(judged))
        if unmeasured:
            self._desk.log.warning("measurements not finite, so 0 in the sheet", trainers=unmeasured, next_step=LOOK)
        entries = [_entry(item, worth.get(place)) for place, item in enumerate(judged)]
        codes, gains = [entry.code.name for entry in entries], [entry.gain for entry in entries]
        self._desk.log.info("sheet ready", codes=codes, gains=gains)
        return kept(entries)

    def _attempts(self) -> list[Attempt]:
        """Submissions of the failed cycles over the present model, in the order of their places."""
        submitted: list[tuple[CycleRecord, Any]] = [
            (cycle, update) for cycle in self._desk.follower.failed_cycles() for update in cycle.updates
        ]
        return [
            Attempt(update.trainer, update.digest, cycle.cycle, cycle.keys, place)
            for place, (cycle, update) in enumerate(submitted)
        ]


def _entry(judged: Judged, worth: Measurement | None) -> Entry:
    """The line of an update, which is measured where it is ok."""
    if worth is not None:
        return Entry(judged.code, worth.gain, worth.news)
    if judged.repeats is not None:
        return Entry(judged.code, judged.repeats.place, judged.repeats.cosine)
    return Entry(judged.code)


def kept(entries: Sequence[Entry]) -> dict[str, Any]:
    """A sheet as the journal keeps it, with its salt."""
    return {"sheet": sheet.encode_sheet(entries), "salt": secrets.token_bytes(32)}


def sheet_key(job: JobId, cycle: CycleId, updates_acc: int) -> Key:
    """Where the journal keeps the sheet of a cycle's updates in their order, which a reorganisation may change: each
    line is worth tokens to whoever stands at its place."""
    return (job, cycle, "sheet", updates_acc)


def commit(desk: Desk, cycle: CycleRecord, seat: Seat, known: Mapping[str, Any]) -> None:
    """Commits to the sheet that the journal keeps."""
    federation, job = desk.follower.federation, desk.follower.job
    place = federation.place(job, cycle.cycle)
    commitment = sheet.commitment(place, desk.me, known["sheet"], known["salt"])
    desk.send(federation.commit_call(job, cycle.cycle, seat, commitment), "commit", cycle.cycle, commitment)


def reveal(desk: Desk, state: JobState, seat: Seat) -> None:
    """Reveals a seat's sheet of these updates, which only the journal that committed to it holds."""
    follower = desk.follower
    known = desk.journal.recall(sheet_key(follower.job, state.cycle, state.updates))
    if state.revealed >> seat & 1 or not state.committed >> seat & 1 or not follower.is_settled():
        return
    if known is None:
        desk.log.warning("this journal does not hold the sheet that was committed", cycle=state.cycle)
        return
    call = follower.federation.reveal_call(follower.job, state.cycle, seat, known["sheet"], known["salt"])
    desk.send(call, "reveal", state.cycle)
