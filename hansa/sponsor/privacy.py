"""A privacy mode as a sponsor asks for it, and the numbers that follow from it."""

from __future__ import annotations

from dataclasses import replace

from hansa.protocol import shared_envelope
from hansa.protocol.errors import FatalError
from hansa.protocol.privacy import COMMITTEE, LEAST_GROUP, MASKED, MODES, UNBUILT
from hansa.sponsor.post import PreparedJob
from hansa.sponsor.terms import JobOffer

MASKED_SHARES = 2


def check_mode(privacy: str) -> str:
    """The mode; FatalError where there is none of that name, or no daemon of this version serves it."""
    if privacy not in MODES:
        raise FatalError(f"--privacy {privacy!r} is no mode", next_step=f"name one of {', '.join(MODES)}")
    if privacy in UNBUILT["privacy"]:
        raise FatalError(
            f"a job of privacy {privacy} can't be posted yet",
            cause="no daemon of this version serves it",
            next_step="leave --privacy out, or name another mode",
        )
    return privacy


def with_privacy(
    prepared: PreparedJob, offer: JobOffer, privacy: str, group: int | None = None, shares: int | None = None
) -> tuple[PreparedJob, JobOffer]:
    """The same job and offer with a privacy mode, and what it takes where nothing else is said: phases, terms, shares,
    the size of sealed updates. FatalError as `check_mode`."""
    is_masked = check_mode(privacy) == MASKED
    seats_that_open = MASKED_SHARES if is_masked else 0 if privacy == COMMITTEE else offer.least_quorum
    fields = {
        "privacy": privacy,
        "group": group if group is not None else LEAST_GROUP if is_masked else 0,
        "shares": shares if shares is not None else seats_that_open,
        "update_bytes": prepared.model.largest_update + (0 if privacy == COMMITTEE else shared_envelope.MORE_ROOM),
    }
    spec = prepared.spec.model_copy(update=fields)
    offer = replace(offer, is_shared=privacy != COMMITTEE, times={**MODES[privacy].times, **offer.times})
    return replace(prepared, spec=spec), offer
