"""SUBMIT: train once from each model, seal what came of it for the cycle's committee, register its digest."""

from __future__ import annotations

from typing import Any

from client.committee_keys import CommitteeKeys, PinnedKeys
from client.privacy.budget import Noise
from client.private import PrivateTraining
from client.training import local_update, reporting
from hansa.protocol import envelope, shared_envelope, tensors
from hansa.protocol.cid import to_cid
from hansa.protocol.errors import FatalError
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.model import Model, Update
from hansa.protocol.types import CycleId, Digest, Place
from hansa.runtime.desk import Desk
from hansa.runtime.history.records import CycleRecord
from hansa.tasks import running
from hansa.tasks.base import Data, Task


class Submitter:
    """One trainer's updates. What is computed is journalled before it is sent, and what a budget allows is charged
    before it is computed."""

    def __init__(
        self,
        desk: Desk,
        task: Task,
        data: Data,
        pinned: PinnedKeys | None = None,
        private: PrivateTraining | None = None,
    ) -> None:
        self._desk = desk
        self._private = private
        self._unprotected: Digest | None = None
        self.keys = CommitteeKeys(desk, pinned)
        self._task = task
        self._data = data

    def submit(self) -> None:
        """Registers this trainer's update of the cycle, unless too few of its seats could open it."""
        federation, job = self._desk.follower.federation, self._desk.follower.job
        cycle = self._desk.follower.cycle()
        if not self.keys.accept(cycle) or not self.is_protected(cycle):
            return
        sealed = self._desk.journal.remember((job, cycle.seed, "update"), lambda: self.seal(cycle))
        call = federation.submit_call(job, cycle.cycle, cycle.seed, sealed["digest"])
        self._desk.send(call, "submit", cycle.seed)

    def seal(self, cycle: CycleRecord) -> dict[str, Any]:
        """The sealed update of a cycle, as the journal keeps it: its digest, and the key of its content."""
        follower, journal, me = self._desk.follower, self._desk.journal, self._desk.me
        digest, model = follower.base()
        integers = journal.blob(self.train(digest, model))
        attempt = self.attempt()
        update = Update(
            tensors=tensors.decode(integers)[0],
            job=follower.job,
            cycle=cycle.cycle,
            trainer=me,
            retry_cid=None if attempt is None else to_cid(attempt["digest"]),
            retry_key=None if attempt is None else attempt["key"],
        )
        key = envelope.new_content_key()
        ctx = envelope.context(follower.federation.place(follower.job, cycle.cycle), me, digest)
        if shares := follower.context.spec.shares:
            data = shared_envelope.seal(update.encode(), key, ctx, cycle.keys, shares)
        else:
            data = envelope.seal(update.encode(), key, ctx, cycle.keys)
        return {"digest": journal.put_blob(data), "key": key}

    def is_protected(self, cycle: CycleRecord) -> bool:
        """Whether nothing new goes out but what was made within the budget; says once a model what does not."""
        base = self._desk.follower.base()[0]
        sealed = self._desk.journal.recall((self._desk.follower.job, cycle.seed, "update"))
        known = self._desk.journal.recall((self._desk.follower.job, "integers", base))
        if self._private is None or sealed is not None or known is None or "noise" in known:
            return True
        if self._unprotected != base:
            self._unprotected = base
            self._desk.log.warning("not submitting: this round's update was made without --epsilon, before")
        return False

    def train(self, base: Digest, model: Model) -> Digest:
        """The blob of this trainer's quantised delta from one model: trained once, however often it is submitted.
        Where there is a budget, it is noted as given: what this returns may be sealed."""
        journal, key = self._desk.journal, (self._desk.follower.job, "integers", base)
        known = journal.remember(key, lambda: self._trained(base, model))
        if not journal.has_blob(known["integers"]):  # tidied away, and a reorganisation brought this model back
            known = self._trained(base, model)
            journal.replace(key, known)
        if self._private is not None:
            self._private.give(base, Noise.decode(known["noise"]))
        integers: Digest = known["integers"]
        return integers

    def _place(self) -> Place | None:
        """Where training draws anew: nowhere, unless updates of two jobs must not be alike."""
        return None

    def _trained(self, base: Digest, model: Model) -> dict[str, Any]:
        desk, spec = self._desk, self._desk.follower.context.spec
        said = desk.log.bind(round=model.round + 1)
        more: dict[str, Any] = {}
        with running(spec.task, "training"), desk.working("training"), reporting(self._task, said):
            if self._private is None:
                local = local_update(self._task, self._data, model, spec, desk.me, self._place())
            else:
                local, noise = self._private.update(base, model, self._place())
                more["noise"] = noise.encode()
                said = said.bind(noise=round(noise.own, 4))
        said.info("trained", loss=round(local.loss, 6), steps=local.steps)
        return {"integers": desk.journal.put_blob(tensors.encode(local.tensors, {})), **more}

    def attempt(self) -> dict[str, Any] | None:
        """This trainer's first published submission of a failed cycle over the same model."""
        for cycle in self._desk.follower.failed_cycles():
            known = self._desk.journal.recall((self._desk.follower.job, cycle.seed, "update"))
            if known is not None and cycle.has_update_of(self._desk.me):
                return known
        return None


class FailureWatch:
    """What a wary trainer stops for. It knows which cycles had failed when this daemon began: those are forgiven."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._forgiven: frozenset[CycleId] | None = None

    def begin(self) -> None:
        """Forgives, at the daemon's first look, what has failed by then."""
        if self._forgiven is None:
            self._forgiven = frozenset(cycle.cycle for cycle in self._desk.follower.failed_cycles())

    def check(self) -> None:
        """FatalError where a cycle over the present model has failed since with this trainer's update in."""
        failed = [
            cycle
            for cycle in self._desk.follower.failed_cycles()
            if cycle.cycle not in (self._forgiven or ()) and cycle.has_update_of(self._desk.me)
        ]
        if failed:
            raise FatalError(
                f"cycle {cycle_counter(failed[-1].cycle)} of job {self._desk.follower.job} failed with your update in",
                cause="its committee did not finish it",
                next_step="look at `hansa job show`, then run again; without --stop-after-failure it goes on by itself",
            )
