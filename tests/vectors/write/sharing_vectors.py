"""Writes tests/vectors/sharing.json: an update that two of three seats open, and what two of them released of it.

`python tests/vectors/write/sharing_vectors.py` writes it, `--check` says whether the committed file is what would be
written. Bytes are 0x-hex; whatever can pass 2⁵³ is a decimal string.
"""

from __future__ import annotations

import sys
from typing import Final

from cycle_facts import CHAIN_ID, FEDERATION, JOB, Facts, account, hexed, word
from vector_file import VECTORS, write_or_check

from hansa.protocol import envelope, release, shared_envelope
from hansa.protocol.release import Entry, Said
from hansa.protocol.types import CycleId, Digest, Place, Seat

PATH: Final = VECTORS / "sharing.json"
T: Final = 2


def make() -> Facts:
    """All vectors. The bytes of the update are any bytes."""
    place, trainer, base = (
        Place(CHAIN_ID, FEDERATION, JOB, CycleId(12345678901234567)),
        account("trainer 0"),
        word("base"),
    )
    secrets = [word(f"secret {seat}") for seat in range(3)]
    members = [envelope.public_key(secrets[0]), None, envelope.public_key(secrets[2])]
    update, key, ctx = b"an update", word("content key"), envelope.context(place, trainer, Digest(base))
    sealed = shared_envelope.seal(update, key, ctx, members, T)
    return {
        "chain_id": CHAIN_ID,
        "federation": FEDERATION,
        "job": str(JOB),
        "cycle": str(place.cycle),
        "trainer": trainer,
        "base": hexed(base),
        "t": T,
        "update": hexed(update),
        "key": hexed(key),
        "context": hexed(ctx),
        "secrets": [hexed(secret) for secret in secrets],
        "members": [hexed(member) if member else None for member in members],
        "shares": [hexed(share) for share in shared_envelope.shares_of(key, ctx, 3, T)],
        "envelope": hexed(sealed),
        "releases": [released(place, seat, sealed, secrets, members, ctx) for seat in (0, 2)],
    }


def released(
    place: Place, seat: int, sealed: bytes, secrets: list[bytes], members: list[bytes | None], ctx: bytes
) -> Facts:
    """What a seat released of three updates: one that it had, one that it lacked, one whose box was bad."""
    member, updates = account(f"member {seat}"), 2**127 + 1
    share = shared_envelope.open_box(sealed, ctx, Seat(seat), secrets[seat], members, T)
    entries = [Entry(Said.SHARE, share), Entry(Said.LACKS), Entry(Said.BAD)]
    of = release.context(place, member, updates)
    return {
        "seat": seat,
        "member": member,
        "updates": str(updates),
        "context": hexed(of),
        "entries": [hexed(bytes([entry.said]) + entry.share) for entry in entries],
        "key": hexed(word(f"release key {seat}")),
        "file": hexed(release.seal(entries, word(f"release key {seat}"), of, members)),
    }


if __name__ == "__main__":
    sys.exit(write_or_check(PATH, make, __file__, sys.argv[1:]))
