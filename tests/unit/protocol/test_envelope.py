"""Envelopes: every member can open its box and check all others'; any difference is malformed for everybody alike."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from hansa.protocol.envelope import (
    context,
    new_content_key,
    open_envelope,
    open_with_key,
    public_key,
    seal,
    sealed_size,
)
from hansa.protocol.errors import BadKey, Malformed
from hansa.protocol.types import Address, CycleId, Digest, JobId, Place

FEDERATION = Address("0x" + "fe" * 20)
ALICE = Address("0x" + "a1" * 20)
BOB = Address("0x" + "b0" * 20)
CTX = context(Place(31337, FEDERATION, JobId(7), CycleId(2**64 - 1)), ALICE, Digest(b"\x11" * 32))
KEY = bytes(range(32))
UPDATE = b"an update's file"
SECRETS = [bytes([seat + 1]) * 32 for seat in range(4)]
KEYS = [public_key(secret) for secret in SECRETS]
SEALED = seal(UPDATE, KEY, CTX, KEYS)
BOXES_AT = 6 + 1 + 192 + 32 + 32

P = 2**255 - 19
LOW_ORDER = [
    point.to_bytes(32, "little")
    for point in (
        0,
        1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
        P - 1,
        P,
        P + 1,
        2**255,  # zero again: X25519 ignores the top bit
    )
]


def verdicts(data: bytes, keys: list[bytes | None]) -> set[str]:
    """What the seats with a key find."""
    found = set()
    for seat, key in enumerate(keys):
        if key in KEYS:
            try:
                opened = open_envelope(data, CTX, seat, SECRETS[KEYS.index(key)], keys)
                found.add(bytes(opened.update).decode())
            except Malformed:
                found.add("malformed")
    return found


def test_context__is_192_bytes_and_names_everything() -> None:
    base = Digest(b"\x11" * 32)
    others = {
        context(Place(1, FEDERATION, JobId(7), CycleId(9)), ALICE, base),
        context(Place(2, FEDERATION, JobId(7), CycleId(9)), ALICE, base),
        context(Place(1, BOB, JobId(7), CycleId(9)), ALICE, base),
        context(Place(1, FEDERATION, JobId(8), CycleId(9)), ALICE, base),
        context(Place(1, FEDERATION, JobId(7), CycleId(8)), ALICE, base),
        context(Place(1, FEDERATION, JobId(7), CycleId(9)), BOB, base),
        context(Place(1, FEDERATION, JobId(7), CycleId(9)), ALICE, Digest(bytes(32))),
    }
    assert len(others) == 7 and {len(ctx) for ctx in others} == {192}


@given(st.binary(max_size=200), st.binary(min_size=32, max_size=32), st.integers(1, 4))
def test_seal__any_update__is_opened_by_every_seat(update: bytes, key: bytes, seats: int) -> None:
    sealed = seal(update, key, CTX, KEYS[:seats])
    assert len(sealed) == sealed_size(len(update), seats)
    assert sealed == seal(update, key, CTX, KEYS[:seats]), "sealing is deterministic"
    for seat in range(seats):
        assert open_envelope(sealed, CTX, seat, SECRETS[seat], KEYS[:seats]) == (update, key)
    assert open_with_key(sealed, CTX, key, KEYS[:seats]) == (update, key)


def derive(secret: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, None, info).derive(secret)


def test_seal__bytes__are_laid_out_as_the_design_says() -> None:
    ephemeral = X25519PrivateKey.from_private_bytes(derive(KEY, b"hansa ephemeral" + CTX))
    expected = b"hansa1" + b"\x04" + CTX + derive(KEY, b"hansa commitment" + CTX)
    expected += ephemeral.public_key().public_bytes_raw()
    for secret, public in zip(SECRETS, KEYS, strict=True):
        shared = X25519PrivateKey.from_private_bytes(secret).exchange(ephemeral.public_key())
        box_key = derive(shared, b"hansa box" + CTX + public)
        expected += AESGCM(box_key).encrypt(bytes(12), KEY, CTX)
    assert expected + AESGCM(KEY).encrypt(bytes(12), UPDATE, CTX) == SEALED


def test_open__one_changed_byte_anywhere__is_malformed_for_every_seat() -> None:
    for at in range(len(SEALED)):
        data = bytearray(SEALED)
        data[at] ^= 0x81
        assert verdicts(bytes(data), list(KEYS)) == {"malformed"}, f"byte {at}"
        with pytest.raises(Malformed):
            open_with_key(bytes(data), CTX, KEY, KEYS)


@given(st.integers(0, len(SEALED) - 1), st.binary(min_size=1, max_size=60))
def test_open__truncated_or_longer__is_malformed_for_every_seat(size: int, tail: bytes) -> None:
    assert verdicts(SEALED[:size], list(KEYS)) == {"malformed"}
    assert verdicts(SEALED + tail, list(KEYS)) == {"malformed"}


@given(st.binary(max_size=600))
def test_open__any_bytes__is_malformed(data: bytes) -> None:
    assert verdicts(data, list(KEYS)) == {"malformed"}
    assert verdicts(SEALED[:199] + data, list(KEYS)) == {"malformed"}


@pytest.mark.parametrize("seat", range(4))
def test_open__one_seat_got_another_content_key__is_malformed_for_all(seat: int) -> None:
    """A trainer that wants one member to see other bytes than the rest."""
    other = seal(UPDATE, b"\x55" * 32, CTX, KEYS)
    at = BOXES_AT + 48 * seat
    assert verdicts(SEALED[:at] + other[at : at + 48] + SEALED[at + 48 :], list(KEYS)) == {"malformed"}


@pytest.mark.parametrize("seat", range(4))
def test_open__one_seat_got_no_box__is_malformed_for_all(seat: int) -> None:
    at = BOXES_AT + 48 * seat
    assert verdicts(SEALED[:at] + bytes(48) + SEALED[at + 48 :], list(KEYS)) == {"malformed"}


def test_open__two_boxes_swapped__is_malformed_for_all() -> None:
    first, second = SEALED[BOXES_AT : BOXES_AT + 48], SEALED[BOXES_AT + 48 : BOXES_AT + 96]
    data = SEALED[:BOXES_AT] + second + first + SEALED[BOXES_AT + 96 :]
    assert verdicts(data, list(KEYS)) == {"malformed"}


def test_open__sealed_for_other_members_or_fewer__is_malformed_for_all() -> None:
    for keys in (KEYS[:3], [*KEYS, KEYS[0]], list(reversed(KEYS)), [None, *KEYS[1:]]):
        assert verdicts(seal(UPDATE, KEY, CTX, keys), list(KEYS)) == {"malformed"}


def test_open__copied_from_another_trainer__is_malformed() -> None:
    copied = context(Place(31337, FEDERATION, JobId(7), CycleId(2**64 - 1)), BOB, Digest(b"\x11" * 32))
    with pytest.raises(Malformed, match="another job, cycle, trainer or model"):
        open_envelope(SEALED, copied, 0, SECRETS[0], KEYS)
    forged = SEALED.replace(CTX, copied)
    with pytest.raises(Malformed):
        open_envelope(forged, copied, 0, SECRETS[0], KEYS)


def test_open__ephemeral_key_of_low_order__is_malformed_for_all() -> None:
    for point in LOW_ORDER:
        data = SEALED[: BOXES_AT - 32] + point + SEALED[BOXES_AT:]
        assert verdicts(data, list(KEYS)) == {"malformed"}


@pytest.mark.parametrize("unusable", [None, *LOW_ORDER], ids=lambda key: key.hex()[:8] if key else "none")
def test_seal__member_without_a_usable_key__gets_zeros_and_the_others_open(unusable: bytes | None) -> None:
    keys = [KEYS[0], unusable, KEYS[2], unusable]
    sealed = seal(UPDATE, KEY, CTX, keys)
    for seat in (1, 3):
        assert sealed[BOXES_AT + 48 * seat :][:48] == bytes(48)
    assert verdicts(sealed, keys) == {UPDATE.decode()}
    changed = bytearray(sealed)
    changed[BOXES_AT + 48] = 1
    assert verdicts(bytes(changed), keys) == {"malformed"}
    with pytest.raises(BadKey):
        open_envelope(sealed, CTX, 1, SECRETS[1], keys)


def test_seal__nobody_has_a_key__is_opened_by_the_content_key_alone() -> None:
    sealed = seal(UPDATE, KEY, CTX, [None, None])
    assert open_with_key(sealed, CTX, KEY, [None, None]) == (UPDATE, KEY)


def test_open__with_another_secret_than_announced__says_so_and_judges_nothing() -> None:
    with pytest.raises(BadKey):
        open_envelope(b"", CTX, 0, SECRETS[1], KEYS)


def test_open_with_key__another_key__is_malformed() -> None:
    with pytest.raises(Malformed):
        open_with_key(SEALED, CTX, bytes(32), KEYS)


@pytest.mark.parametrize(
    ("key", "ctx", "members"),
    [(KEY[1:], CTX, KEYS), (KEY, CTX[1:], KEYS), (KEY, CTX, [None] * 25)],
    ids=["key", "context", "seats"],
)
def test_seal__wrong_sizes__are_refused(key: bytes, ctx: bytes, members: list[Any]) -> None:
    with pytest.raises(ValueError):
        seal(UPDATE, key, ctx, members)


def test_content_keys__are_fresh() -> None:
    assert len({new_content_key() for _ in range(100)}) == 100 and len(new_content_key()) == 32


def test_open__large_update__is_copied_once() -> None:
    update = bytes(8_000_000)
    sealed = seal(update, KEY, CTX, KEYS)
    tracemalloc.start()
    assert open_envelope(sealed, CTX, 1, SECRETS[1], KEYS).update == update
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.1 * len(update)
