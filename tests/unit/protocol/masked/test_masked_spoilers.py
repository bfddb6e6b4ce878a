"""Who sends garbage is found by its own seeds, and nobody is framed."""

from __future__ import annotations

import numpy as np
import pytest
from masked_world import LENGTH, SHAPES, SIZES, World, update

from hansa.protocol.masked import words
from hansa.protocol.masked.opening import Opening, settle_probes, spoilers
from hansa.protocol.masked.probe import Probe
from hansa.protocol.masked.sharing import Sharing
from hansa.protocol.masked.words import Fault


def sent(bad):
    return [words.words_of(update(seed)) if one is None else one for seed, one in enumerate(bad)]


def garbage(seed=1):
    return np.random.default_rng(seed).integers(0, 2**16, LENGTH).astype(np.uint16)


def changed(at, value):
    made = words.words_of(update(9))
    made.view(np.int16)[at] = value
    return made


def played(here):
    """Probes until the sum has no fault: who was left out, and the sum."""
    opening, left = Opening(LENGTH), {*here.group.places}
    for place in left:
        opening.add(here.masked(place).words)
    for index in here.indices:
        opening.take_off(here.vectors[here.true[index]])
    while (fault := words.fault_in(opening.total, SHAPES, len(left))) is not None:
        found = here.suspects(list(range(here.sharing.seats)), fault)
        assert not found.disputed and not found.untold
        out = [place for place in spoilers({p: here.whole(p) for p in found.suspects}, fault) if place in left]
        assert out, "a fault has a spoiler"
        for place in out:
            left.remove(place)
            opening.take_off(here.whole(place))
    return left, opening.total


@pytest.mark.parametrize("seats, shares", SIZES)
@pytest.mark.parametrize(
    "bad",
    [garbage(), changed(4, 5000), changed(12, 2), changed(20, -1), changed(0, -128 * 200)],
    ids=["garbage", "a value", "a counter", "a negative counter", "a wrap"],
)
def test_one_spoiler__is_left_out_and_the_rest_is_whole(seats, shares, bad):
    here = World(Sharing(seats, shares), sent([None, None, bad, None]))
    left, total = played(here)
    assert left == {0, 1, 3}
    plain = sum(here.sent[place].astype(np.int64).astype(np.uint16) for place in left)
    assert np.asarray(plain, np.uint16).view(np.int16).tobytes() == total.tobytes()


def test_two_spoilers__one_in_the_values_and_one_in_the_counters():
    here = World(Sharing(4, 2), sent([changed(3, 9000), None, changed(30, 1), None, None]))
    assert played(here)[0] == {1, 3, 4}


def test_spoilers_that_cancel_each_other__spoil_nothing():
    here = World(Sharing(4, 2), sent([changed(3, 9000), changed(3, -9000), None, None]))
    assert played(here)[0] == {0, 1, 2, 3}


@pytest.mark.parametrize("seats, shares", SIZES)
def test_probe_that_lies__is_disputed_and_frames_nobody(seats, shares):
    here = World(Sharing(seats, shares), sent([None, None, garbage()]))
    fault = Fault(0, 1)
    honest = [here.probe(seat, fault) for seat in range(seats)]
    index = here.sharing.by_seat[0][0]
    lie = {**honest[0].words, index: honest[0].words[index] + np.uint16(999)}
    found = here.suspects([], fault, [Probe(honest[0].seat, lie), *honest[1:]])
    assert found.disputed == (index,) and not found.suspects
    shown = {index: honest[0].words[index]}
    at = {place: here.masked(place).words[:1] for place in here.group.places}
    settled = settle_probes([Probe(honest[0].seat, lie), *honest[1:]], here.sharing, at, fault, shown)
    assert settled.liars == (0,)
    assert spoilers({place: here.whole(place) for place in settled.suspects}, fault) == settled.suspects


def test_probe_of_fewer_than_t_holders__counts_for_nothing():
    here = World(Sharing(5, 3), sent([None, None, garbage()]))
    found = here.suspects([0, 1], Fault(0, 1))
    assert found.untold and not found.suspects


def test_probe_of_a_seat_that_lacks_a_seed__says_nothing_of_its_set_and_disputes_nothing():
    here = World(Sharing(4, 2), sent([None, None, garbage()]))
    fault = Fault(0, 1)
    honest = [here.probe(seat, fault) for seat in range(4)]
    index, *others = here.sharing.by_seat[3]
    told = Probe(honest[3].seat, {other: honest[3].words[other] for other in others})
    read = Probe.decode(told.encode(here.sharing, here.group, fault), here.sharing, here.group, 3, fault)
    assert index not in read.words and set(read.words) == set(others)
    found = here.suspects([], fault, [*honest[:3], read])
    assert found == here.suspects(range(4), fault) and found.suspects == (2,)


def test_suspect_whose_seeds_give_an_update__is_no_spoiler():
    here = World(Sharing(4, 2), sent([None, None, None]))
    assert spoilers({place: here.whole(place) for place in range(3)}, Fault(0, 1)) == ()


def test_probe__is_read_as_written_and_no_other():
    here = World(Sharing(4, 2), sent([None, None, None]))
    fault = Fault(12, 9)
    data = here.probe(2, fault).encode(here.sharing, here.group, fault)
    read = Probe.decode(data, here.sharing, here.group, 2, fault)
    assert all(np.array_equal(read.words[index], here.probe(2, fault).words[index]) for index in read.words)
    assert data[:8] == b"hansap\x02\x02" and data[8:40] == here.group.name and data[40:45] == b"\0\0\0\x0c\x09"
    with pytest.raises(Exception, match="probe of seat 1"):
        Probe.decode(data, here.sharing, here.group, 1, fault)
