"""What a member releases of an update that is sealed to its committee together, and its verdict once others have."""

from __future__ import annotations

from hansa.protocol import shared_envelope
from hansa.protocol.errors import BadKey, Malformed
from hansa.protocol.release import Entry, Releases, Said
from hansa.protocol.types import Address, Code, Seat
from hansa.protocol.verdict import NO_KEY, CycleKeys, Judged, judge_opened

LACKS = Entry(Said.LACKS)


def own_entry(data: bytes, trainer: Address, keys: CycleKeys) -> Entry:
    """What this member says in RELEASE of an update whose file it has. Only who holds the secret of its seat's key in
    force may call its box bad."""
    try:
        ctx = keys.context(trainer)
        return Entry(Said.SHARE, shared_envelope.open_box(data, ctx, keys.seat, keys.secret, keys.keys, keys.shares))
    except BadKey:
        return LACKS
    except Malformed:
        return Entry(Said.BAD)


def is_called_bad(place: int, releases: Releases, keys: CycleKeys) -> bool:
    """Whether so many seats call their box bad that an honest one is among them, and too few shares are left."""
    return releases.bad(place) > len(keys.keys) - keys.shares


def judge_shared(
    data: bytes | None, trainer: Address, place: int, releases: Releases, keys: CycleKeys
) -> Judged | None:
    """The verdict on the update at a place on chain; None while it takes more shares than there are.

    data: the sealed file; None where it is not to be had. Never raises for what a trainer or a member sent.
    """
    if not keys.usable:
        return NO_KEY
    if is_called_bad(place, releases, keys):
        return Judged(Code.MALFORMED, None, f"{releases.bad(place)} validators say that their box is bad")
    if data is None:
        return None
    ctx = keys.context(trainer)
    try:
        shared_envelope.check_public(data, ctx, len(keys.keys), keys.shares)
        said = releases.shares(place) | _own_share(data, trainer, keys)
        shares = {seat: share for seat, share in said.items() if shared_envelope.has_share(data, ctx, seat, share)}
        if len(shares) < keys.shares:
            return None
        opened = shared_envelope.open_with_shares(data, ctx, shares, keys.keys, keys.shares)
        return judge_opened(opened.update, trainer, keys.place, keys.model)
    except Malformed as error:
        return Judged(Code.MALFORMED, None, str(error))


def _own_share(data: bytes, trainer: Address, keys: CycleKeys) -> dict[Seat, bytes]:
    """Of a member that may have missed RELEASE; none where its box is bad."""
    entry = own_entry(data, trainer, keys)
    return {keys.seat: entry.share} if entry.said == Said.SHARE else {}
