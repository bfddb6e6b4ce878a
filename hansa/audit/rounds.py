"""Verdicts, medians, pay and reputation of every finalised round, from the sheets, against the voted rewards root."""

from __future__ import annotations

from hansa.audit.report import Finding, Report, shown
from hansa.audit.unmeasured import note_silent_sheets
from hansa.protocol.cid import to_cid
from hansa.protocol.errors import HansaError, Malformed, NotFound
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.ledger import RoundLedger
from hansa.protocol.merkle import Leaf, RewardsTree
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import Address, Code
from hansa.runtime.history.records import CycleRecord, Finalized, JobHistory
from hansa.runtime.job import SPEC_LIMIT, SPEC_SECONDS, JobContext
from hansa.runtime.replay import Replay
from hansa.runtime.store import Store


class Rounds:
    """The ledgers of a job; `after` is asked as each round is finalised."""

    def __init__(self, files: Store, report: Report) -> None:
        self._files = files
        self._report = report
        self._replay: Replay | None = None
        self._tried = False
        self.context: JobContext | None = None
        self.weights: dict[Address, int] = {}

    @property
    def ledgers(self) -> list[RoundLedger]:
        return self._replay.rounds if self._replay is not None else []

    def read_spec(self, history: JobHistory) -> None:
        """Reads the job's spec, once; without it nobody knows what the sheets mean."""
        if self._tried:
            return
        self._tried = True
        terms = history.posted.terms
        name = f"the job's spec {to_cid(terms.spec)}"
        try:
            spec = JobSpec.decode(self._files.get(terms.spec, limit=SPEC_LIMIT, timeout=SPEC_SECONDS))
        except NotFound as error:
            self._report.gap(f"{name}, and with it all verdicts, pay and models", str(error))
            return
        except HansaError as error:
            expected = "a job spec" if isinstance(error, Malformed) else "its bytes"
            self._report.fail(Finding(name, expected, str(error)))
            return
        self.context = JobContext(history.job, terms, spec)
        self.weights = self.context.weights(history.enrolled)
        self._replay = Replay(self.context, self.weights)
        self._report.ok("spec")

    def after(self, history: JobHistory, cycle: CycleRecord) -> dict[Address, Leaf] | None:
        """What the round that `cycle`, the last one, finalised owes; None where the voted root is of something else."""
        self.read_spec(history)
        if self._replay is None:
            return None
        ledger = self._replay.follow(history)[-1]
        outcome = cycle.outcome
        assert isinstance(outcome, Finalized)
        place = {"round": outcome.round, "cycle": cycle_counter(cycle.cycle), "block": outcome.block}
        self._report.ok("verdicts", len(ledger.judgements))
        self._report.ok("medians", 2 * sum(judged.code == Code.OK for judged in ledger.judgements))
        note_silent_sheets(self._report, cycle)
        root = RewardsTree(ledger.leaves).root
        if root != outcome.rewards:
            owed = sum(leaf.pay for leaf in ledger.leaves)
            expected = f"{shown(root)}, which pays {owed}, from the revealed sheets"
            self._report.fail(Finding("rewards root", expected, shown(outcome.rewards), **place))
            return None
        if not ledger.included:
            expected = "none: no update was included"
            self._report.fail(Finding("a model", expected, to_cid(outcome.model), **place))
        self._report.ok("payments", len(ledger.leaves))
        self._report.ok("rewards roots")
        return {leaf.trainer: leaf for leaf in ledger.leaves}
