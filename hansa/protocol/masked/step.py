"""The model that a masked round leads to."""

from __future__ import annotations

from hansa.protocol.masked.words import Sum, next_exponents, next_model_tensors
from hansa.protocol.model import Model
from hansa.protocol.types import Digest, JobId


def masked_model(job: JobId, base: Model, base_digest: Digest, total: Sum, updates: int) -> Model:
    """total: the sum of so many updates, without fault."""
    return Model(
        tensors=next_model_tensors(base, total, updates),
        job=job,
        round=base.round + 1,
        parent=base_digest,
        bits=base.bits,
        k=next_exponents(base.k, total),
    )
