"""Envelopes, cells, tables, groups, sheets and the trainer's guard."""

from __future__ import annotations

from itertools import product
from math import comb

import numpy as np
import pytest
from masked_world import CYCLE, LENGTH, SHAPES, UPDATES, context, world

from hansa.protocol import envelope as sealing
from hansa.protocol.cid import digest_of
from hansa.protocol.errors import BadKey, Malformed
from hansa.protocol.masked import cells, envelope, guard, streams, words
from hansa.protocol.masked.envelope import Masked
from hansa.protocol.masked.group import attested_group, from_bitmap, may_release, to_bitmap
from hansa.protocol.masked.guard import Guarded, Step
from hansa.protocol.masked.sharing import Sharing, mask, sharing_problem
from hansa.protocol.masked.sheets import Worth, masked_sheet, places_of
from hansa.protocol.masked.table import Table
from hansa.protocol.model import initial_model
from hansa.protocol.types import Address, Code, Digest

SEALED_AT = 200


def damaged(data, at):
    made = bytearray(data)
    made[at] ^= 1
    return bytes(made)


def test_sharings__are_those_of_at_most_36_sets():
    allowed = {m: [t for t in range(1, m + 1) if sharing_problem(m, t) is None] for m in range(1, 25)}
    assert allowed == {
        1: [],
        2: [],
        3: [2],
        4: [2],
        5: [2, 3],
        6: [2, 3],
        7: [2, 3, 4],
        8: [2, 3],
        9: [2, 3],
        **{m: [2] for m in range(10, 25)},
    }
    with pytest.raises(ValueError, match="shares is 1"):
        Sharing(4, 1)


def test_sets__are_lexicographic_and_their_masks_bitmaps():
    assert Sharing(4, 2).sets == ((0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3))
    assert len(Sharing(7, 4).sets) == comb(7, 4)
    assert [mask(chosen).hex() for chosen in Sharing(3, 2).sets] == ["00000003", "00000005", "00000006"]


def test_envelope__opens_for_every_seat_of_a_set_alike():
    here = world(5, 3, n=1)
    for seat in range(5):
        opened = here.masked(0).open_own(seat, here.secrets[seat], here.members)
        assert opened == {index: here.seeds[0][index] for index in here.sharing.by_seat[seat]}
    assert np.array_equal(here.whole(0), here.sent[0])
    assert len(here.files[0]) == envelope.envelope_size(here.sharing, LENGTH) == 200 + 10 * (64 + 3 * 48) + 2 * LENGTH


@pytest.mark.parametrize("at", [0, 6, 7, 8, 199])
def test_public_part_that_was_changed__is_malformed(at):
    here = world(4, 2, n=1)
    with pytest.raises(Malformed, match="masked envelope"):
        Masked(damaged(here.files[0], at), context(0), here.sharing, LENGTH)


@pytest.mark.parametrize("change", [b"", b"\0"])
def test_envelope_of_another_length__is_malformed(change):
    here = world(4, 2, n=1)
    with pytest.raises(Malformed, match="bytes, not"):
        Masked((here.files[0] + b"\0")[: len(here.files[0]) - 1] + change * 2, context(0), here.sharing, LENGTH)


@pytest.mark.parametrize("part", ["commitment", "ephemeral", "own box", "another's box"])
def test_cell_that_its_seed_does_not_make__is_malformed_for_every_seat_of_the_set(part):
    here = world(4, 2, n=1)
    at = SEALED_AT + {"commitment": 3, "ephemeral": 40, "own box": 70, "another's box": 120}[part]
    bad = Masked(damaged(here.files[0], at), context(0), here.sharing, LENGTH)
    for seat in (0, 1, 2):
        with pytest.raises(Malformed, match="cell"):
            bad.open_own(seat, here.secrets[seat], here.members)
    bad.open_own(3, here.secrets[3], here.members)


def test_other_secret__says_nothing_about_the_envelope():
    here = world(4, 2, n=1)
    with pytest.raises(BadKey):
        here.masked(0).open_own(0, here.secrets[1], here.members)


def test_seat_without_a_key__gets_no_box_and_the_others_are_as_good():
    here = world(4, 2, n=1, keyless=frozenset({3}))
    assert here.masked(0).cells[1][-48:] == bytes(48)
    assert here.masked(0).open_own(0, here.secrets[0], here.members)
    with pytest.raises(BadKey):
        here.masked(0).open_own(3, here.secrets[3], here.members)


def test_seats_with_one_key__read_their_boxes():
    here = world(4, 2, n=1)
    members = [here.members[0]] * 2 + here.members[2:]
    data = envelope.seal(here.sent[0], here.seeds[0], context(0), here.sharing, members)
    both = Masked(data, context(0), here.sharing, LENGTH)
    assert both.open_own(1, here.secrets[0], members)


def test_commitment__is_the_name_of_the_seed_file():
    here = world(4, 2, n=1)
    assert [here.masked(0).commitment(index) for index in here.indices] == [digest_of(s) for s in here.seeds[0]]


def test_update_of_another_mode__is_malformed():
    here = world(4, 2, n=1)
    other = sealing.seal(bytes(len(here.files[0]) - 4 * 48 - 279), bytes(32), context(0), here.members)
    with pytest.raises(Malformed):
        Masked(other, context(0), here.sharing, LENGTH)


def test_vector__is_the_sum_of_its_streams_and_its_digest_its_files():
    keys = [bytes([i]) * 32 for i in range(1, 4)]
    size = 2 * 131072 + 77  # three leaves
    total, digest = streams.vector(keys, size)
    expected = np.zeros(size, words.WORD)
    for key in keys:
        streams.add_streams(expected, [key])
    assert np.array_equal(total, expected) and digest == digest_of(expected.tobytes())
    room = np.full(size, 0xABCD, words.WORD)
    for _ in range(2):
        again, same = streams.vector(keys, size, room)
        assert again is room and np.array_equal(room, expected) and same == digest


@pytest.mark.parametrize("first, count", [(0, 1), (1, 9), (7, 9), (8, 1), (131072, 3), (200001, 9)])
def test_words_at__are_those_of_the_stream(first, count):
    stream = np.zeros(200100, words.WORD)
    streams.add_streams(stream, [b"\x05" * 32])
    assert np.array_equal(streams.words_at(b"\x05" * 32, first, count), stream[first : first + count])


def test_in__is_what_more_than_half_of_the_seats_attest():
    voices = [to_bitmap([True, True, False]), to_bitmap([True, True, True]), to_bitmap([True, False, True])]
    assert attested_group(CYCLE, UPDATES, 3, voices, 4).included == (True, False, False)
    assert attested_group(CYCLE, UPDATES, 3, [], 4).included == (False, False, False)


def test_bitmaps__ignore_bits_beyond_the_updates():
    assert from_bitmap(b"\xff\xff", 3) == [True] * 3
    assert from_bitmap(b"", 2) == [False, False]
    assert to_bitmap([True] + [False] * 7 + [True]) == b"\x01\x01"


def test_group__has_one_name_for_cycle_updates_and_members():
    names = {
        attested_group(cycle, acc, 3, [to_bitmap(bits)] * 3, 4).name
        for cycle, acc, bits in product([CYCLE, CYCLE + 2], [UPDATES, UPDATES + 1], [[True] * 3, [True, True, False]])
    }
    assert len(names) == 8


def test_table__is_read_as_written_and_no_other():
    here = world(4, 2, n=3)
    digests = {index: Digest(bytes([index + 1]) * 32) for index in here.sharing.by_seat[1][1:]}
    data = Table(1, digests).encode(here.sharing, here.group)
    assert Table.decode(data, here.sharing, here.group, 1) == Table(1, digests)
    assert data[:8] == b"hansat\x01\x02" and data[40:41] == b"\x07" and data[41:73] == bytes(32)
    other = attested_group(CYCLE, UPDATES + 1, 3, [to_bitmap([True] * 3)] * 4, 4)
    for changed, group, seat in ((data, here.group, 2), (data, other, 1), (data + b"\0", here.group, 1)):
        with pytest.raises(Malformed, match="table of seat"):
            Table.decode(changed, here.sharing, group, seat)


def test_release_of_another_group__is_refused_for_ever():
    here = world(4, 2)
    other = attested_group(CYCLE + 2, UPDATES, 5, [to_bitmap([True] * 5)] * 4, 4)
    assert may_release(None, here.group) and may_release(here.group.name, here.group)
    assert not may_release(here.group.name, other)


def test_sheet__shares_alike_rounds_down_and_strikes_the_malformed():
    entries = masked_sheet(5, {0, 2, 4}, {1, 2}, {4}, Worth(-7, 8, 3))
    assert [int(entry.code) for entry in entries] == [0, 2, 0, 1, 2]
    assert entries[0] == entries[2] == (Code.OK, -3, 2)


def test_sheet__of_a_member_that_did_not_open():
    assert [e.code for e in masked_sheet(3, {0, 1}, {1, 2}, (), None)] == [
        Code.UNREACHABLE,
        Code.UNREACHABLE,
        Code.MALFORMED,
    ]


def test_places__are_of_those_that_come_again_with_the_same_file():
    a, b, c = (Address(f"0x{i:040x}") for i in (1, 2, 3))
    one, two, three = (Digest(bytes([i]) * 32) for i in (1, 2, 3))
    group = attested_group(CYCLE, UPDATES, 3, [to_bitmap([True, True, False])] * 3, 4)
    members = [(a, one), (b, two), (c, three)]
    assert places_of([(c, three), (b, two), (a, two)], group, members) == {1: 1}


@pytest.mark.parametrize(
    "known, own, is_fixed, repeat, due",
    [
        ("published", None, False, False, Step.SEAL),  # its attempt fixed nothing
        ("published on another fork", None, False, False, Step.STAND_BY),
        ("published elsewhere", None, False, False, Step.REFUSE),
        (None, None, False, False, Step.SEAL),
        (None, None, True, False, Step.STAND_BY),
        (None, b"e", True, False, Step.SEND_AGAIN),
        ("here", b"e", True, False, Step.SEND_AGAIN),
        ("here", None, False, True, Step.STAND_BY),  # a fork without its group: never sealed again
        ("elsewhere", None, False, False, Step.REFUSE),
        ("elsewhere", None, False, True, Step.SEAL),
        ("elsewhere", None, True, True, Step.STAND_BY),
    ],
)
def test_guard(known, own, is_fixed, repeat, due):
    where = "elsewhere" if known and "elsewhere" in known else "here"
    record = None if known is None else Guarded("w", Digest(b"e"), where, not known.startswith("published"))
    submitted = set() if known == "published on another fork" else {Digest(b"e")}
    assert guard.step(record, "here", own=own, is_fixed=is_fixed, repeat=repeat, submitted=submitted) == due


def test_weights__are_the_same_for_jobs_that_begin_alike():
    zeros = {name: np.zeros(shape, np.float32) for name, shape in SHAPES.items()}
    first, second = initial_model(zeros, 8), initial_model(zeros, 16)
    assert guard.weights_of(first) == guard.weights_of(second)
    assert guard.weights_of(first) != guard.weights_of(initial_model({**zeros, "scale": np.ones((), np.float32)}, 8))


def test_seeds__are_fresh():
    drawn = envelope.new_seeds(Sharing(5, 3))
    assert len(set(drawn)) == 10 and {len(seed) for seed in drawn} == {cells.SEED}
