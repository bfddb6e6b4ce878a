"""A job's history, read from events and believed only where it agrees with what the contract stores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hansa.protocol.errors import FatalError, HistoryMismatch
from hansa.protocol.types import JobId, Phase
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.client import Block, Log
from hansa.runtime.chain.federation import Federation
from hansa.runtime.chain.structs import JobState
from hansa.runtime.history.builder import HistoryBuilder
from hansa.runtime.history.cycle import HistoryError
from hansa.runtime.history.records import JobHistory

LAGGING_LOOKS, LAGGING_PAUSE = 8, 0.25  # more, where nodes lag, since such a node leaves its last events out; seconds


@dataclass(frozen=True)
class News:
    """A job's events after a block that was read, up to the head. upto: that block, as the chain has it now."""

    upto: Block
    logs: tuple[Log, ...]


class HistoryReader:
    """Reads one job's events, each block's only once. Keeps what it has as long as the chain does.

    Where events and state don't agree, every endpoint is asked afresh; HistoryMismatch says what is missing when none
    is consistent.
    """

    def __init__(self, federation: Federation, job: JobId) -> None:
        self._federation = federation
        self._chain = federation.chain
        self._job = job
        self._fold: HistoryBuilder | None = None
        self._upto: Block | None = None
        self._enrolment_checked = False
        self.state: JobState | None = None  # that the last history agrees with

    @property
    def topics(self) -> list[Any]:
        """Of the job's events."""
        return [_job_events(), self._job.to_bytes(32, "big")]

    @property
    def upto(self) -> Block | None:
        """Up to where events were read."""
        return self._upto

    def take(self, news: News, at: Block, state: JobState) -> bool:
        """Adds what is new up to a block; whether the state agrees. A node that mines while it answers may have given a
        newer one than the block's: the events stay, and those of the next block are news again."""
        upto = self._upto
        if self._fold is None or upto is None or news.upto.hash != upto.hash or at.number < upto.number:
            return False
        try:
            for log in news.logs:
                self._fold.apply(log)
            self._upto = at
            self._fold.agrees(state)
        except HistoryError:
            if self._upto is not at:
                self._forget()
            return False
        return True

    def read(self, at: Block | None = None, state: JobState | None = None) -> JobHistory:
        """The history up to a block (the latest by default); `state` is the job's at that block, where it is known."""
        block = at if at is not None else self._chain.head()
        problem: HistoryError | None = None
        turn = 0
        while turn <= len(self._chain.rpc.endpoints) + (LAGGING_LOOKS if self._chain.lags else 0):
            if turn > 1:
                self._chain.rpc.rotate()
            if turn > len(self._chain.rpc.endpoints):
                self._chain.rpc.pause(LAGGING_PAUSE)
            turn += 1
            try:
                if turn == 1 and state is not None:
                    return self._read_beside(block, state)
                return self._read(block, self._federation.state(self._job, block))
            except HistoryError as error:
                self._forget()
                problem = error
            except BaseException:
                self._forget()
                raise
        raise HistoryMismatch(
            f"the events of job {self._job} do not agree with the contract",
            cause=str(problem),
            next_step="add an RPC endpoint that serves all of them, from the deployment's first block",
        )

    def _read_beside(self, at: Block, state: JobState) -> JobHistory:
        """With the state that came with a block. A node that mines while it answers gives that of a newer one: then it
        is asked for the block's own, and the events stay."""
        try:
            return self._read(at, state)
        except HistoryError:
            if self._upto is not at:
                raise
            return self._read(at, self._federation.state(self._job, at))

    def _read(self, at: Block, state: JobState) -> JobHistory:
        if state.phase == Phase.NONE:
            raise FatalError(
                f"there is no job {self._job} at {self._federation.address}", next_step="`hansa job list` shows those"
            )
        if not self._continues(at):
            self._forget()
        if self._fold is None:
            self._fold = HistoryBuilder(self._chain.chain_id, self._federation.address, self._job)
        start = self._chain.first_block if self._upto is None else self._upto.number + 1
        for log in self._chain.logs(self._federation.address, self.topics, start, at):
            self._fold.apply(log)
        self._upto = at
        self._fold.agrees(state)
        history = self._fold.history
        self._check_frozen(history, state, at)
        self.state = state
        return history

    def _continues(self, at: Block) -> bool:
        """Whether `at` is the block that was read last, or one on top of it."""
        upto = self._upto
        if upto is None or at.number < upto.number:
            return False
        if upto.hash in (at.hash, at.parent):
            return True
        return self._chain.block(upto.number).hash == upto.hash

    def _check_frozen(self, history: JobHistory, state: JobState, at: Block) -> None:
        """Terms and trainers have no accumulator: the contract is asked for each, once."""
        posted = history.posted
        if posted.terms != self._federation.terms(self._job) or posted.sponsor != state.sponsor:
            raise HistoryError("it is posted with other terms, or by another sponsor, than the contract has")
        if self._enrolment_checked or state.phase == Phase.ENROL:
            return
        trainers = [enrolment.trainer for enrolment in history.enrolled]
        for entry, kept in zip(history.enrolled, self._federation.trainers(self._job, trainers, at), strict=True):
            if not kept.enrolled:
                raise HistoryError(f"the enrolment of {entry.trainer} is invented")
            if kept.bond != entry.bond:
                raise HistoryError(f"{entry.trainer} enrolled with a bond of {kept.bond}, not of {entry.bond}")
        if posted.escrow != self._federation.books(self._job, at).escrowed:
            raise HistoryError("it is posted with another escrow than the vault took")
        self._enrolment_checked = True

    def _forget(self) -> None:
        self._fold, self._upto, self._enrolment_checked = None, None, False


def _job_events() -> list[bytes]:
    return [event.topic for event in artifact("Federation").events.values() if event.name != "KeyAnnounced"]
