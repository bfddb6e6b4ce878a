"""Whose rows members measure on, as a sponsor asks for it."""

from __future__ import annotations

from dataclasses import replace

from hansa.protocol.errors import FatalError
from hansa.sponsor.post import PreparedJob
from hansa.sponsor.terms import NO_TARGET, JobOffer

DEALT, OWN = "dealt", "own"
SAID = (
    "pay follows the rows of whoever sits in the committee: a trainer whose rows are like no member's is paid least; "
    "let every party have a member, or none"
)


def with_validation(prepared: PreparedJob, offer: JobOffer, rows: str) -> tuple[PreparedJob, str | None]:
    """The same job with its members' rows dealt out by seat, or their own, and what its sponsor is then told.
    FatalError for terms that rows of one's own would decide."""
    if rows not in (DEALT, OWN):
        raise FatalError(f"--validation-rows {rows!r} is no way", next_step=f"use {DEALT} or {OWN}")
    if rows == DEALT:
        return prepared, None
    if offer.patience or offer.target != NO_TARGET:
        raise FatalError(
            "--validation-rows own can't be used with --patience or --target",
            cause="the metric then comes from whatever rows members bring, and would end the job",
            next_step="leave these out, or use --validation-rows dealt",
        )
    return replace(prepared, spec=prepared.spec.model_copy(update={"validation": OWN, "baselines": []})), SAID
