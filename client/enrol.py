"""ENROL: the bond is paid in once the job and its model have been looked at."""

from __future__ import annotations

from client.config import TrainerConfig
from client.relayed import RelayedSender
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address, Phase
from hansa.runtime.chain.calls import Call
from hansa.runtime.chain.federation import JobState
from hansa.runtime.desk import Desk
from hansa.runtime.identity.admission import enrolment_data
from hansa.runtime.transactions.sender import Mined, Pending, Refused
from hansa.tasks import running
from hansa.tasks.base import Task

PASSING = frozenset({"Federation_WrongPhase", "Federation_AlreadyEnrolled", "ERC20InsufficientAllowance"})
"""Refusals of an enrolment that another look at the chain explains or cures."""


class Enroller:
    """Enrols one trainer."""

    def __init__(self, desk: Desk, task: Task, config: TrainerConfig) -> None:
        self._desk = desk
        self._task = task
        self._config = config

    def enrol(self, state: JobState) -> None:
        """FatalError where that can't be, or should not: nothing is paid then."""
        follower, me = self._desk.follower, self._desk.me
        federation = follower.federation
        if state.phase != Phase.ENROL:
            raise FatalError(
                f"job {follower.job} has ended its enrolment",
                cause=f"{me} is not among its trainers",
                next_step="pick a job that is still enrolling (hansa job list)",
            )
        terms = follower.context.terms
        bond = self._config.bond if self._config.bond is not None else terms.min_bond
        if bond < terms.min_bond:
            raise FatalError(
                f"a bond of {bond} is too small",
                cause=f"job {follower.job} asks for {terms.min_bond}",
                next_step="raise --bond",
            )
        follower.context.check_claim_time(self._config.min_claim)
        self.check_coin()
        self.check_model()
        data = self.data()
        pays = not self._config.relays
        is_signed = bool(self._desk.journal.sent(key=(follower.job, "enrol")))
        if pays and not is_signed:  # one under way may have taken what it was allowed since the last look
            self.pay_in(bond)
        hashed = federation.terms_hash(follower.job)
        outcome = self._desk.send(federation.enrol_call(follower.job, hashed, bond, data), "enrol")
        if isinstance(outcome, Mined):
            self._desk.journal.replace((follower.job, "terms"), {"hash": hashed})
        elif isinstance(outcome, Refused) and pays and is_signed and federation.approvals(terms.token, me, bond):
            self.pay_in(bond)
        elif isinstance(outcome, Refused) and not self._passes(outcome, data):
            raise FatalError(
                f"job {follower.job} does not take {me}",
                cause=outcome.error,
                next_step="look at `hansa wallet show` and at the job's admission, then run again",
            )

    def data(self) -> bytes:
        """What the job's admission is shown. FatalError where it would not take this account."""
        follower = self._desk.follower
        return enrolment_data(follower.federation, follower.store, follower.job, self._desk.me)

    def _passes(self, refused: Refused, data: bytes) -> bool:
        """Whether another look cures a refusal: of a job that was shown, a round may have ended meanwhile."""
        if refused.error.name == "Federation_NotAdmitted":
            return self.data() != data
        return refused.error.name in PASSING

    def check_coin(self) -> None:
        """Refuses, before a bond is paid, a job that asks at its end for what no relay sends, where there is no coin:
        content keys count only where their trainer's own transaction names them."""
        follower, sender = self._desk.follower, self._desk.sender
        if isinstance(sender, RelayedSender) and follower.context.spec.publish_keys and not sender.pays:
            raise FatalError(
                f"job {follower.job} asks its trainers to publish their updates' keys at its end",
                cause=f"{self._desk.me} has no coin, and no relay can name keys for it",
                next_step="give the account coin for one transaction, or pick a job that asks for none",
            )

    def check_terms(self) -> None:
        """FatalError where a node tells other terms than those by whose hash the contract took this account."""
        follower = self._desk.follower
        known = self._desk.journal.recall((follower.job, "terms"))
        if known is not None and known["hash"] != follower.federation.terms_hash(follower.job):
            raise FatalError(
                f"the terms of job {follower.job} are not those that {self._desk.me} enrolled by",
                cause="terms never change: an RPC endpoint invents these, or a reorganisation took the job",
                next_step="name another endpoint in deployment.json",
            )

    def check_model(self) -> None:
        """Refuses, before a bond is paid, a job whose model 0 can't be had or is not one that its task trains."""
        follower = self._desk.follower
        spec, (_, model) = follower.context.spec, follower.base()
        with running(spec.task, "making model 0"):
            shapes = {name: values.shape for name, values in self._task.model().items()}
        if model.shapes != shapes or model.bits != spec.bits:
            raise FatalError(
                f"job {follower.job} starts from a model that its task {spec.task} does not train",
                cause="its tensors or bits are others than the spec says",
                next_step="pick another job (hansa job list)",
            )

    def pay_in(self, amount: int) -> None:
        """Lets the vault take `amount` of the job's token. Another job of this account may take it first: asked again,
        it is allowed again, but never twice while the first time is under way, or was only lost in a reorganisation."""
        desk, federation, job = self._desk, self._desk.follower.federation, self._desk.follower.job
        token, name = desk.follower.context.terms.token, (job, "approvals", amount)
        for call in federation.approvals(token, desk.me, amount):
            done = (desk.journal.recall(name) or {"times": 0})["times"]
            if done and self._is_allowed_again(call, done - 1, token, amount):
                return
            if isinstance(desk.send(call, "approve", call.data, done), Pending):
                return
            desk.journal.replace(name, {"times": done + 1})

    def _is_allowed_again(self, call: Call, time: int, token: Address, amount: int) -> bool:
        """Whether an approval that was mined before is under way, there again, or to be looked at again: it was used
        up only where it stands in the same block before and after the chain is asked what is left of it."""
        federation, before = self._desk.follower.federation, self._desk.send(call, "approve", call.data, time)
        if not isinstance(before, Mined):
            return isinstance(before, Pending) or not federation.approvals(token, self._desk.me, amount)
        head = federation.chain.latest()
        if head.number < before.block or not federation.approvals(token, self._desk.me, amount, head):
            return True
        after = self._desk.send(call, "approve", call.data, time)
        return not isinstance(after, Mined) or after.receipt["blockHash"] != before.receipt["blockHash"]
