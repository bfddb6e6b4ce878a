"""Events, one after another, to a history; each is checked as far as what came before it allows.

What binds them: a cycle's id is a hash of the last result and its seed; a seed one of the previous cycle's updates and
sheets; a result hash one of its cycle's id, updates, sheets, model and rewards. `agrees` checks the rest against the
contract's state: counts, bitmaps, accumulators, last result. So events that an RPC node omits, invents or reorders are
found, and named. Unbound are bonds, burns, and votes of earlier cycles that did not match.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hansa.protocol.hashes import NO_HASH, cycle_counter, cycle_seed, everybody_due, make_cycle
from hansa.protocol.phases import STEP_OF
from hansa.protocol.types import Address, BlockNumber, CycleId, Digest, JobId, Phase, Place, Round, Seat, Wei
from hansa.runtime.chain.abi import BadEncoding, artifact
from hansa.runtime.chain.client import Log
from hansa.runtime.chain.structs import JobState, JobTerms, address, from_tuple
from hansa.runtime.history.cycle import CycleBuilder, HistoryError
from hansa.runtime.history.records import Enrolment, Failed, Finalized, JobHistory, Posted, Submitted

Values = Mapping[str, Any]


class HistoryBuilder:
    """A job's history in the making. Every method may raise HistoryError, which says what doesn't fit.

    parent_of: the parent hash of a block, by its number; asked for cycles opened first or after a failure.
    """

    def __init__(self, chain_id: int, federation: Address, job: JobId, parent_of: Callable[[int], bytes]) -> None:
        self._chain_id = chain_id
        self._federation = federation
        self._job = job
        self._parent_of = parent_of
        self._posted: Posted | None = None
        self._enrolled: dict[Address, Enrolment] = {}
        self._cycles: list[CycleBuilder] = []
        self._lapses: list[tuple[int, Failed]] = []
        self._ended: Phase | None = None
        self._last_result = NO_HASH
        self._failures = 0
        self._finalized = 0
        self._handlers: dict[str, Callable[[Values, BlockNumber], None]] = {
            "TrainerEnrolled": self._on_enrolled,
            "CycleOpened": self._on_opened,
            "UpdateSubmitted": self._on_submitted,
            "RoundFinalized": self._on_finalized,
            "CycleFailed": self._on_failed,
            "JobEnded": self._on_ended,
        }

    @property
    def history(self) -> JobHistory:
        if self._posted is None:
            raise HistoryError("its posting is missing")
        cycles = tuple(draft.record() for draft in self._cycles)
        enrolled, lapses = tuple(self._enrolled.values()), tuple(self._lapses)
        return JobHistory(self._job, self._posted, enrolled, cycles, lapses, self._ended)

    @property
    def last(self) -> CycleBuilder | None:
        """The last opened cycle, with its accumulators as they are now."""
        return self._cycles[-1] if self._cycles else None

    def apply(self, log: Log) -> None:
        """Adds the next event."""
        event = artifact("Federation").events.get(log.topics[0]) if log.topics else None
        if event is None:
            raise HistoryError(f"block {log.block} has an event that the contract doesn't know")
        try:
            values = event.decode(log.topics, log.data)
            if values["job"] != self._job:
                raise HistoryError(f"block {log.block} has an event of job {values['job']}")
            if event.name == "JobPosted":
                self._on_posted(values, log.block)
            elif self._posted is None:
                raise HistoryError("its posting is missing")
            elif event.name in self._handlers:
                self._handlers[event.name](values, log.block)
            elif event.name in STEP_OF:
                self._cycle(values).act(event.name, Seat(values["seat"]), values)
        except (BadEncoding, ValueError) as error:
            raise HistoryError(f"{event.name} in block {log.block} makes no sense ({error})") from error

    def agrees(self, state: JobState) -> None:
        """HistoryError unless the contract, at the block of the last event, stores what these events lead to."""
        self._count("enrolments", len(self._enrolled), state.enrolled)
        opened = cycle_counter(state.cycle) if state.cycle else 0
        self._count("opened cycles", len(self._cycles), opened)
        self._count("finalised rounds", self._finalized, state.round - 1)
        if self._last_result != state.last_result:
            raise HistoryError("the last finalised round is not the one that the contract has")
        self._count("failures in a row", self._failures, state.failures)
        if (self._ended or Phase.NONE) != (state.phase if state.phase.is_over else Phase.NONE):
            raise HistoryError("its end is missing" if self._ended is None else "its end is invented")
        if self._cycles:
            self._cycles[-1].agrees(state)

    # --- events

    def _on_posted(self, values: Values, block: BlockNumber) -> None:
        if self._posted is not None:
            raise HistoryError("it is posted twice")
        terms = from_tuple(JobTerms, values["terms"])
        if terms.hash != values["termsHash"]:
            raise HistoryError("its terms don't have the hash that they were posted with")
        self._posted = Posted(block, address(values["sponsor"]), terms, Wei(values["escrow"]))

    def _on_enrolled(self, values: Values, block: BlockNumber) -> None:
        trainer = address(values["trainer"])
        if trainer in self._enrolled or self._cycles:
            raise HistoryError(f"the enrolment of {trainer} is invented")
        self._enrolled[trainer] = Enrolment(trainer, Wei(values["bond"]))

    def _on_opened(self, values: Values, block: BlockNumber) -> None:
        cycle, seed, number = CycleId(values["cycle"]), values["seed"], len(self._cycles) + 1
        if cycle_counter(cycle) != number:
            raise HistoryError(f"cycle {number} is missing")
        last = self.last
        if last is not None and last.outcome is None:
            raise HistoryError(f"the outcome of cycle {number - 1} is missing")
        afresh = last is None or self._failures > 0
        parent = self._parent_of(block) if afresh else NO_HASH
        sheets, updates = (last.sheets_acc, last.updates_acc) if last is not None else (NO_HASH, 0)
        if cycle_seed(sheets, updates, parent) != seed:
            before = f"of the updates and sheets of cycle {number - 1}" if last is not None else "of the chain"
            raise HistoryError(f"the seed of cycle {number} is not that {before}: some are missing or changed")
        if make_cycle(self._last_result, seed, number, everybody_due(cycle)) != cycle:
            raise HistoryError(f"cycle {number} does not follow the last result: a finalised round is missing")
        if values["round"] != self._finalized + 1:
            raise HistoryError(f"cycle {number} is of round {values['round']}, after {self._finalized} finalised ones")
        committee = tuple(address(member) for member in values["committee"])
        place = Place(self._chain_id, self._federation, self._job, cycle)
        self._cycles.append(CycleBuilder(place, Round(values["round"]), seed, committee, block))

    def _on_submitted(self, values: Values, block: BlockNumber) -> None:
        trainer = address(values["trainer"])
        draft = self._cycle(values)
        if trainer not in self._enrolled:
            raise HistoryError(f"the enrolment of {trainer} is missing, or its update in {draft.name} invented")
        draft.submit(Submitted(trainer, Digest(values["digest"])))

    def _on_finalized(self, values: Values, block: BlockNumber) -> None:
        draft = self._cycle(values)
        outcome = Finalized(
            Round(values["round"]),
            Digest(values["model"]),
            values["rewards"],
            values["metric"],
            values["matched"],
            values["resultHash"],
            block,
        )
        if outcome.round != self._finalized + 1 or outcome.round != draft.round:
            raise HistoryError(f"round {self._finalized + 1} is missing")
        draft.finalize(outcome)
        self._last_result = outcome.result_hash
        self._finalized, self._failures = self._finalized + 1, 0

    def _on_failed(self, values: Values, block: BlockNumber) -> None:
        outcome = Failed(Phase(values["phase"]), values["failures"], Wei(values["burnt"]), block)
        if outcome.failures != self._failures + 1:
            raise HistoryError(f"failure {self._failures + 1} in a row is missing")
        self._failures = outcome.failures
        if outcome.phase == Phase.OPEN:
            self._lapses.append((len(self._cycles), outcome))
        else:
            self._cycle(values).fail(outcome)

    def _on_ended(self, values: Values, block: BlockNumber) -> None:
        if self._ended is not None:
            raise HistoryError("it ends twice")
        self._ended = Phase(values["outcome"])

    # --- helpers

    def _cycle(self, values: Values) -> CycleBuilder:
        """The cycle under way, which an event names."""
        if not self._cycles or self._cycles[-1].cycle != values["cycle"]:
            raise HistoryError(f"cycle {cycle_counter(values['cycle'])} is not open where it has events")
        if self._cycles[-1].outcome is not None:
            raise HistoryError(f"{self._cycles[-1].name} goes on after its outcome")
        return self._cycles[-1]

    @staticmethod
    def _count(what: str, found: int, stored: int) -> None:
        if found != stored:
            raise HistoryError(f"there are events of {found} {what}, and the contract counts {stored}")
