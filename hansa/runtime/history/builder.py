"""Events, one after another, to a history; each is checked as far as what came before it allows.

What binds them: a seed is a hash of all openings and ends before it, of the cycle's draw, committee and keys; a draw
one of the previous cycle's updates and sheets; a result hash one of its cycle's id, updates, sheets, model and
rewards; an end one of that, of who did what, every vote and what is burnt. `agrees` checks all of it against the
contract's state: counts, bitmaps, accumulators, `history`. So events that an RPC node omits, invents, changes or
reorders are found, and named. Unbound are bonds (the contract is asked for each), and what failed cycles committed and
never revealed, or voted, where `failRound` ended them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hansa.protocol.hashes import NO_HASH, cycle_counter, draw, everybody_due, make_cycle
from hansa.protocol.links import lapsed, link, opened
from hansa.protocol.phases import STEP_OF
from hansa.protocol.types import Address, BlockNumber, CycleId, Digest, JobId, Phase, Place, Round, Seat, Timestamp, Wei
from hansa.runtime.chain.abi import BadEncoding, artifact
from hansa.runtime.chain.client import Log
from hansa.runtime.chain.structs import JobState, JobTerms, address, from_tuple
from hansa.runtime.history.cycle import CycleBuilder, HistoryError
from hansa.runtime.history.records import CycleRecord, Enrolment, Failed, Finalized, JobHistory, Posted, Submitted

Values = Mapping[str, Any]


class HistoryBuilder:
    """A job's history in the making. Every method may raise HistoryError, which says what doesn't fit.

    word: the contract's `history`, as these events lead to it. last: the last opened cycle, with its accumulators as
    they are now.
    """

    def __init__(self, chain_id: int, federation: Address, job: JobId) -> None:
        self.word = NO_HASH
        self._chain_id = chain_id
        self._federation = federation
        self._job = job
        self._posted: Posted | None = None
        self._enrolled: dict[Address, Enrolment] = {}
        self._past: list[CycleRecord] = []  # the cycles before the last opened one
        self.last: CycleBuilder | None = None
        self._lapses: list[tuple[int, Failed]] = []
        self._ended: Phase | None = None
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
        """HistoryError before the posting."""
        if self._posted is None:
            raise HistoryError("its posting is missing")
        cycles = () if self.last is None else (*self._past, self.last.record())
        enrolled, lapses = tuple(self._enrolled.values()), tuple(self._lapses)
        return JobHistory(self._job, self._posted, enrolled, cycles, lapses, self._ended)

    def apply(self, log: Log) -> None:
        """Adds the next event."""
        event = artifact("Federation").events.get(log.topics[0]) if log.topics else None
        if event is None:
            raise HistoryError(f"block {log.block} has an event that the contract doesn't know")
        try:
            values = event.decode(log.topics, log.data)
            if values.get("job") != self._job:
                raise HistoryError(f"block {log.block} has {event.name} of {_subject(values)}")
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
        self._count("opened cycles", self._opened, opened)
        self._count("finalised rounds", self._finalized, state.round - 1)
        self._count("failures in a row", self._failures, state.failures)
        if self.word != state.history:
            raise HistoryError("a cycle's opening or end, or a vote, is missing or changed: `history` is another one")
        if (self._ended or Phase.NONE) != (state.phase if state.phase.is_over else Phase.NONE):
            raise HistoryError("its end is missing" if self._ended is None else "its end is invented")
        if self.last is not None:
            self.last.agrees(state)

    # --- events

    def _on_posted(self, values: Values, block: BlockNumber) -> None:
        if self._posted is not None:
            raise HistoryError("it is posted twice")
        terms = from_tuple(JobTerms, values["terms"])
        if terms.hash(values["escrow"], values["sponsor"]) != values["termsHash"]:
            raise HistoryError("its terms don't have the hash that they were posted with")
        self.word = values["termsHash"]
        self._posted = Posted(block, address(values["sponsor"]), terms, Wei(values["escrow"]))

    def _on_enrolled(self, values: Values, block: BlockNumber) -> None:
        trainer = address(values["trainer"])
        if trainer in self._enrolled or self.last is not None:
            raise HistoryError(f"the enrolment of {trainer} is invented")
        self._enrolled[trainer] = Enrolment(trainer, Wei(values["bond"]))

    def _on_opened(self, values: Values, block: BlockNumber) -> None:
        cycle, seed, number = CycleId(values["cycle"]), values["seed"], self._opened + 1
        if cycle_counter(cycle) != number:
            raise HistoryError(f"cycle {number} is missing")
        last = self.last
        if last is not None and last.outcome is None:
            raise HistoryError(f"the outcome of cycle {number - 1} is missing")
        sheets, updates = (last.sheets_acc, last.updates_acc) if last is not None else (NO_HASH, 0)
        randomness, keys = values["randomness"], values["keys"]
        committee = tuple(address(member) for member in values["committee"])
        drawn = draw(self._chain_id, self._federation, self._job, sheets, updates, randomness)
        self.word = link(self.word, opened(drawn, committee, keys))
        if self.word != seed:
            raise HistoryError(
                f"the seed of cycle {number} is not that of what came before it, its committee and its keys: "
                "something is missing or changed"
            )
        if make_cycle(seed, number, everybody_due(cycle)) != cycle:
            raise HistoryError(f"cycle {number} is not named after its seed")
        if values["round"] != self._finalized + 1:
            raise HistoryError(f"cycle {number} is of round {values['round']}, after {self._finalized} finalised ones")
        place, round_ = Place(self._chain_id, self._federation, self._job, cycle), Round(values["round"])
        self.last = CycleBuilder(place, round_, randomness, seed, committee, keys, block, last)
        if last is not None:
            self._past.append(last.record())

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
            Timestamp(values["time"]),
            block,
        )
        if outcome.round != self._finalized + 1 or outcome.round != draft.round:
            raise HistoryError(f"round {self._finalized + 1} is missing")
        self.word = link(self.word, draft.finalize(outcome))
        self._finalized, self._failures = self._finalized + 1, 0

    def _on_failed(self, values: Values, block: BlockNumber) -> None:
        time = Timestamp(values["time"])
        outcome = Failed(Phase(values["phase"]), values["failures"], Wei(values["burnt"]), time, block)
        if outcome.failures != self._failures + 1:
            raise HistoryError(f"failure {self._failures + 1} in a row is missing")
        self._failures = outcome.failures
        if outcome.phase == Phase.OPEN:
            self._lapses.append((self._opened, outcome))
            self.word = link(self.word, lapsed(time))
        else:
            self.word = link(self.word, self._cycle(values).fail(outcome, self._terms.quorum))

    def _on_ended(self, values: Values, block: BlockNumber) -> None:
        if self._ended is not None:
            raise HistoryError("it ends twice")
        self._ended = Phase(values["outcome"])

    # --- helpers

    def _cycle(self, values: Values) -> CycleBuilder:
        """The cycle under way, which an event names."""
        if self.last is None or self.last.cycle != values["cycle"]:
            raise HistoryError(f"cycle {cycle_counter(values['cycle'])} is not open where it has events")
        if self.last.outcome is not None:
            raise HistoryError(f"{self.last.name} goes on after its outcome")
        return self.last

    @property
    def _opened(self) -> int:
        return len(self._past) + (self.last is not None)

    @property
    def _terms(self) -> JobTerms:
        if self._posted is None:
            raise HistoryError("its posting is missing")
        return self._posted.terms

    @staticmethod
    def _count(what: str, found: int, stored: int) -> None:
        if found != stored:
            raise HistoryError(f"there are events of {found} {what}, and the contract counts {stored}")


def _subject(values: Values) -> str:
    return f"job {values['job']}" if "job" in values else "no job"
