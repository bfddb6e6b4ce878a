"""The trainer daemon: enrols, trains, submits, publishes after the phase has closed, claims."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from client.config import TrainerConfig
from client.training import local_update
from hansa.protocol import envelope, tensors
from hansa.protocol.cid import to_cid
from hansa.protocol.content_keys import encode_keys
from hansa.protocol.errors import FatalError
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.model import Model, Update
from hansa.protocol.types import CycleId, Digest, Phase
from hansa.runtime.chain.federation import JobState
from hansa.runtime.chain.structs import Books
from hansa.runtime.history.reader import CycleRecord, Failed, Submitted
from hansa.runtime.participant import Participant
from hansa.runtime.transactions.sender import Mined, Pending, Refused
from hansa.tasks import load_task_of, running, use_threads

KEPT = 2  # cycles, and models, whose own files stay in the journal
CLAIMED_AT_ONCE = 64  # rounds: about a million gas, which every chain has room for

PASSING = frozenset({"Federation_WrongPhase", "Federation_AlreadyEnrolled", "ERC20InsufficientAllowance"})
"""Refusals of an enrolment that another look at the chain explains or cures."""


class Trainer(Participant):
    """One trainer of one job. What it computes is journalled before it is sent; its rows never leave it."""

    def __init__(self, config: TrainerConfig) -> None:
        super().__init__(config)
        self.config = config
        allowed = {*config.deployment.allowed.tasks, *config.allow}
        self.task = load_task_of(self.context.spec, task_file=config.task_file, allowed=allowed)
        use_threads(config.threads)
        with running(self.context.spec.task, f"loading {config.source}"):
            self.data = self.task.load(config.source)
            self.models.shapes = {name: values.shape for name, values in self.task.model().items()}
        self.log.info("data loaded", rows=len(self.data), source=config.source)
        self._keys_out = False
        self._failed_before: frozenset[CycleId] | None = None  # cycles that had failed when this daemon began

    def act(self, state: JobState) -> bool:
        """Does the one thing that is due; True when nothing ever will be again."""
        if self._failed_before is None:
            self._failed_before = frozenset(cycle.cycle for cycle in self.failed_cycles())
        enrolled, last = self.federation.trainer(self.job, self.me, self.head)
        if not enrolled:
            return self._enrol(state)
        self._publish(state)
        match state.phase:
            case Phase.SUBMIT if last != cycle_counter(state.cycle):
                self._stop_after_failure()
                with self.if_model_serves(state):
                    self._submit(state)
            case Phase.SUBMIT if self.settled(state):
                self.tidy(state, self._still_needed())
            case phase if phase.is_over:
                return self._leave(state)
        return False

    def took_part(self, cycle: CycleRecord) -> bool:
        return any(update.trainer == self.me for update in cycle.updates)

    def _still_needed(self) -> set[Digest]:
        """Integers of the last bases, updates of the last cycles: what may be sent or served again."""
        bases = [self.context.terms.model, *(outcome.model for outcome in self.finalized())]
        entries = [(self.journal.recall((self.job, "integers", base)), "integers") for base in bases[-KEPT:]]
        cycles = self.history().cycles[-KEPT:]
        entries += [(self.journal.recall((self.job, cycle.cycle, "update")), "digest") for cycle in cycles]
        return {Digest(known[field]) for known, field in entries if known is not None}

    # --- ENROL

    def _enrol(self, state: JobState) -> bool:
        if state.phase != Phase.ENROL:
            raise FatalError(
                f"job {self.job} has ended its enrolment",
                cause=f"{self.me} is not among its trainers",
                next_step="pick a job that is still enrolling (hansa job list)",
            )
        bond = self.config.bond if self.config.bond is not None else self.context.terms.min_bond
        if bond < self.context.terms.min_bond:
            raise FatalError(
                f"a bond of {bond} is too small",
                cause=f"job {self.job} asks for {self.context.terms.min_bond}",
                next_step="raise --bond",
            )
        self.context.check_claim_time(self.config.min_claim)
        self._check_model()
        self.pay_in(bond)
        outcome = self.send(self.federation.enrol_call(self.job, self.context.terms.hash, bond, b""), "enrol")
        if isinstance(outcome, Refused) and outcome.error.name not in PASSING:
            raise FatalError(
                f"job {self.job} does not take {self.me}",
                cause=outcome.error,
                next_step="look at `hansa wallet show` and at the job's admission, then run again",
            )
        return False

    def _check_model(self) -> None:
        """Refuses, before a bond is paid, a job whose model 0 can't be had or is not one that its task trains."""
        _, model = self.base()
        with running(self.context.spec.task, "making model 0"):
            shapes = {name: values.shape for name, values in self.task.model().items()}
        if model.shapes != shapes or model.bits != self.context.spec.bits:
            raise FatalError(
                f"job {self.job} starts from a model that its task {self.context.spec.task} does not train",
                cause="its tensors or bits are others than the spec says",
                next_step="pick another job (hansa job list)",
            )

    # --- SUBMIT

    def _submit(self, state: JobState) -> None:
        sealed = self.journal.remember((self.job, state.cycle, "update"), lambda: self._sealed(state))
        self.send(self.federation.submit_call(self.job, state.cycle, sealed["digest"]), "submit", state.cycle)

    def _sealed(self, state: JobState) -> dict[str, Any]:
        cycle = self.cycle(state)
        digest, model = self.base()
        integers = self.journal.blob(self._integers(digest, model))
        attempt = self._attempt()
        update = Update(
            tensors=tensors.decode(integers)[0],
            job=self.job,
            cycle=state.cycle,
            trainer=self.me,
            retry_cid=None if attempt is None else to_cid(attempt["digest"]),
            retry_key=None if attempt is None else attempt["key"],
        )
        key = envelope.new_content_key()
        ctx = envelope.context(self.federation.place(self.job, state.cycle), self.me, digest)
        data = envelope.seal(update.encode(), key, ctx, self.member_keys(cycle))
        return {"digest": self.journal.put_blob(data), "key": key}

    def _integers(self, base: Digest, model: Model) -> Digest:
        """The blob of this trainer's quantised delta from one model: trained once, however often it is submitted."""

        def train() -> dict[str, Any]:
            with running(self.context.spec.task, "training"), self.working("training"):
                local = local_update(self.task, self.data, model, self.context.spec, self.me)
            self.log.info("trained", round=model.round + 1, loss=round(local.loss, 6), steps=local.steps)
            return {"integers": self.journal.put_blob(tensors.encode(local.tensors, {}))}

        key = (self.job, "integers", base)
        known = self.journal.remember(key, train)
        if not self.journal.has_blob(known["integers"]):  # tidied away, and a reorganisation brought this model back
            known = train()
            self.journal.replace(key, known)
        integers: Digest = known["integers"]
        return integers

    def _attempt(self) -> dict[str, Any] | None:
        """This trainer's first published submission of a failed cycle over the same model."""
        for cycle in self.failed_cycles():
            known = self.journal.recall((self.job, cycle.cycle, "update"))
            if known is not None and any(update.trainer == self.me for update in cycle.updates):
                return known
        return None

    # --- after SUBMIT

    def _publish(self, state: JobState) -> None:
        """Gives the bytes away once nobody can submit a copy any more; never those of a cycle that failed in SUBMIT."""
        for cycle in reversed(self.history().cycles[-KEPT:]):
            known = self.journal.recall((self.job, cycle.cycle, "update"))
            if known is None or Submitted(self.me, known["digest"]) not in cycle.updates:
                continue  # what is not on chain could be copied into the next cycle, and come first there
            if self._submit_closed(cycle, state):
                self.publish(known["digest"])

    def _submit_closed(self, cycle: CycleRecord, state: JobState) -> bool:
        if isinstance(cycle.outcome, Failed) and cycle.outcome.phase == Phase.SUBMIT:
            return False
        if cycle.outcome is None and not (cycle.cycle == state.cycle and Phase.SUBMIT < state.phase < Phase.LAPSED):
            return False
        return self.is_past(Phase.SUBMIT, cycle)

    def _stop_after_failure(self) -> None:
        failed = [
            cycle
            for cycle in self.failed_cycles()
            if cycle.cycle not in (self._failed_before or ())
            and any(update.trainer == self.me for update in cycle.updates)
        ]
        if failed and not self.config.keep_going:
            raise FatalError(
                f"cycle {cycle_counter(failed[-1].cycle)} of job {self.job} failed with your update in",
                cause="its committee did not finish it",
                next_step="look at `hansa job show`, then run again, or with --keep-going",
            )

    def _leave(self, state: JobState) -> bool:
        """Publishes content keys where the spec asks for them, claims what is due, then takes the bond back if that is
        possible soon enough. FatalError, at last, for pay that can't be had any more."""
        if not self._keys_published(state):
            return False
        books = self.federation.books(self.job, self.head)
        due = self._unclaimed()
        first = due[:CLAIMED_AT_ONCE]
        refused: Refused | None = None
        if first and self.head.timestamp < books.claim_until:
            sent = self.send(self.claim_call(self.me, first), "claim", *first)
            if isinstance(sent, Mined):
                self.metrics.claimed.inc(self._pay_of(first))
            if not isinstance(sent, Refused):
                return False  # what is mined is due no more, the next time
            refused = sent
        if not self._bond_settled(books):
            return False
        self.report_unclaimed("pay", self._pay_of(due), books, refused)
        return True

    def _pay_of(self, rounds: Collection[int]) -> int:
        ledgers = [self.replay().rounds[round_ - 1] for round_ in rounds]
        return sum(leaf.pay for ledger in ledgers for leaf in ledger.leaves if leaf.trainer == self.me)

    def _bond_settled(self, books: Books) -> bool:
        """Whether the bond is back, or is free too late to wait for."""
        bond = self.federation.bond(self.job, self.me, self.head)
        if bond == 0:
            return True
        if self.head.timestamp < books.slash_until:
            if books.slash_until > self.head.timestamp + self.config.wait_for_bond:
                self.log.info("bond is free later", amount=bond, at=books.slash_until)
                return True
            self.awaited = books.slash_until
            return False
        return isinstance(self.send(self.federation.claim_bond_call(self.job, self.me), "bond"), Mined)

    def _keys_published(self, state: JobState) -> bool:
        """Whether the content keys of this trainer's updates are out, as far as they ever will be."""
        if self._keys_out or not self.context.spec.publish_keys:
            return True
        if not self.settled(state):  # a reorganisation could let the job go on
            self.awaited = self.head.timestamp
            return False
        known = self.journal.remember((self.job, "keys"), self._content_keys)
        self._keys_out = True
        if known["digest"] is None:
            return True
        self.publish(known["digest"])
        outcome = self.send(self.federation.publish_keys_call(self.job, known["digest"]), "keys")
        self._keys_out = not isinstance(outcome, Pending)
        return self._keys_out

    def _content_keys(self) -> dict[str, Any]:
        """The file of the keys of every update of this trainer that was published."""
        keys: dict[Digest, bytes] = {}
        for cycle in self.history().cycles:
            known = self.journal.recall((self.job, cycle.cycle, "update"))
            short = isinstance(cycle.outcome, Failed) and cycle.outcome.phase == Phase.SUBMIT
            if known is not None and not short and Submitted(self.me, known["digest"]) in cycle.updates:
                keys[known["digest"]] = known["key"]
        return {"digest": self.journal.put_blob(encode_keys(keys)) if keys else None}

    def _unclaimed(self) -> list[int]:
        """Rounds in which this trainer has something to claim."""
        ledgers = self.replay().rounds
        owing = [
            round_
            for round_, ledger in enumerate(ledgers, 1)
            if any(leaf.trainer == self.me and leaf.pay for leaf in ledger.leaves) and self.root_stands(round_)
        ]
        claimed = self.federation.claimed_rounds(self.job, self.me, owing, self.head)
        return [round_ for round_ in owing if round_ not in claimed]
