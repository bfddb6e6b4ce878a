"""SUBMIT of a masked job: an update under masks, once over one model; its digest again where its set is fixed."""

from __future__ import annotations

from typing import Any

from client.config import TrainerConfig
from client.guard_file import GuardFile
from client.private import PrivateTraining
from client.submit import Submitter
from hansa.protocol import envelope as sealing
from hansa.protocol import tensors
from hansa.protocol.cid import NO_DIGEST
from hansa.protocol.errors import FatalError
from hansa.protocol.masked import envelope, guard, words
from hansa.protocol.masked.guard import Guarded, Step
from hansa.protocol.masked.sharing import Sharing
from hansa.protocol.types import CycleId, Digest, Place
from hansa.runtime.desk import Desk
from hansa.runtime.history.records import CycleRecord
from hansa.runtime.masked.base import MaskedBase
from hansa.runtime.masked.current import current_base
from hansa.tasks.base import Data, Task


class MaskedSubmitter(Submitter):
    """One trainer's updates. FatalError, at its making, for a job that opens smaller sets than its user allows."""

    def __init__(
        self, desk: Desk, task: Task, data: Data, config: TrainerConfig, private: PrivateTraining | None = None
    ) -> None:
        super().__init__(desk, task, data, config.pinned_keys, private)
        self._guard, self._repeat = GuardFile.beside(config.journal), config.repeat
        self._weights: tuple[Digest, str] | None = None  # of a model's file
        self._noted: Digest | None = None  # the model over which the set is known to be fixed
        group = desk.follower.context.spec.group
        if group < config.min_group:
            raise FatalError(
                f"job {desk.follower.job} opens sums of {group} updates",
                cause=f"your limit is {config.min_group}: the smaller a sum, the more it tells of each",
                next_step=f"pick another job, or pass --min-group {group}",
            )

    def check_repeat(self) -> None:
        """FatalError, before a bond is paid, for a job that begins from weights which this party's update was summed
        over in another."""
        self._step(current_base(self._desk.follower), None)

    def note_published(self, known: dict[str, Any]) -> None:
        """Writes down, before an update's bytes go out, over which weights a set may be fixed with it. FatalError
        where another job was first, and its user has not said that it may be."""
        published = Guarded(known["weights"], known["digest"], self._origin, is_fixed=False)
        if self._repeat:
            self._guard.add(published, self._desk.me)
        elif (other := self._guard.add_alone(published, self._desk.me)) is not None:
            raise self._refusal(other)

    def note_fixed(self) -> None:
        """Writes down, as soon as the chain shows it, that a set with this trainer's update in it is fixed."""
        base = current_base(self._desk.follower)
        if base.digest == self._noted:
            return
        own = self._own(base)
        if own is not None:
            self._guard.add(Guarded(self._weights_of(base), own, self._origin, is_fixed=True), self._desk.me)
            self._noted = base.digest
            self._desk.log.info("the set with this update in it is fixed: it opens once over this model")

    def submit(self) -> None:
        """Registers this trainer's update of the cycle, or that it stands by."""
        follower, journal = self._desk.follower, self._desk.journal
        cycle, base = follower.cycle(), current_base(follower)
        key = (follower.job, cycle.seed, "update")
        sealed = journal.recall(key)
        own = self._own(base) or (None if sealed is None else sealed["digest"])
        weights = {"weights": self._weights_of(base)}
        match self._step(base, own):
            case Step.SEND_AGAIN:
                sealed = journal.remember(key, lambda: {"digest": own, "key": None, **weights})
            case Step.STAND_BY:
                self._desk.log.info(
                    "stands by: a set over this model is fixed, or may be, that no new update may come to"
                )
                sealed = journal.remember(key, lambda: {"digest": NO_DIGEST, "key": None})
            case _ if not self.keys.accept(cycle) or not self.is_protected(cycle):
                return
            case _:
                sealed = journal.remember(key, lambda: {**self.seal(cycle), **weights})
        call = follower.federation.submit_call(follower.job, cycle.cycle, cycle.seed, sealed["digest"])
        self._desk.send(call, "submit", cycle.seed)

    def seal(self, cycle: CycleRecord) -> dict[str, Any]:
        """The masked update of a cycle, as the journal keeps it: its digest alone, as seeds are not kept."""
        follower, journal = self._desk.follower, self._desk.journal
        digest, model = follower.base()
        integers = tensors.decode(journal.blob(self.train(digest, model)))[0]
        sharing = Sharing(follower.context.terms.seats, follower.context.spec.shares)
        ctx = sealing.context(follower.federation.place(follower.job, cycle.cycle), self._desk.me, digest)
        data = envelope.seal(words.words_of(integers), envelope.new_seeds(sharing), ctx, sharing, cycle.keys)
        return {"digest": journal.put_blob(data), "key": None}

    def _place(self) -> Place:
        return self._desk.follower.federation.place(self._desk.follower.job, CycleId(0))

    @property
    def _origin(self) -> str:
        place = self._place()
        return f"{place.chain_id}:{place.federation.lower()}:{place.job}"

    def _own(self, base: MaskedBase) -> Digest | None:
        """This trainer's update that is in the set fixed over a model."""
        if base.group is None:
            return None
        place = base.of_group.place_of(self._desk.me)
        is_in = place is not None and base.group.included[place]
        return base.of_group.updates[place].digest if place is not None and is_in else None

    def _step(self, base: MaskedBase, own: Digest | None) -> Step:
        """FatalError where the user has to say that it may be."""
        known = self._guard.known(self._weights_of(base), self._origin, self._desk.me)
        updates = [update for cycle in base.cycles for update in cycle.updates]
        due = guard.step(
            known,
            self._origin,
            own=own,
            is_fixed=base.group is not None,
            submitted={update.digest for update in updates if update.trainer == self._desk.me},
            repeat=self._repeat,
        )
        if due == Step.REFUSE and known is not None:
            raise self._refusal(known)
        return due

    def _refusal(self, other: Guarded) -> FatalError:
        return FatalError(
            f"job {self._desk.follower.job} trains from weights that an update of yours was made from elsewhere",
            cause=f"the other job is {other.origin}, and two sums over the same weights can tell an update",
            next_step="leave this job, or pass --repeat where that is fine",
        )

    def _weights_of(self, base: MaskedBase) -> str:
        if self._weights is None or self._weights[0] != base.digest:
            self._weights = (base.digest, guard.weights_of(base.model))
        return self._weights[1]
