"""What a cycle's vote is about, worked out from the revealed sheets and the updates: the next model and the rewards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hansa.protocol import aggregation, geometry
from hansa.protocol.cid import NO_DIGEST, digest_of
from hansa.protocol.ledger import RoundLedger
from hansa.protocol.merkle import RewardsTree
from hansa.protocol.model import Model, Update, next_k
from hansa.protocol.types import Address, Code, Digest, JobId


@dataclass(frozen=True)
class Result:
    """A result, and the model file behind it (empty when no update was ok)."""

    model: Digest
    rewards: bytes
    file: bytes

    @classmethod
    def of(cls, model: Model, ledger: RoundLedger) -> Result:
        file = model.encode()
        return cls(digest_of(file), RewardsTree(ledger.leaves).root, file)


NOTHING = Result(NO_DIGEST, bytes(32), b"")


def next_model(
    job: JobId,
    base: Model,
    base_digest: Digest,
    ledger: RoundLedger,
    submitted: Sequence[Address],
    updates: Mapping[int, Update],
    weights: Mapping[Address, int],
    rule: str,
) -> Model:
    """The model after a round: clipped by the norms of all ok updates, aggregated over the included ones, of which
    there must be one. Bit for bit the same for every member.

    updates: at least every ok update, by place on chain.
    """
    ok = [i for i, judgement in enumerate(ledger.judgements) if judgement.code == Code.OK]
    norms = [geometry.squared_norm(updates[i].tensors, base.k) for i in ok]
    clips = dict(zip(ok, geometry.clip_factors(norms, [weights[submitted[i]] for i in ok]), strict=True))
    used = [updates[i].tensors for i in ledger.included]
    a, c = [weights[submitted[i]] for i in ledger.included], [clips[i] for i in ledger.included]
    tensors = aggregation.aggregate(rule, base, used, a, c)
    k = next_k(base.k, [[_largest(update[name]) for name in base.names] for update in used], base.bits)
    return Model(tensors=tensors, job=job, round=base.round + 1, parent=base_digest, bits=base.bits, k=k)


def _largest(values: NDArray[np.int8] | NDArray[np.int16]) -> int:
    return max(int(values.max(initial=0)), -int(values.min(initial=0)))
