"""What trainer and validator do alike: follow the job, keep its models, open, fail and rejoin cycles, claim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from protocol import keys
from protocol.chain.federation import JobState
from protocol.chain.history import CycleRecord, Failed, Finalized, JobHistory
from protocol.chain.sender import Mined, Outcome
from protocol.daemon import Daemon, DaemonConfig
from protocol.errors import HistoryMismatch, TransientError
from protocol.hashes import cycle_counter, everybody_due
from protocol.job import JobContext
from protocol.model import Model
from protocol.models import ModelChain
from protocol.replay import Replay
from protocol.types import Address, CycleId, Digest, Phase, Round

TURN_SECONDS = 1.5


class ParticipantConfig(DaemonConfig, Protocol):
    """What both daemons are told."""

    @property
    def allow(self) -> frozenset[str]: ...
    @property
    def max_bytes(self) -> int: ...


class Participant(Daemon):
    """A daemon of one job that knows its context, its history and its models."""

    def __init__(self, config: ParticipantConfig, *, keep_models: int | None) -> None:
        super().__init__(config)
        self.context = JobContext.read(self.federation, self.store, self.job)
        self.context.check_allowed(config.deployment, config.allow, config.max_bytes)
        terms, spec = self.context.terms, self.context.spec
        self.models = ModelChain(self.store, self.job, terms.model, spec.model_bytes, keep_models)
        self.secret = keys.encryption_secret(config.account)
        self._replay: Replay | None = None
        self._published: set[Digest] = set()

    # --- what the chain holds

    def cycle(self, state: JobState) -> CycleRecord:
        """The record of the cycle that `state` is about."""
        cycles = self.history().cycles
        if not cycles or cycles[-1].cycle != state.cycle:
            raise HistoryMismatch(f"cycle {cycle_counter(state.cycle)} of job {self.job} is not among the events yet")
        return cycles[-1]

    def weights(self) -> dict[Address, int]:
        return self.context.weights(self.history().enrolled)

    def replay(self) -> Replay:
        """The ledgers of all finalised rounds."""
        if self._replay is None:
            self._replay = Replay(self.context, self.weights())
        self._replay.follow(self.history())
        return self._replay

    def base(self) -> tuple[Digest, Model]:
        """The model that the next update starts from."""
        outcomes = [cycle.outcome for cycle in self.history().cycles]
        finalised = [outcome for outcome in outcomes if isinstance(outcome, Finalized)]
        digest = finalised[-1].model if finalised else self.context.terms.model
        return digest, self.models.load(digest, Round(len(finalised)))

    def failed_cycles(self) -> list[CycleRecord]:
        """Cycles over the present model that failed after their updates were published, oldest first."""
        failed: list[CycleRecord] = []
        for cycle in self.history().cycles:
            if isinstance(cycle.outcome, Finalized):
                failed = []
            elif isinstance(cycle.outcome, Failed) and cycle.outcome.phase > Phase.SUBMIT:
                failed.append(cycle)
        return failed

    def member_keys(self, cycle: CycleRecord) -> tuple[bytes | None, ...]:
        """The members' encryption keys in force for a cycle, by seat."""
        return tuple(self.federation.member_keys(cycle.committee, cycle.opened_at))

    def root_stands(self, round_: Round) -> bool:
        """Whether what the committee voted for a round is what its sheets say."""
        finalised = [c.outcome for c in self.history().cycles if isinstance(c.outcome, Finalized)]
        return finalised[round_ - 1].rewards == self.replay().rounds[round_ - 1].tree.root
