"""A privacy mode as a sponsor asks for it, and the numbers that follow from it."""

from __future__ import annotations

from dataclasses import replace

from hansa.protocol import shared_envelope
from hansa.protocol.errors import FatalError
from hansa.protocol.masked import envelope, words
from hansa.protocol.masked.sharing import Sharing, sharing_problem
from hansa.protocol.privacy import COMMITTEE, LEAST_GROUP, MASKED, MODES
from hansa.protocol.spec import JobSpec
from hansa.runtime.chain.client import Chain
from hansa.sponsor.committees import APPOINTED, Consensus
from hansa.sponsor.post import PreparedJob
from hansa.sponsor.terms import JobOffer

MASKED_SHARES = 2
PRIVACY_HELP = "Who can see one update: committee, threshold or masked (docs/privacy.md)."


def check_mode(privacy: str) -> str:
    """The mode; FatalError where there is none of that name."""
    if privacy not in MODES:
        raise FatalError(f"--privacy {privacy!r} is no mode", next_step=f"name one of {', '.join(MODES)}")
    return privacy


def usual_seats(privacy: str) -> int:
    """Members of a committee where nothing else is said: with a quorum of two thirds one of them may be missing, and in
    'masked' no reorganisation opens anything."""
    return 4 if privacy == MASKED else 3


def with_privacy(
    prepared: PreparedJob, offer: JobOffer, privacy: str, group: int | None = None, shares: int | None = None
) -> tuple[PreparedJob, JobOffer]:
    """The same job and offer with a privacy mode, and what it takes where nothing else is said: phases, terms, shares,
    the size of sealed updates. FatalError as `check_mode`."""
    is_masked = check_mode(privacy) == MASKED
    seats_that_open = MASKED_SHARES if is_masked else 0 if privacy == COMMITTEE else offer.least_quorum
    fields: dict[str, int | str] = {
        "privacy": privacy,
        "group": group if group is not None else LEAST_GROUP if is_masked else 0,
        "shares": shares if shares is not None else seats_that_open,
        "update_bytes": prepared.model.largest_update + (0 if privacy == COMMITTEE else shared_envelope.MORE_ROOM),
    }
    if is_masked:
        fields |= _of_masked(prepared, offer.seats, int(fields["shares"]))
    spec = prepared.spec.model_copy(update=fields)
    offer = replace(offer, is_shared=privacy != COMMITTEE, times={**MODES[privacy].times, **offer.times})
    return replace(prepared, spec=spec), offer


def _of_masked(prepared: PreparedJob, seats: int, shares: int) -> dict[str, int | str]:
    """The mean, unless another rule than the usual one was asked for, which is refused; and what an envelope takes,
    where there can be one."""
    found: dict[str, int | str] = {}
    if prepared.spec.rule == JobSpec.model_fields["rule"].default:
        found["rule"] = "mean"
    if sharing_problem(seats, shares) is None:
        found["update_bytes"] = envelope.envelope_size(Sharing(seats, shares), words.length(prepared.model.shapes))
    return found


def check_appointed(privacy: str, kind: str) -> None:
    """FatalError for a masked job whose committees are drawn: with every draw it gets likelier that enough members are
    one attacker's."""
    if privacy == MASKED and kind != APPOINTED:
        raise FatalError(
            f"--consensus {kind} doesn't go with --privacy {MASKED}",
            cause="each draw is one more chance for an attacker to get the seats that open an update",
            next_step=f"use --consensus {APPOINTED}, or another privacy mode",
        )


def check_members(chain: Chain, privacy: str, consensus: Consensus) -> None:
    """FatalError for a masked job with a committee that is drawn, or with a member that is a contract: whoever controls
    it could release in its name."""
    check_appointed(privacy, consensus.kind)
    found = [member for member in consensus.members if privacy == MASKED and chain.code(member)]
    if found:
        raise FatalError(
            f"{found[0]} can't be a validator of a masked job",
            cause="it is a contract, and what it releases nobody signs",
            next_step="name accounts with keys of their own",
        )
