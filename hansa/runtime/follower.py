"""One job, followed from block to block: its history, ledgers, weights and models, as chain and store tell them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

from hansa.protocol.errors import ChainUnavailable, HistoryMismatch, WrongChain
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.ledger import RoundLedger
from hansa.protocol.model import Model
from hansa.protocol.types import Address, CycleId, Digest, JobId, Phase, Round
from hansa.runtime.chain.client import Block
from hansa.runtime.chain.federation import Federation, JobState
from hansa.runtime.chain.structs import NOT_ENROLLED, Enrolled
from hansa.runtime.chain.witness import Stance, Witness
from hansa.runtime.glance import Glancer
from hansa.runtime.history.reader import HistoryReader
from hansa.runtime.history.records import CycleRecord, Failed, Finalized, JobHistory
from hansa.runtime.job import JobContext
from hansa.runtime.model_chain import ModelChain
from hansa.runtime.replay import Replay
from hansa.runtime.store import Store

READ_TRIES, READ_PAUSE = 5, 0.2  # seconds between them
MIXED_LOOKS = 3  # while a state is newer than the events that came with it

_Look = tuple[Block, JobState, Enrolled]  # as `head`, `state` and `own`


class JobFollower:
    """One job at the block of the last `look`. Held by whoever follows a job; every event is read once.

    Terms and spec, and the models, are asked for when they are first needed: a history can be read where they can't.
    Methods raise TransientError while chain or store fail, FatalError where there is no such job.

    keep_models: how many models back stay pinned in the store; None keeps them all.
    trainer: whose enrolment is looked at too; `own`: whether it is enrolled, and the last cycle that it submitted in.
    keep_ledgers: of how many last rounds the ledgers stay in memory; None: of all.
    member: whose encryption key is looked at too; `key`: the one that is in force for a cycle that opens next.
    """

    head: Block
    state: JobState
    trainer: Address | None = None
    own: Enrolled = NOT_ENROLLED
    keep_ledgers: int | None = None
    member: Address | None = None
    key: bytes | None = None

    def __init__(self, federation: Federation, store: Store, job: JobId, keep_models: int | None = None) -> None:
        self.federation = federation
        self.store = store
        self.job = job
        self._keep_models = keep_models
        self._reader = HistoryReader(federation, job)
        self._read: tuple[bytes, JobHistory] | None = None  # by its block's hash, as is the next
        self._deep: tuple[bytes, Block, JobState] | None = None
        self._replay: Replay | None = None
        self._agreed: tuple[object, ...] = ()  # where the job was at the last block that every endpoint agreed on
        self._doubted: _Look | None = None  # what is asked about until all have the block
        self._late: Block | None = None  # of a time that was waited for; asked about until all have it
        self._bonds_agreed = False
        self._asked: bytes = b""  # hash of the head at which all were asked last
        self.on_dissent: Callable[[str], None] = lambda said: None  # told what endpoints say that don't agree

    @cached_property
    def context(self) -> JobContext:
        """Terms and spec. Malformed for a spec that is none; the store's errors while it can't be had."""
        return JobContext.read(self.federation, self.store, self.job)

    @cached_property
    def models(self) -> ModelChain:
        terms, spec = self.context.terms, self.context.spec
        return ModelChain(self.store, self.job, terms.model, spec.model_bytes, self._keep_models)

    # --- moving on

    def look(self) -> JobState:
        """The job's state at the newest block. Everything else is told as of that block from now on."""
        if not self._glance():
            head = self.federation.chain.head()
            state = self.federation.state(self.job, head)
            if state.phase == Phase.NONE and self.federation.came_later(self.job, head):
                cause = f"job {self.job} came with a later one: it lags"
                raise ChainUnavailable(f"a node is at block {head.number}", cause=cause)
            self.head, self.state = head, state
            if self.trainer is not None:
                self.own = self.federation.trainer(self.job, self.trainer, self.head)
            if self.member is not None:
                self.key = self.federation.announced_key(self.member, self.head)
        return self.state

    def _glance(self) -> bool:
        """Whether all of it came in one request: not at the first look, and not where anything is unusual."""
        if not hasattr(self, "state") or self.federation.is_missed(self.job):
            return False
        glancer = Glancer(self.federation, self.job, self._reader.topics, self.trainer, self.member)
        for _ in range(MIXED_LOOKS):
            seen = glancer.look(self.head, self._reader.upto)
            if seen is None:
                return False
            if seen.news is None or self._reader.take(seen.news, seen.head, seen.state):
                self.head, self.state = seen.head, seen.state
                self.own, self.key = seen.own or NOT_ENROLLED, seen.key
                return True
        return False

    def read(self) -> JobHistory:
        """Looks, and reads up to there. A node that mines while it answers mixes blocks: it is asked a few times."""
        for _ in range(READ_TRIES - 1):
            try:
                self.look()
                return self.history()
            except HistoryMismatch:
                time.sleep(READ_PAUSE)
        self.look()
        return self.history()

    # --- what the chain holds

    def history(self) -> JobHistory:
        """The job's history up to `head`, checked against the contract's `state`; HistoryMismatch if it isn't that."""
        if self._read is None or self._read[0] != self.head.hash:
            self._read = (self.head.hash, self._reader.read(self.head, self.state))
        if self._reader.state != self.state:
            # A node that mines while it answers may give a newer state than that of the block it was asked for.
            raise HistoryMismatch(f"job {self.job} moved on while it was read", next_step="it is read again")
        return self._read[1]

    def cycle(self) -> CycleRecord:
        """The record of the cycle that `state` is about."""
        cycles = self.history().cycles
        if not cycles or cycles[-1].cycle != self.state.cycle:
            counter = cycle_counter(self.state.cycle)
            raise HistoryMismatch(f"cycle {counter} of job {self.job} is not among the events yet")
        return cycles[-1]

    def finalized(self) -> list[Finalized]:
        """Outcomes of the finalised rounds, in order."""
        return [outcome for _, outcome in self.history().finalised]

    def failed_cycles(self) -> list[CycleRecord]:
        """Cycles over the present model that failed after their updates were published, oldest first."""
        failed: list[CycleRecord] = []
        for cycle in self.history().cycles:
            if isinstance(cycle.outcome, Finalized):
                failed = []
            elif isinstance(cycle.outcome, Failed) and cycle.outcome.phase > Phase.SUBMIT:
                failed.append(cycle)
        return failed

    # --- what is so sure that it need not be taken back

    def is_agreed(self) -> bool:
        """Whether every endpoint that answers says the same of a block at which the job was where it is now."""
        if len(self.federation.chain.rpc.endpoints) == 1:
            return True
        here = _stage(self.state, self.own)
        if self._agreed != here and self._asked != self.head.hash:
            self._asked = self.head.hash
            block, state, own = self._doubted or (self.head, self.state, self.own)
            trainers = {} if self.trainer is None else {self.trainer: own}
            witness = self.federation.witnessed(self.job, block, state, trainers)
            lags = witness.those(Stance.BEHIND) and not witness.those(Stance.DIFFERS)
            self._doubted = (block, state, own) if lags else None
            if self._is_heard(witness) and self._has_agreed_bonds():
                self._agreed = _stage(state, own)
        return self._agreed == here

    def _is_heard(self, witness: Witness) -> bool:
        """Whether all that are counted agree; who differs, and who is not counted, is told."""
        if not witness.agreed or witness.those(Stance.SYNCING):
            self.on_dissent(str(witness))
        return witness.agreed

    def _has_agreed_bonds(self) -> bool:
        """Whether no endpoint tells other bonds than the history: weights rest on them, and no accumulator binds them.
        Asked once; after a difference the history is read anew, from the endpoint that is preferred then."""
        if self._bonds_agreed or self.state.phase == Phase.ENROL:
            return True
        enrolled = self.history().enrolled
        others = self.federation.who_denies_bonds(self.job, {item.trainer: item.bond for item in enrolled})
        self._bonds_agreed = not others
        if others:
            self.on_dissent(f"{', '.join(others)} tells other bonds")
            self._reader, self._read, self._replay = HistoryReader(self.federation, self.job), None, None
        return self._bonds_agreed

    def deep(self) -> JobState:
        """The job's state `confirmations` blocks below the head; Phase.NONE where it, or the contract, is younger."""
        return self._below()[1]

    def _below(self) -> tuple[Block, JobState]:
        if self.federation.chain.confirmations == 0:
            return self.head, self.state
        if self._deep is None or self._deep[0] != self.head.hash:
            below = self.deep_block()
            try:
                state = self.federation.state(self.job, below)
            except WrongChain:  # at the head it is there
                state = replace(self.state, phase=Phase.NONE, cycle=CycleId(0))
            self._deep = (self.head.hash, below, state)
        return self._deep[1:]

    def is_deep_agreed(self) -> bool:
        """Whether every endpoint that answers says the same of the whole of `deep`: of who has voted, too."""
        if len(self.federation.chain.rpc.endpoints) == 1:
            return True
        return self._is_heard(self.federation.witnessed(self.job, *self._below()))

    def deep_block(self) -> Block:
        """The block that `deep` is about: `confirmations` below the head."""
        chain = self.federation.chain
        return chain.below(self.head, chain.confirmations) if chain.confirmations else self.head

    def is_past_time(self, time: int) -> bool:
        """Whether the chain has come to a time; every endpoint that answers has a block of then."""
        if self.head.timestamp < time:
            return False
        if len(self.federation.chain.rpc.endpoints) == 1:
            return True
        block = self._late if self._late is not None and self._late.timestamp >= time else self.head
        witness = self.federation.chain.witnessed(block)
        lags = witness.those(Stance.BEHIND) and not witness.those(Stance.DIFFERS)
        self._late = block if lags else None
        return witness.agreed

    def is_settled(self) -> bool:
        """Whether the block that began the present phase is `confirmations` deep, and agreed on."""
        deep = self.deep()
        return deep.cycle == self.state.cycle and deep.phase == self.state.phase and self.is_agreed()

    def is_past(self, phase: Phase, cycle: CycleRecord) -> bool:
        """Whether a cycle has left `phase` behind, `confirmations` deep, and all agree on where the job is now."""
        deep = self.deep()
        is_later = cycle_counter(deep.cycle) > cycle_counter(cycle.cycle)
        is_over = deep.cycle == cycle.cycle and (deep.phase == Phase.OPEN or deep.phase > phase)
        return (is_later or is_over) and self.is_agreed()

    def has_submitted(self, cycle: CycleRecord) -> bool:
        """Whether an update of `trainer` is registered in a cycle, `confirmations` deep, and all agree where the job
        is."""
        if self.trainer is None or not cycle.has_update_of(self.trainer):
            return False
        deep = self.federation.trainer(self.job, self.trainer, self.deep_block())
        return deep.counter >= cycle_counter(cycle.cycle) and self.is_agreed()

    # --- what follows from it

    def weights(self) -> dict[Address, int]:
        return self.context.weights(self.history().enrolled)

    def replay(self) -> Replay:
        """The replay of all finalised rounds."""
        if self._replay is None or not self._replay.count:  # enrolment is over once there are some
            keep = None if self.state.phase.is_over else self.keep_ledgers
            self._replay = Replay(self.context, self.weights(), keep)
        self._replay.follow(self.history())
        return self._replay

    def ledgers(self, after: int = 0) -> list[RoundLedger]:
        """The ledgers of the finalised rounds after round `after`, in order: worked out from the first round on where
        they are not in memory, and kept where the job is over."""
        replay = self.replay()
        if replay.forgotten > after:
            replay = Replay(self.context, self.weights())
            replay.follow(self.history())
            if self.state.phase.is_over:
                self._replay = replay
        return replay.rounds[after - replay.forgotten :]

    def base(self) -> tuple[Digest, Model]:
        """The model that the next update starts from."""
        finalized = self.finalized()
        self.models.follow([outcome.model for outcome in finalized])
        digest = finalized[-1].model if finalized else self.context.terms.model
        return digest, self.models.load(digest, Round(len(finalized)))


def _stage(state: JobState, own: Enrolled) -> tuple[object, ...]:
    """What acts rest on: where the job is, and how it came there."""
    return (state.cycle, state.phase, state.deadline, state.committee, state.updates, state.sheets, state.history, own)
