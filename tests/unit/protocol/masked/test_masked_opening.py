"""Sums open exactly, with seats dead, without keys or lying; a liar is found, and nobody else."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from masked_world import LENGTH, SHAPES, SIZES, World, update, world

from hansa.protocol.masked import streams, words
from hansa.protocol.masked.opening import settle
from hansa.protocol.masked.sharing import Sharing
from hansa.protocol.masked.table import Table
from hansa.protocol.types import Digest

LIE = Digest(b"\x01" * 32)


def plain(sent):
    return np.sum([np.asarray(one, np.uint16) for one in sent], axis=0, dtype=np.uint16).view(np.int16)


def lying(table, index, digest=LIE):
    return Table(table.seat, {**table.digests, index: digest})


@pytest.mark.parametrize("seats, shares", SIZES)
def test_sum__is_the_plain_one_with_as_many_dead_as_may_be(seats, shares):
    here = world(seats, shares, n=4)
    for alive in combinations(range(seats), shares):
        total = here.opened([here.table(seat) for seat in alive])
        assert total.tobytes() == plain(here.sent).tobytes()
    assert words.fault_in(total, SHAPES, 4) is None


@pytest.mark.parametrize("seats, shares", SIZES)
def test_fewer_than_t_seats__lack_a_stream_of_every_trainer(seats, shares):
    sharing = Sharing(seats, shares)
    for few in combinations(range(seats), shares - 1):
        assert any(not set(few) & set(chosen) for chosen in sharing.sets)
    assert all(len(chosen) >= shares for chosen in sharing.sets)  # so each has an honest one


@pytest.mark.parametrize("seats, shares", SIZES)
def test_liars__are_found_and_only_they(seats, shares):
    """Every coalition of fewer than t, each of which lies alone, and all together, of every set that they share."""
    here = world(seats, shares, n=3)
    honest = [here.table(seat) for seat in range(seats)]
    for count in range(1, shares):
        for coalition in combinations(range(seats), count):
            for index in here.indices:
                told = sorted(set(coalition) & set(here.sharing.sets[index]))
                if not told:
                    continue
                tables = [lying(table, index) if table.seat in told else table for table in honest]
                assert settle(tables, here.sharing, {}).disputed == (index,)
                settled = settle(tables, here.sharing, {index: here.true[index]})
                assert settled.vectors == here.true
                assert list(settled.liars) == told
            assert any(not set(coalition) & set(chosen) for chosen in here.sharing.sets)  # is never disputed


@pytest.mark.parametrize("seats, shares", SIZES)
def test_all_lies_of_a_coalition__leave_a_set_closed(seats, shares):
    here = world(seats, shares, n=3)
    coalition = set(range(shares - 1))
    tables = []
    for seat in range(seats):
        table = here.table(seat)
        lies = {index: Digest(bytes([seat + 1]) * 32) for index in table.digests if seat in coalition}
        tables.append(Table(table.seat, {**table.digests, **lies}))
    settled = settle(tables, here.sharing, {})
    closed = [index for index in here.indices if index not in settled.disputed]
    assert closed and all(not coalition & set(here.sharing.sets[index]) for index in closed)
    assert here.opened(tables).tobytes() == plain(here.sent).tobytes()


@pytest.mark.parametrize("seats, shares", SIZES)
def test_keyless_seat_beside_a_liar__frames_nobody(seats, shares):
    here = world(seats, shares, n=3, keyless=frozenset({seats - 1}))
    assert here.table(seats - 1).digests == {}
    tables = [here.table(seat) for seat in range(seats)]
    index = here.sharing.by_seat[0][0]
    tables[0] = lying(tables[0], index)
    settled = settle(tables, here.sharing, {index: here.true[index]})
    assert settled.liars in ((0,), ())  # alone with the keyless one in its set nobody contradicts it
    if len(set(here.sharing.sets[index]) - {0, seats - 1}):
        assert settled.liars == (0,)
        assert settled.vectors == here.true


def test_set_that_nobody_told_of__is_not_opened():
    here = world(4, 2)
    settled = settle([here.table(0)], here.sharing, {})
    assert settled.untold == (3,) and not settled.is_complete


@pytest.mark.parametrize("seats, shares", [(3, 2), (4, 2), (5, 3)])
def test_what_fewer_than_t_see__is_uniform(seats, shares):
    """Words less the streams that t − 1 seats know: bytes as likely as each other. χ² of 255 degrees: below 340 with
    all but a ten-thousandth of the chance."""
    sharing = Sharing(seats, shares)
    few = set(range(shares - 1))
    sent = np.zeros(100_000, words.WORD)
    seeds = [bytes([7, index] * 16) for index in range(len(sharing.sets))]
    known = [seed for seed, chosen in zip(seeds, sharing.sets, strict=True) if few & set(chosen)]
    masked = sent.copy()
    streams.add_streams(masked, seeds)
    rest = masked.copy()
    streams.add_streams(rest, known, -1)
    for seen in (masked, rest):
        counts = np.bincount(seen.view(np.uint8), minlength=256)
        expected = counts.sum() / 256
        assert ((counts - expected) ** 2 / expected).sum() < 340


def test_the_same_seeds_in_another_cycle__give_other_streams():
    sent = [words.words_of(update(seed)) for seed in range(3)]
    first, second = World(Sharing(4, 2), sent), World(Sharing(4, 2), sent, cycle=5)
    assert first.seeds == second.seeds
    residue = first.masked(0).words - second.masked(0).words
    assert np.count_nonzero(residue) > LENGTH * 9 // 10
    assert set(first.keys(0)).isdisjoint(second.keys(0))
