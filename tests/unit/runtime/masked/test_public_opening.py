"""What anybody makes of the files that members put: the sum, liars, spoilers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from masked_chain import Given, given
from masked_world import LENGTH, SHAPES

from hansa.protocol.masked import words
from hansa.protocol.masked.table import Table
from hansa.protocol.masked.words import Fault
from hansa.protocol.types import BlockNumber, Phase, Seat, Timestamp, Wei
from hansa.runtime.history.records import Failed
from hansa.runtime.masked.base import has_attested
from hansa.runtime.masked.opening import PublicOpening


def noise() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 2**16, LENGTH).astype(np.uint16)


def opened(here: Given):
    return PublicOpening(here.base, here.store).advance(here.base)


def plain(here: Given, places) -> bytes:
    return sum(here.world.sent[place].astype(np.uint16) for place in places).astype(np.uint16).tobytes()


@pytest.mark.parametrize("seats, shares", [(4, 2), (5, 3)])
def test_tables_of_enough_seats__open_the_sum(seats: int, shares: int) -> None:
    here = given(seats, shares)
    here.put_all(range(seats - 1))
    standing = opened(here)
    assert standing.is_open and standing.has_all and standing.updates == 4
    assert standing.total is not None and standing.total.tobytes() == plain(here, range(4))


def test_nothing_is_there_yet__nothing_is_open() -> None:
    here = given(4, 2)
    assert opened(here).has_all and not opened(here).is_open
    here.release(dict.fromkeys(range(4), b"\x01" * 32))
    assert not opened(here).has_all


def test_files_that_come_one_by_one__are_taken_in_once() -> None:
    here = given(4, 2)
    here.put_all(range(4))
    kept = dict(here.store.files)
    vectors = list(here.world.vectors)
    for digest in vectors:
        del here.store.files[digest]
    opening = PublicOpening(here.base, here.store)
    for digest in vectors:
        assert not opening.advance(here.base).is_open
        here.store.files[digest] = kept[digest]
    standing = opening.advance(here.base)
    assert standing.total is not None and standing.total.tobytes() == plain(here, range(4))


def test_release_that_lapsed__is_not_read() -> None:
    here = given(4, 2)
    here.put_all(range(4))
    here.cycles[0] = replace(here.cycles[0], outcome=Failed(Phase.RELEASE, 1, Wei(0), Timestamp(1), BlockNumber(9)))
    here.phase = None
    assert all(here.base.released(Seat(seat)) == [] for seat in range(4))


def test_liar__is_named_once_the_seeds_of_its_set_are_put() -> None:
    here = given(4, 2)
    here.put_all(range(4))
    index = here.world.sharing.by_seat[0][0]
    group = here.base.group
    lie = Table(Seat(0), {**here.world.table(0).digests, index: b"\1" * 32})
    told = {**dict(here.cycles[0].releases), Seat(0): here.store.put(lie.encode(here.world.sharing, group))}
    here.release(told)
    before = opened(here)
    assert (before.disputed, before.is_open, before.liars) == ((index,), False, ())
    here.put_seeds(range(4), [index])
    after = opened(here)
    assert after.is_open and after.liars == (0,)
    assert after.total is not None and after.total.tobytes() == plain(here, range(4))


def test_spoiler__is_found_by_a_probe_and_left_out_by_its_own_seeds() -> None:
    here = given(4, 2, bad={2: noise()})
    here.put_all(range(4))
    spoilt = opened(here)
    assert spoilt.fault is not None and not spoilt.is_open and spoilt.suspects == ()
    here.probe(range(4), spoilt.fault)
    assert opened(here).suspects == (2,)
    here.put_seeds([2], range(4))
    standing = opened(here)
    assert (standing.spoilers, standing.updates, standing.is_open) == ((2,), 3, True)
    assert standing.total is not None and standing.total.tobytes() == plain(here, [0, 1, 3])
    assert words.fault_in(standing.total, SHAPES, 3) is None


def test_spoilers_but_one__leave_nothing_to_open() -> None:
    here = given(4, 2, bad={0: noise(), 1: noise() + 1, 2: noise() + 2})
    here.put_all(range(4))
    fault = opened(here).fault
    for _ in range(3):
        if fault is None:
            break
        here.probe(range(4), fault)
        here.put_seeds(range(3), range(4))
        fault = opened(here).fault
    assert not opened(here).is_open


def test_group__is_the_first_and_a_later_cycle_changes_nothing() -> None:
    here = given(4, 2)
    first = here.base.group
    here.later()
    assert here.base.group == first and here.base.is_of_earlier(here.cycles[-1])
    assert here.base.present(here.cycles[-1]) == {place: place for place in range(4)}


@pytest.mark.parametrize(
    "outcome, phase, expected",
    [
        (None, Phase.ATTEST, False),
        (None, Phase.RELEASE, True),
        (None, Phase.LAPSED, True),
        (Failed(Phase.ATTEST, 1, Wei(0), Timestamp(1), BlockNumber(9)), None, False),
        (Failed(Phase.RELEASE, 1, Wei(0), Timestamp(1), BlockNumber(9)), None, True),
    ],
    ids=str,
)
def test_attest__has_ended_where_the_cycle_went_on(outcome, phase, expected) -> None:
    cycle = replace(given(4, 2).cycles[0], outcome=outcome)
    assert has_attested(cycle, 3, phase) == expected
    assert not has_attested(cycle, 5, phase)


def test_fault__has_a_place_in_the_words() -> None:
    here = given(4, 2, bad={1: noise()})
    here.put_all(range(4))
    fault = opened(here).fault
    assert fault is not None and isinstance(fault, Fault) and 0 <= fault.first < LENGTH


def test_lie_that_nobody_contradicts_yet__gives_way_when_the_honest_table_comes() -> None:
    """A liar's vector can differ by so little that the sum is still one of updates."""
    here = given(4, 2)
    here.put_all(range(4))
    group, index = here.base.group, 0  # of the set of seats 0, 1, 2
    truth = here.world.vectors[here.world.true[index]]
    near = truth.copy()
    near[0] += np.uint16(1)
    lie = Table(Seat(0), {**here.world.table(0).digests, index: here.store.put(near.tobytes())})
    released = dict(here.cycles[0].releases)
    released[Seat(0)] = here.store.put(lie.encode(here.world.sharing, group))
    here.release(released)
    kept = {seat: here.store.files.pop(released[Seat(seat)]) for seat in (1, 2)}
    opening = PublicOpening(here.base, here.store)
    early = opening.advance(here.base)
    assert not early.is_final
    here.store.files |= {released[Seat(seat)]: data for seat, data in kept.items()}
    assert opening.advance(here.base).disputed == (index,)
    here.put_seeds(range(4), [index])
    late = opening.advance(here.base)
    assert late.is_final and late.liars == (0,)
    assert late.total is not None and late.total.tobytes() == plain(here, range(4))
