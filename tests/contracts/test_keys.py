"""Keys: announced at any time, in force as they stand when a cycle opens."""

from __future__ import annotations

import pytest
from node import call, word
from openings import opening_of
from terms import NO_WORD

from hansa.protocol.types import Phase


@pytest.fixture
def announce(house):
    def send(who, name=""):
        return house.federation.announceKey(word(name) if name else NO_WORD, {"from": who})

    return send


def key_of(house, who):
    return bytes(call(house.federation.keyOf, who.address))


def keys_of(opened):
    return [bytes(key) for key in opened.events["CycleOpened"]["keys"]]


def test_announce_key__is_an_event_and_kept(house, announce, alice, bob):
    event = announce(alice, "key").events["KeyAnnounced"]
    assert (event["account"], bytes(event["key"])) == (alice, word("key"))
    assert (key_of(house, alice), key_of(house, bob)) == (word("key"), NO_WORD)


def test_announce_key__again__takes_the_place_of_the_first(house, announce, alice):
    announce(alice, "first")
    event = announce(alice, "second").events["KeyAnnounced"]
    assert bytes(event["key"]) == word("second") == key_of(house, alice)


def test_announce_key__of_zero__is_none(house, announce, alice):
    announce(alice, "key")
    announce(alice)
    assert key_of(house, alice) == NO_WORD


def test_open__fixes_keys_by_seat_and_zero_for_none(play, announce, vera, viola):
    job = play(Phase.OPEN)
    announce(viola, "viola")
    announce(vera, "vera")
    opened = job.open()
    assert keys_of(opened) == [word("vera"), NO_WORD, word("viola")]
    opening_of(job, opened)


def test_announce_key__in_a_cycle__waits_for_the_next(play, announce, vera):
    job = play(Phase.OPEN)
    announce(vera, "old")
    job.open()
    seed = job.seed
    announce(vera, "new")
    assert job.seed == seed
    before = job.play_round().state
    opened = job.open()
    assert keys_of(opened)[0] == word("new")
    opening_of(job, opened, before)


def test_open__kept_committee__gets_the_keys_of_now(play, announce, vera, victor):
    job = play(Phase.OPEN, keepCommittee=True)
    announce(vera, "old")
    job.open()
    announce(vera, "new")
    announce(victor, "first")
    job.lapse().fail()
    before = job.state
    assert before.committeeKept
    opened = job.open()
    assert keys_of(opened) == [word("new"), word("first"), NO_WORD]
    opening_of(job, opened, before)


def test_open__new_member__brings_its_key(play, mock, house, announce, vito):
    job = play(Phase.OPEN, committee=mock)
    announce(vito, "vito")
    assert keys_of(job.open()) == [NO_WORD] * 3
    job.play_round()
    mock.setMembers([*house.validators[:2], vito])
    assert keys_of(job.open()) == [NO_WORD, NO_WORD, word("vito")]


def test_keys__of_trainers_and_others__are_of_no_concern(play, announce, alice, mallory):
    job = play(Phase.OPEN)
    announce(alice, "alice")
    announce(mallory, "mallory")
    assert keys_of(job.open()) == [NO_WORD] * 3
