"""Who misbehaves in a masked job."""

from __future__ import annotations

from typing import Any

import numpy as np

from aggregator.masked.member import MaskedMember
from client.masked_submit import MaskedSubmitter
from hansa.protocol import envelope
from hansa.protocol.cid import digest_of
from hansa.protocol.masked import envelope as masked_envelope
from hansa.protocol.masked import streams
from hansa.protocol.masked.sharing import Sharing
from hansa.protocol.masked.words import length as masked_length
from hansa.protocol.types import Seat
from hansa.runtime.chain.federation import JobState
from hansa.runtime.history.records import CycleRecord


class Garbler(MaskedSubmitter):
    """Sends noise under its masks, in words that no update has."""

    def seal(self, cycle: CycleRecord) -> dict[str, Any]:
        follower = self._desk.follower
        base, model = follower.base()
        sharing = Sharing(follower.context.terms.seats, follower.context.spec.shares)
        noise = np.random.default_rng(model.round).integers(0, 2**16, masked_length(model.shapes)).astype(np.uint16)
        ctx = envelope.context(follower.federation.place(follower.job, cycle.cycle), self._desk.me, base)
        data = masked_envelope.seal(noise, masked_envelope.new_seeds(sharing), ctx, sharing, cycle.keys)
        return {"digest": self._desk.journal.put_blob(data), "key": None}


class LyingMember(MaskedMember):
    """Tells vectors that its streams don't come to, in every table."""

    def release(self, state: JobState, seat: Seat) -> None:
        truth = streams.vector

        def lie(keys: Any, words: int, room: Any) -> Any:
            total, _ = truth(keys, words, room)
            total[0] += 1
            return total, digest_of(total.tobytes())

        streams.vector = lie  # type: ignore[assignment]
        try:
            super().release(state, seat)
        finally:
            streams.vector = truth
