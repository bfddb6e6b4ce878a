"""What the chain holds of one model's attempts in a masked job: the set that its sum is opened for, and who released
what for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from hansa.protocol import envelope
from hansa.protocol.cid import NO_DIGEST
from hansa.protocol.errors import Malformed
from hansa.protocol.masked import words
from hansa.protocol.masked.envelope import Masked
from hansa.protocol.masked.group import Group, fixed_group
from hansa.protocol.masked.sharing import Sharing
from hansa.protocol.masked.sheets import places_of
from hansa.protocol.model import Model
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import Address, CycleId, Digest, Phase, Place, Seat
from hansa.runtime.chain.structs import JobTerms
from hansa.runtime.history.records import CycleRecord, Failed, Finalized, Submitted

ATTESTED = (Phase.RELEASE, Phase.SCORE, Phase.REVEAL, Phase.VOTE, Phase.FINALIZE)


def has_attested(cycle: CycleRecord, least: int, phase: Phase | None) -> bool:
    """Whether a cycle's ATTEST ended with its minimum met. least: the term threshold. phase: where the cycle is; None
    where it is over."""
    if len(cycle.attests) < least:
        return False
    if isinstance(cycle.outcome, Failed):
        return cycle.outcome.phase > Phase.ATTEST
    return isinstance(cycle.outcome, Finalized) or phase in ATTESTED or phase == Phase.LAPSED


@dataclass(frozen=True)
class _Attested:
    """A cycle, as `fixed_group` looks at it."""

    record: CycleRecord
    is_attested: bool

    @property
    def cycle(self) -> CycleId:
        return self.record.cycle

    @property
    def updates_acc(self) -> int:
        return self.record.updates_acc

    @property
    def submitted(self) -> Sequence[Submitted]:
        return self.record.updates

    @property
    def bitmaps(self) -> Sequence[bytes]:
        return list(self.record.attests.values())


@dataclass(frozen=True, eq=False)
class MaskedBase:
    """One model and the cycles over it, oldest first. place: of the job; its cycle is not looked at.

    phase: where the last of the cycles is; None where it is over.
    """

    place: Place
    spec: JobSpec
    terms: JobTerms
    digest: Digest
    model: Model
    cycles: tuple[CycleRecord, ...]
    phase: Phase | None

    @cached_property
    def sharing(self) -> Sharing:
        return Sharing(self.terms.seats, self.spec.shares)

    @cached_property
    def length(self) -> int:
        """Words of an update."""
        return words.length(self.model.shapes)

    @cached_property
    def group(self) -> Group | None:
        least = self.terms.threshold
        seen = [
            _Attested(cycle, has_attested(cycle, least, self.phase if cycle is self.cycles[-1] else None))
            for cycle in self.cycles
        ]
        return fixed_group(seen, self.terms.seats, self.spec.group)

    @cached_property
    def of_group(self) -> CycleRecord:
        """The cycle whose updates the set is of; only where there is one."""
        assert self.group is not None
        return next(cycle for cycle in self.cycles if cycle.cycle == self.group.cycle)

    def is_of_earlier(self, cycle: CycleRecord) -> bool:
        """Whether the set was fixed before a cycle."""
        return self.group is not None and self.group.cycle != cycle.cycle

    def context(self, cycle: CycleRecord, trainer: Address) -> bytes:
        return envelope.context(self.place._replace(cycle=cycle.cycle), trainer, self.digest)

    def read(self, cycle: CycleRecord, place: int, data: bytes) -> Masked:
        """An update's envelope. Raises Malformed."""
        submitted = cycle.updates[place]
        if submitted.digest == NO_DIGEST:
            raise Malformed("masked envelope", cause="none was sent")
        return Masked(data, self.context(cycle, submitted.trainer), self.sharing, self.length)

    def present(self, cycle: CycleRecord) -> dict[int, int]:
        """Places of a cycle's submissions that are in the set, by the place that each has in it."""
        if self.group is None:
            return {}
        return places_of(_pairs(cycle), self.group, _pairs(self.of_group))

    def released(self, seat: Seat) -> list[Digest]:
        """What a seat released for the set, oldest first, in cycles whose RELEASE ended with its minimum met."""
        found = [c.releases[seat] for c in self._from_group() if seat in c.releases and self.has_released(c)]
        return [digest for digest in dict.fromkeys(found) if digest != NO_DIGEST]

    def has_released(self, cycle: CycleRecord) -> bool:
        """Whether its RELEASE ended with its minimum met: what lapsed is never given away."""
        if len(cycle.releases) < self.terms.threshold:
            return False
        if isinstance(cycle.outcome, Failed):
            return cycle.outcome.phase > Phase.RELEASE
        return cycle is not self.cycles[-1] or self.phase not in (Phase.ATTEST, Phase.RELEASE)

    def _from_group(self) -> tuple[CycleRecord, ...]:
        if self.group is None:
            return ()
        return self.cycles[self.cycles.index(self.of_group) :]


def _pairs(cycle: CycleRecord) -> list[tuple[Address, Digest]]:
    return [(update.trainer, update.digest) for update in cycle.updates]
