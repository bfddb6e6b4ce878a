"""What trainer and validator do alike: follow the job, keep its models, open, fail and rejoin cycles, claim."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Protocol

from hansa.protocol.cid import to_cid
from hansa.protocol.errors import FatalError, HistoryMismatch, SpoiltModel
from hansa.protocol.hashes import cycle_counter, everybody_due
from hansa.protocol.merkle import RewardsTree
from hansa.protocol.model import Model
from hansa.protocol.types import Address, BlockNumber, CycleId, Digest, Phase, Round
from hansa.runtime import keystore
from hansa.runtime.chain.federation import Call, JobState, approve_call
from hansa.runtime.chain.structs import Books
from hansa.runtime.daemon import Daemon, DaemonConfig
from hansa.runtime.history.reader import CycleRecord, Failed, Finalized, HistoryReader, JobHistory
from hansa.runtime.job import JobContext
from hansa.runtime.model_chain import ModelChain
from hansa.runtime.replay import Replay
from hansa.runtime.transactions.sender import Pending, Refused

TURN_SECONDS = 1.5  # that each account leaves those before it to do what anyone may do


class ParticipantConfig(DaemonConfig, Protocol):
    """What both daemons are told."""

    @property
    def allow(self) -> frozenset[str]: ...
    @property
    def max_bytes(self) -> int: ...
    @property
    def keep_models(self) -> int | None: ...


class Participant(Daemon):
    """A daemon of one job that knows its context, its history and its models."""

    def __init__(self, config: ParticipantConfig) -> None:
        super().__init__(config)
        self.context = JobContext.read(self.federation, self.store, self.job)
        self.context.check_allowed(config.deployment, config.allow, config.max_bytes)
        terms, spec = self.context.terms, self.context.spec
        self.models = ModelChain(self.store, self.job, terms.model, spec.model_bytes, config.keep_models)
        self.secret = keystore.encryption_secret(config.account)
        self._reader = HistoryReader(self.federation, self.job)
        self._read: tuple[bytes, JobHistory] | None = None
        self._replay: Replay | None = None
        self._keys: dict[CycleId, tuple[bytes | None, ...]] = {}
        self._published: set[Digest] = set()
        self._tidied: CycleId | None = None
        self._spoilt_round: Round | None = None
        self._counted = bytes(32)  # last result up to which missed cycles are counted
        self._turn: tuple[tuple[int, ...], float] = ((), 0.0)
        self._awaited: list[Address] = []  # members whose keys were missing at the last look

    def observe(self, state: JobState) -> None:
        """Notes the state that this cycle of the daemon acts on."""
        super().observe(state)
        moment = (state.cycle, state.phase, state.failures)
        if moment != self._turn[0]:
            self._turn = (moment, time.monotonic())
            self.log.info(
                "phase",
                phase=state.phase.name,
                round=state.round,
                cycle=cycle_counter(state.cycle),
                until=state.deadline,
            )

    def before(self, state: JobState) -> None:
        """A store that fails, or a model that can't be had, keeps nobody from ending what is over."""
        self._keep_job_moving(state)
        if self._counted != state.last_result:
            done = [cycle for cycle in self.history().cycles if isinstance(cycle.outcome, Finalized)]
            self.metrics.missed.set(sum(not self.took_part(cycle) for cycle in done))
            self._counted = state.last_result

    def took_part(self, cycle: CycleRecord) -> bool:
        """Whether this account did in a finalised cycle what it was there for."""
        raise NotImplementedError

    # --- what the chain holds

    def history(self) -> JobHistory:
        """The job's history up to `self.head`, checked against the contract."""
        if self._read is None or self._read[0] != self.head.hash:
            self._read = (self.head.hash, self._reader.read(self.head, self.state))
        if self._reader.state != self.state:
            # A node that mines while it answers may give a newer state than that of the block it was asked for.
            raise HistoryMismatch(f"job {self.job} moved on while it was read", next_step="it is read again")
        return self._read[1]

    def cycle(self, state: JobState) -> CycleRecord:
        """The record of the cycle that `state` is about."""
        cycles = self.history().cycles
        if not cycles or cycles[-1].cycle != state.cycle:
            raise HistoryMismatch(f"cycle {cycle_counter(state.cycle)} of job {self.job} is not among the events yet")
        return cycles[-1]

    def finalized(self) -> list[Finalized]:
        """Outcomes of the finalised rounds, in order."""
        return [cycle.outcome for cycle in self.history().cycles if isinstance(cycle.outcome, Finalized)]

    def failed_cycles(self) -> list[CycleRecord]:
        """Cycles over the present model that failed after their updates were published, oldest first."""
        failed: list[CycleRecord] = []
        for cycle in self.history().cycles:
            if isinstance(cycle.outcome, Finalized):
                failed = []
            elif isinstance(cycle.outcome, Failed) and cycle.outcome.phase > Phase.SUBMIT:
                failed.append(cycle)
        return failed

    def weights(self) -> dict[Address, int]:
        return self.context.weights(self.history().enrolled)

    def replay(self) -> Replay:
        """The ledgers of all finalised rounds."""
        if self._replay is None or not self._replay.rounds:  # enrolment is over once there are some
            self._replay = Replay(self.context, self.weights())
        self._replay.follow(self.history())
        return self._replay

    def base(self) -> tuple[Digest, Model]:
        """The model that the next update starts from."""
        finalized = self.finalized()
        self.models.follow([outcome.model for outcome in finalized])
        digest = finalized[-1].model if finalized else self.context.terms.model
        return digest, self.models.load(digest, Round(len(finalized)))

    @contextlib.contextmanager
    def if_model_serves(self, state: JobState) -> Iterator[None]:
        """What needs the model is left undone where a committee voted one that nobody can use: the job ends by its
        failures, and this daemon claims what is its own."""
        try:
            yield
        except SpoiltModel as error:
            if self._spoilt_round != state.round:
                self._spoilt_round = state.round
                self.log.error("sits this round out, and claims at the job's end", error=str(error))

    def member_keys(self, cycle: CycleRecord) -> tuple[bytes | None, ...]:
        """The members' encryption keys in force for a cycle, by seat."""
        if cycle.cycle not in self._keys:
            self._keys[cycle.cycle] = tuple(self.federation.member_keys(cycle.committee, cycle.opened_at))
        return self._keys[cycle.cycle]

    # --- doing

    def publish(self, digest: Digest) -> None:
        """Puts a file of this daemon's journal into the store, once."""
        if digest not in self._published:
            self.store.put(self.journal.blob(digest))
            self._published.add(digest)
            self.log.info("published", cid=to_cid(digest))

    def tidy(self, state: JobState, needed: Collection[Digest]) -> None:
        """Drops, once a cycle, the journal's files that no later step needs; entries, with their keys, stay."""
        if self._tidied != state.cycle:
            self._tidied = state.cycle
            if dropped := self.journal.keep_blobs(needed):
                self.log.info("journal tidied", dropped=dropped)

    def is_past(self, phase: Phase, cycle: CycleRecord) -> bool:
        """Whether a cycle has left `phase` behind, `confirmations` deep."""
        deep = self.deep()
        if deep.cycle != cycle.cycle:
            return cycle_counter(deep.cycle) > cycle_counter(cycle.cycle)
        return deep.phase == Phase.OPEN or deep.phase > phase

    def turn(self, place: int, within: float) -> bool:
        """Whether it is this account's turn to do what anyone may do within so many seconds: those in earlier places
        are left some time, but a third of it at most."""
        return time.monotonic() >= self._turn[1] + min(TURN_SECONDS * place, within / 3)

    def pay_in(self, amount: int) -> None:
        """Lets the vault take `amount` of the job's token. Another job of this account may take it first: asked again,
        it is allowed again, but never twice while the first time is under way."""
        token, name = self.context.terms.token, (self.job, "approvals", amount)
        if self.federation.allowance(token, self.me) < amount:
            done = (self.journal.recall(name) or {"times": 0})["times"]
            outcome = self.send(approve_call(token, self.federation.vault, amount), "approve", amount, done)
            if not isinstance(outcome, Pending):
                self.journal.replace(name, {"times": done + 1})

    def claim_call(self, trainer: Address, rounds: Sequence[int]) -> Call:
        ledgers = self.replay().rounds
        trees = {round_: RewardsTree(ledgers[round_ - 1].leaves) for round_ in rounds}
        claims = [(round_, tree.leaf(trainer), tree.proof(trainer)) for round_, tree in trees.items()]
        return self.federation.claim_call(self.job, trainer, claims)

    def root_stands(self, round_: int) -> bool:
        """Whether the rewards that the committee voted for a round are those that its sheets give."""
        return self.finalized()[round_ - 1].rewards == RewardsTree(self.replay().rounds[round_ - 1].leaves).root

    def report_unclaimed(self, what: str, amount: int, books: Books, refused: Refused | None) -> None:
        """FatalError, and a warning in the log, where the job still owes this account `amount` and the claim of it came
        too late, or was `refused`."""
        if not amount:
            return
        self.log.warning("not claimed", what=what, amount=amount, token=books.token, until=books.claim_until)
        named = f"{amount} units of token {books.token}, {what} of job {self.job},"
        if self.head.timestamp >= books.claim_until or (refused and refused.error.name == "Vault_TooLate"):
            end = datetime.fromtimestamp(books.claim_until, UTC).isoformat(" ", "seconds")
            raise FatalError(
                f"{named} can't be claimed any more",
                cause=f"the time to claim ended at {end}",
                next_step="let your daemon run at a job's end, and raise --min-claim to refuse jobs as short as this",
            )
        raise FatalError(
            f"{named} could not be claimed",
            cause=None if refused is None else refused.error,
            next_step="try `hansa wallet claim`",
        )

    # --- what anyone may do, so that nobody has to be relied on

    def _keep_job_moving(self, state: JobState) -> None:
        within = self.context.terms.open_time
        match state.phase:
            case Phase.OPEN if self.turn(self._place(state), within) and self._can_be_opened(state):
                self.send(self.federation.open_call(self.job), "open", state.cycle, state.failures)
            case Phase.LAPSED if self.turn(self._place(state), within):
                self.send(self.federation.fail_call(self.job, state.cycle), "fail", state.cycle, state.failures)
        if self._is_absent(state):
            self.send(self.federation.rejoin_call(self.job), "rejoin", state.cycle)

    def _can_be_opened(self, state: JobState) -> bool:
        """Whether the committee has announced keys: a member without one can't read what is submitted.

        Asked where nobody has shown yet that it is there. All are waited for a tenth of OPEN, a quorum half of it.
        """
        terms = self.context.terms
        waited = max(time.monotonic() - self._turn[1], self.head.timestamp - state.deadline + terms.open_time)
        if (state.cycle and not state.failures) or waited > terms.open_time / 2:
            return True
        committee = self.federation.expected_committee(self.job, terms, state)
        if committee is None:
            return True
        known = self.federation.member_keys(committee, BlockNumber(self.head.number + 1))
        missing = [member for member, key in zip(committee, known, strict=True) if key is None]
        if missing and self._awaited != missing:
            self.log.info("waiting for the committee's keys", missing=missing)
        self._awaited = missing
        return not missing or (waited > terms.open_time / 10 and len(committee) - len(missing) >= terms.quorum)

    def _place(self, state: JobState) -> int:
        """Members that voted last come first, then the other members, then the trainers by enrolment."""
        seats = sorted(range(len(state.committee)), key=lambda seat: (not state.voted >> seat & 1, seat))
        order = [state.committee[seat] for seat in seats]
        if self.me in order:
            return order.index(self.me)
        enrolled = [item.trainer for item in self.history().enrolled]
        return len(order) + (enrolled.index(self.me) if self.me in enrolled else len(enrolled))

    def _is_absent(self, state: JobState) -> bool:
        """Whether the last opened cycle neither waited for this account nor heard it."""
        if state.cycle == 0 or everybody_due(state.cycle) or state.rejoining or state.phase.is_over:
            return False
        if self.me in state.committee:
            return not (state.due | state.voted) >> state.committee.index(self.me) & 1
        enrolled, last = self.federation.trainer(self.job, self.me, self.head)
        return enrolled and last + 1 < cycle_counter(state.cycle)
