"""A member's verdict on every update of a cycle: unreachable, malformed, zero, duplicate or ok."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hansa.protocol import envelope, geometry, shared_envelope
from hansa.protocol.cid import from_cid
from hansa.protocol.errors import Malformed, TransientError
from hansa.protocol.model import Model, Update
from hansa.protocol.types import Address, Code, CycleId, Digest, Place, Seat


@dataclass(frozen=True)
class CycleKeys:
    """What it takes to open the updates of one cycle as one of its members.

    keys: the members' X25519 public keys in force, by seat; None where a seat has announced none. shares: that it takes
    to open an update; 0 where each seat's box has the whole key.
    """

    place: Place
    base: Digest
    model: Model
    keys: tuple[bytes | None, ...]
    seat: Seat
    secret: bytes
    shares: int = 0

    @property
    def usable(self) -> bool:
        """Whether the key in force for this seat is the one whose secret this member holds."""
        return self.keys[self.seat] == envelope.public_key(self.secret)

    def context(self, trainer: Address) -> bytes:
        return envelope.context(self.place, trainer, self.base)

    def open_with_key(self, data: bytes, ctx: bytes, key: bytes, keys: Sequence[bytes | None]) -> envelope.Opened:
        """Opens a sealed update of this job, of any cycle, with its content key. Raises Malformed."""
        if self.shares:
            return shared_envelope.open_with_key(data, ctx, key, keys, self.shares)
        return envelope.open_with_key(data, ctx, key, keys)


@dataclass(frozen=True)
class Attempt:
    """A submission of an earlier, failed cycle over the same model."""

    trainer: Address
    digest: Digest
    cycle: CycleId
    keys: tuple[bytes | None, ...]
    place: int


@dataclass(frozen=True)
class Judged:
    """The verdict on one update, and the update itself where it could be read."""

    code: Code
    update: Update | None
    reason: str
    repeats: geometry.Likeness | None = None  # of a duplicate: what it is alike to


NO_KEY = Judged(Code.UNREACHABLE, None, "no usable key is in force for this seat")


def judge(data: bytes, trainer: Address, cycle_keys: CycleKeys) -> Judged:
    """Opens and reads one sealed update; never raises for what a trainer sent."""
    if not cycle_keys.usable:
        return NO_KEY
    try:
        opened = envelope.open_envelope(
            data, cycle_keys.context(trainer), cycle_keys.seat, cycle_keys.secret, cycle_keys.keys
        )
        return judge_opened(opened.update, trainer, cycle_keys.place, cycle_keys.model)
    except Malformed as error:
        return Judged(Code.MALFORMED, None, str(error))


def judge_opened(data: bytes | memoryview, trainer: Address, place: Place, model: Model) -> Judged:
    """Reads an update's file. Raises Malformed."""
    update = Update.decode(data, model=model, job=place.job, cycle=place.cycle, trainer=trainer)
    if geometry.is_zero(update.tensors):
        return Judged(Code.ZERO, update, Code.ZERO.sentence)
    return Judged(Code.OK, update, "")


def mark_duplicates(judged: Sequence[Judged], places: Mapping[int, int], k: Sequence[int]) -> list[Judged]:
    """Marks every ok update that repeats an earlier ok one, and says which.

    places: for an update that retries an unpaid attempt, its place among the attempts; those come before all new ones.
    """
    ok = [index for index, item in enumerate(judged) if item.code == Code.OK]
    senior = sorted((i for i in ok if i in places), key=places.__getitem__)
    tensors = [item.update.tensors if item.update is not None else {} for item in judged]
    repeated = geometry.duplicates(tensors, k, ok, senior)
    return [
        Judged(Code.DUPLICATE, item.update, Code.DUPLICATE.sentence, repeated[index]) if index in repeated else item
        for index, item in enumerate(judged)
    ]


def retried_place(
    update: Update, attempts: Sequence[Attempt], cycle_keys: CycleKeys, fetch: Callable[[Digest], bytes]
) -> int | None:
    """The place of the failed attempt that `update` names, if its integers are equal; None otherwise.

    attempts: the submissions of this job's failed cycles over the same model, oldest first.
    fetch: gives the sealed file of a digest, of a size that the job allows; raises TransientError or Malformed.
    """
    if update.retry_cid is None or update.retry_key is None:
        return None
    try:
        digest = from_cid(update.retry_cid)
        attempt = next(a for a in attempts if (a.trainer, a.digest) == (update.trainer, digest))
        place = cycle_keys.place._replace(cycle=attempt.cycle)
        ctx = envelope.context(place, attempt.trainer, cycle_keys.base)
        opened = cycle_keys.open_with_key(fetch(digest), ctx, update.retry_key, attempt.keys)
        earlier = Update.decode(
            opened.update, model=cycle_keys.model, job=place.job, cycle=place.cycle, trainer=update.trainer
        )
    except (Malformed, StopIteration, TransientError):
        return None
    same = all(np.array_equal(values, earlier.tensors[name]) for name, values in update.tensors.items())
    return attempt.place if same else None
