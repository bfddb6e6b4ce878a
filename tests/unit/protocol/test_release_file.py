"""Release files: what a member says of each update, the same to every seat or nothing to any."""

from __future__ import annotations

import pytest
from test_shares import CONTEXT, KEY, KEYS, MEMBER, PLACE, SEATS, SECRETS, SHARES, TRAINER, UPDATES

from hansa.protocol import envelope, release
from hansa.protocol.errors import Malformed
from hansa.protocol.release import Entry, Releases, Said
from hansa.protocol.types import CycleId, Seat

RELEASE = release.context(PLACE, MEMBER, UPDATES)
ENTRIES = (Entry(Said.LACKS), Entry(Said.SHARE, SHARES[0]), Entry(Said.BAD))


def sealed_release(content: bytes, ctx: bytes = RELEASE) -> bytes:
    return envelope.seal(content, KEY, ctx, KEYS)


def test_release__says_the_same_to_every_seat() -> None:
    data = release.seal(ENTRIES, KEY, RELEASE, KEYS)
    assert len(data) == release.file_limit(3, SEATS)
    for seat in range(SEATS):
        assert release.read(data, RELEASE, Seat(seat), SECRETS[seat], KEYS, 3) == ENTRIES


def test_context__is_of_cycle_member_and_updates_and_of_no_update() -> None:
    others = [
        release.context(PLACE._replace(cycle=CycleId(3)), MEMBER, UPDATES),
        release.context(PLACE, TRAINER, UPDATES),
        release.context(PLACE, MEMBER, UPDATES + 1),
        CONTEXT,
    ]
    data = release.seal(ENTRIES, KEY, RELEASE, KEYS)
    for ctx in others:
        with pytest.raises(Malformed):
            release.read(data, ctx, Seat(0), SECRETS[0], KEYS, 3)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        bytes(33),
        bytes(34 * 3),
        b"\3" + bytes(98),
        b"\0" + b"\1" * 32 + bytes(66),
        bytes(66) + b"\2" + b"\1" * 32,
    ],
    ids=["empty", "too few", "too many", "code 3", "a share that is lacked", "a share that is bad"],
)
def test_release__that_is_none__is_malformed(content: bytes) -> None:
    with pytest.raises(Malformed):
        release.read(sealed_release(content), RELEASE, Seat(0), SECRETS[0], KEYS, 3)


def test_release__with_one_box_changed__is_malformed_for_all() -> None:
    data = release.seal(ENTRIES, KEY, RELEASE, KEYS)
    false = data[: envelope.BOXES_AT] + bytes(48) + data[envelope.BOXES_AT + 48 :]
    for seat in range(SEATS):
        with pytest.raises(Malformed):
            release.read(false, RELEASE, Seat(seat), SECRETS[seat], KEYS, 3)


def test_releases__count_by_place() -> None:
    releases = Releases({Seat(0): ENTRIES, Seat(3): (ENTRIES[2], *ENTRIES[1:])}, True)
    assert [releases.bad(place) for place in range(3)] == [1, 0, 2]
    assert releases.shares(1) == {0: SHARES[0], 3: SHARES[0]}
    assert releases.shares(0) == {}
