"""Shares of a secret: any t give it, fewer tell nothing; hansa2 envelopes and release files, against those who lie."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.protocol import envelope, shared_envelope
from hansa.protocol.cid import digest_of, to_cid
from hansa.protocol.errors import BadKey, Malformed
from hansa.protocol.model import Update, initial_model
from hansa.protocol.release import Entry, Releases, Said
from hansa.protocol.shared_verdict import LACKS, judge_shared, own_entry
from hansa.protocol.shares import combine, divide, multiply, share_at
from hansa.protocol.types import Address, Code, CycleId, JobId, Place, Seat
from hansa.protocol.verdict import Attempt, CycleKeys, Judged, retried_place

SEATS, T = 5, 3
SECRETS = [bytes([seat + 1]) * 32 for seat in range(SEATS)]
KEYS = tuple(envelope.public_key(secret) for secret in SECRETS)
PLACE = Place(31337, Address("0x" + "fe" * 20), JobId(7), CycleId(2**40 + 2))
TRAINER, MEMBER = Address("0x" + "01" * 20), Address("0x" + "02" * 20)
MODEL = initial_model({"w": np.ones(4, np.float32)}, 8)
BASE = digest_of(MODEL.encode())
CONTEXT = envelope.context(PLACE, TRAINER, BASE)
UPDATE = Update({"w": np.array([1, 2, 3, 4], np.int8)}, PLACE.job, PLACE.cycle, TRAINER).encode()
KEY = b"\x42" * 32
SEALED = shared_envelope.seal(UPDATE, KEY, CONTEXT, KEYS, T)
SHARES = dict(enumerate(shared_envelope.shares_of(KEY, CONTEXT, SEATS, T)))
UPDATES = 12345  # an accumulator


def keys_of(seat: int, place: Place = PLACE) -> CycleKeys:
    return CycleKeys(place, BASE, MODEL, KEYS, Seat(seat), SECRETS[seat], T)


def said(seats: dict[int, Entry], is_complete: bool = True) -> Releases:
    return Releases({Seat(seat): (entry,) for seat, entry in seats.items()}, is_complete)


def of(*seats: int, data: bytes = SEALED) -> dict[int, Entry]:
    """What these seats truly say of a file."""
    return {seat: own_entry(data, TRAINER, keys_of(seat)) for seat in seats}


def judged(seat: int, entries: dict[int, Entry], data: bytes | None = SEALED) -> Judged | None:
    return judge_shared(data, TRAINER, 0, said(entries), keys_of(seat))


def changed(at: int, data: bytes = SEALED) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def box_at(seat: int) -> int:
    return shared_envelope.boxes_at(SEATS) + envelope.BOX * seat


# --- the field and the shares


def test_field__is_that_of_aes() -> None:
    assert (multiply(0x57, 0x83), multiply(0x57, 0x13), multiply(0, 7)) == (0xC1, 0xFE, 0)
    assert all(multiply(divide(a, b), b) == a for a in range(256) for b in range(1, 256))
    with pytest.raises(ZeroDivisionError):
        divide(1, 0)


@given(st.binary(min_size=4, max_size=4), st.integers(1, 6), st.integers(0, 18))
def test_combine__of_any_t_of_the_shares__is_the_secret(secret: bytes, t: int, more: int) -> None:
    coefficients = [secret, *(os.urandom(4) for _ in range(t - 1))]
    shares = {x: share_at(x, coefficients) for x in range(1, t + more + 1)}
    for chosen in itertools.islice(itertools.combinations(shares, t), 20):
        assert combine({x: shares[x] for x in chosen}) == secret


@pytest.mark.parametrize("secret", [0, 1, 0x5A, 255])
def test_fewer_than_t_shares__are_as_likely_for_every_secret(secret: int) -> None:
    """t = 2, one byte: over all second coefficients the share of a seat takes every value once."""
    for x in (1, 2, 24):
        seen = [share_at(x, [bytes([secret]), bytes([c])]) for c in range(256)]
        assert sorted(seen) == [bytes([value]) for value in range(256)]


def test_fewer_than_t_shares__of_many_keys__are_uniform() -> None:
    """t = 3: two shares of keys that differ in nothing but their contexts; χ² of 256 values at three deviations."""
    counts = np.zeros((2, 256))
    for number in range(300):
        ctx = number.to_bytes(envelope.CONTEXT, "big")
        for row, share in zip(counts, shared_envelope.shares_of(bytes(32), ctx, 2, 2), strict=True):
            row += np.bincount(np.frombuffer(share, np.uint8), minlength=256)
    expected = counts.sum(1, keepdims=True) / 256
    assert (((counts - expected) ** 2 / expected).sum(1) < 255 + 3 * (2 * 255) ** 0.5).all()


# --- the envelope


def test_open__any_t_shares__give_the_same() -> None:
    for chosen in itertools.combinations(SHARES, T):
        opened = shared_envelope.open_with_shares(SEALED, CONTEXT, {Seat(s): SHARES[s] for s in chosen}, KEYS, T)
        assert (bytes(opened.update), opened.key) == (UPDATE, KEY)


def test_box__holds_the_share_of_its_seat_alone() -> None:
    for seat in range(SEATS):
        assert shared_envelope.open_box(SEALED, CONTEXT, Seat(seat), SECRETS[seat], KEYS, T) == SHARES[seat]
    with pytest.raises(BadKey):
        shared_envelope.open_box(SEALED, CONTEXT, Seat(0), SECRETS[1], KEYS, T)


def test_box__two_seats_of_one_key__don_t_open_each_others() -> None:
    keys = (KEYS[0], KEYS[0], KEYS[2])
    data = shared_envelope.seal(UPDATE, KEY, CONTEXT, keys, 2)
    one, other = (shared_envelope.open_box(data, CONTEXT, Seat(s), SECRETS[0], keys, 2) for s in (0, 1))
    assert one != other
    at = shared_envelope.boxes_at(3)
    moved = data[:at] + data[at + 48 : at + 96] + data[at : at + 48] + data[at + 96 :]
    with pytest.raises(Malformed):
        shared_envelope.open_box(moved, CONTEXT, Seat(0), SECRETS[0], keys, 2)


@pytest.mark.parametrize("unusable", [None, bytes(32)])
def test_seal__a_seat_without_a_usable_key__has_no_box_and_keeps_its_hash(unusable: bytes | None) -> None:
    keys = (*KEYS[:4], unusable)
    data = shared_envelope.seal(UPDATE, KEY, CONTEXT, keys, T)
    assert data[box_at(4) : box_at(5)] == envelope.NO_BOX
    assert shared_envelope.has_share(data, CONTEXT, 4, SHARES[4])
    shares = {Seat(s): SHARES[s] for s in range(T)}
    assert bytes(shared_envelope.open_with_shares(data, CONTEXT, shares, keys, T).update) == UPDATE


@pytest.mark.parametrize("t", [0, SEATS + 1, 25])
def test_seal__more_shares_than_seats_or_none__is_refused(t: int) -> None:
    with pytest.raises(ValueError, match=f"{t} shares"):
        shared_envelope.seal(UPDATE, KEY, CONTEXT, KEYS, t)


@pytest.mark.parametrize("at", [0, 6, 7, 8, 199, 200, 232, 264, 300, 424, 660, 664, 700], ids=str)
def test_open__any_byte_changed__is_malformed(at: int) -> None:
    with pytest.raises(Malformed):
        shared_envelope.open_with_key(changed(at), CONTEXT, KEY, KEYS, T)


def test_open__too_few_shares__is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="it takes 3"):
        shared_envelope.open_with_shares(SEALED, CONTEXT, {Seat(0): SHARES[0]}, KEYS, T)


def test_file__of_hansa1__is_no_hansa2_and_the_other_way_round() -> None:
    with pytest.raises(Malformed):
        shared_envelope.open_with_key(envelope.seal(UPDATE, KEY, CONTEXT, KEYS), CONTEXT, KEY, KEYS, T)
    with pytest.raises(Malformed):
        envelope.open_with_key(SEALED, CONTEXT, KEY, KEYS)


# --- verdicts


def test_judge__t_seats_released__opens_for_everybody_late_members_too() -> None:
    for seat in range(SEATS):
        found = judged(seat, of(0, 1, 2))
        assert found is not None and found.code == Code.OK
    late = judged(4, of(0, 1))
    assert late is not None and late.code == Code.OK, "its own box is the third share"


def test_judge__fewer_than_t__opens_nothing_with_all_that_they_hold() -> None:
    """t − 1 members' whole state: their secrets, their boxes, what they would release."""
    entries = of(0, 1)
    assert judged(0, entries) is None
    assert judged(1, entries) is None
    guesses = [combine({1: SHARES[0], 2: SHARES[1]}), SHARES[0], SHARES[1], SECRETS[0], SECRETS[1]]
    for guess in guesses:
        with pytest.raises(Malformed):
            shared_envelope.open_with_key(SEALED, CONTEXT, guess, KEYS, T)


def test_judge__wrong_shares__are_left_out() -> None:
    lie = {seat: Entry(Said.SHARE, os.urandom(32)) for seat in (3, 4)}
    found = judged(0, {**of(0, 1, 2), **lie})
    assert found is not None and found.code == Code.OK
    assert judged(0, {**of(0, 1), **lie}) is None


def test_judge__a_share_of_another_cycle__is_a_wrong_one() -> None:
    other = keys_of(2, PLACE._replace(cycle=CycleId(2**40 + 4)))
    data = shared_envelope.seal(UPDATE, KEY, other.context(TRAINER), KEYS, T)
    entry = own_entry(data, TRAINER, other)
    assert entry.said == Said.SHARE and entry.share != SHARES[2]
    assert judged(0, {**of(0, 1), 2: entry}) is None


def test_judge__a_bad_box_for_one_seat__is_malformed_for_all_that_can_open() -> None:
    data = changed(box_at(3))
    assert [entry.said for entry in of(2, 3, 4, data=data).values()] == [Said.SHARE, Said.BAD, Said.SHARE]
    for seat in range(SEATS):
        found = judged(seat, of(0, 1, 2, data=data), data)
        assert found is not None and found.code == Code.MALFORMED


def test_judge__bad_boxes_for_so_many_that_it_stays_shut__is_malformed() -> None:
    """m − t + 1 seats say that their box is bad; one of them is honest."""
    data = changed(box_at(0), changed(box_at(1), changed(box_at(2))))
    entries = of(*range(SEATS), data=data)
    assert sum(entry.said == Said.BAD for entry in entries.values()) == SEATS - T + 1
    for seat in range(SEATS):
        for held in (data, None):
            found = judged(seat, entries, held)
            assert found is not None and found.code == Code.MALFORMED


def test_judge__fewer_that_cry_bad__frame_nobody() -> None:
    entries = {**of(0, 1, 2), 3: Entry(Said.BAD), 4: Entry(Said.BAD)}
    found = judged(0, entries)
    assert found is not None and found.code == Code.OK
    assert judged(0, {3: Entry(Said.BAD), 4: Entry(Said.BAD), 0: LACKS}) is None, "not known: unreachable in the end"


def test_judge__a_hash_of_a_share_that_is_not_the_polynomials__is_malformed_whoever_opens() -> None:
    """The trainer names another share for seat 4, and boxes it: every three shares find the file inconsistent."""
    false = os.urandom(32)
    at = shared_envelope.HASHES_AT + shared_envelope.SHARE * 4
    data = SEALED[:at] + shared_envelope._hash(CONTEXT, 4, false) + SEALED[at + 32 :]
    for chosen in itertools.combinations(range(SEATS), T):
        shares = {Seat(s): false if s == 4 else SHARES[s] for s in chosen}
        assert all(shared_envelope.has_share(data, CONTEXT, s, share) for s, share in shares.items())
        with pytest.raises(Malformed):
            shared_envelope.open_with_shares(data, CONTEXT, shares, KEYS, T)


@pytest.mark.parametrize("data", [b"", SEALED[:300], changed(0), changed(6), changed(7), changed(100)])
def test_judge__a_public_part_that_is_wrong__is_malformed_without_any_share(data: bytes) -> None:
    found = judged(0, {}, data)
    assert found is not None and found.code == Code.MALFORMED
    assert own_entry(data, TRAINER, keys_of(0)) == Entry(Said.BAD)


def test_judge__without_the_key_in_force__knows_nothing_and_accuses_nobody() -> None:
    stranger = CycleKeys(PLACE, BASE, MODEL, KEYS, Seat(0), b"\x77" * 32, T)
    assert own_entry(changed(box_at(0)), TRAINER, stranger) == LACKS
    found = judge_shared(SEALED, TRAINER, 0, said(of(0, 1, 2)), stranger)
    assert found is not None and found.code == Code.UNREACHABLE


def test_judge__no_bytes__waits() -> None:
    assert judged(0, of(1, 2, 3), None) is None


def test_retry__of_a_cycle_that_was_never_unlocked__keeps_its_place_by_the_old_key() -> None:
    """The earlier file is opened with its content key alone; its cycle's shares were never released."""
    again = PLACE._replace(cycle=CycleId(2**40 + 4))
    cid, digest = to_cid(digest_of(SEALED)), digest_of(SEALED)
    retry = Update({"w": np.array([1, 2, 3, 4], np.int8)}, again.job, again.cycle, TRAINER, cid, KEY)
    attempts = [Attempt(TRAINER, digest, PLACE.cycle, KEYS, 5)]
    assert retried_place(retry, attempts, keys_of(0, again), lambda asked: SEALED) == 5
    other = replace(retry, tensors={"w": np.array([1, 2, 3, 5], np.int8)})
    assert retried_place(other, attempts, keys_of(0, again), lambda asked: SEALED) is None
    false = replace(retry, retry_key=b"\x43" * 32)
    assert retried_place(false, attempts, keys_of(0, again), lambda asked: SEALED) is None
