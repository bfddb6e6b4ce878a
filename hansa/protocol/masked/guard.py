"""What a trainer refuses to seal: a second update from weights that a group with its first may have been fixed over.

Two sums over the same weights, with other trainers in them, would show the difference. The record is kept for all keys
and jobs of a home, by the weights themselves: another job may begin from the same ones. It is written before an
envelope's bytes are published: from then on a group may hold it, whether this trainer looks on or not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from hansa.protocol import tensors
from hansa.protocol.model import Model
from hansa.protocol.types import Digest


class Step(Enum):
    """What a trainer does in SUBMIT."""

    SEAL = "seal"  # a new envelope
    SEND_AGAIN = "send again"  # the digest of the one that is in the fixed group
    STAND_BY = "stand by"  # no file: a group without it is fixed
    REFUSE = "refuse"


@dataclass(frozen=True)
class Guarded:
    """One record: over these weights this envelope was published. origin: the job's place, as text. is_fixed: whether a
    group with it in was seen to be fixed; until then, it may be."""

    weights: str
    digest: Digest
    origin: str
    is_fixed: bool


def weights_of(model: Model) -> str:
    """SHA-256 of a model's tensors, in hexadecimal: jobs that begin alike have the same."""
    return hashlib.sha256(tensors.encode(model.tensors, {})).hexdigest()


def step(
    known: Guarded | None,
    origin: str,
    *,
    own: Digest | None,
    is_fixed: bool,
    repeat: bool,
    submitted: Collection[Digest],
) -> Step:
    """What is due over one model.

    known: the record for its weights. origin: this job's place. own: this trainer's envelope that is in the group
    fixed over the model, or that it sealed for this very cycle. is_fixed: whether such a group stands on the chain as
    it is now. submitted: what earlier cycles over the model have of this trainer: what isn't among it may be in a
    group on another fork. repeat: whether the user lets another job begin from the same weights.
    """
    if own is not None:
        return Step.SEND_AGAIN
    if known is not None and known.origin != origin and not repeat:
        return Step.REFUSE
    is_bound = known is not None and known.origin == origin and (known.is_fixed or known.digest not in submitted)
    if is_fixed or is_bound:
        return Step.STAND_BY
    return Step.SEAL
