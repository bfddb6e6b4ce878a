"""What a committee is drawn by: prevrandao, or the parent's block hash where a chain has none."""

from __future__ import annotations

import pytest
from node import head, now, skip_to
from openings import NOTHING_YET, asked_of_committee, draw_of, opening_of, simulated

from hansa.protocol import links
from hansa.protocol.types import Phase

NO_RANDAO = 2**64 - 1  # the largest number that is taken for a difficulty


@pytest.fixture
def ready(play):
    """A job that anybody may open in the very second of the last block."""

    def prepare(**terms):
        job = play(Phase.OPEN, **terms)
        skip_to(now() + 1)
        return job

    return prepare


def seed_of(job, randomness):
    committee = [who.address for who in job.members[:3]]
    drawn = draw_of(job, NOTHING_YET, randomness)
    return links.link(job.terms_hash, links.opened(drawn, committee, [links.NO_KEY] * 3))


@pytest.mark.parametrize("prevrandao", [2**64, 2**64 + 1, 2**255, 2**256 - 1], ids=hex)
def test_randomness__above_64_bits__is_prevrandao(ready, prevrandao):
    job = ready()
    randomness, seed = simulated(job, prevrandao)
    assert randomness == prevrandao.to_bytes(32, "big")
    assert seed == seed_of(job, randomness)


@pytest.mark.parametrize("difficulty", [0, 1, 2, NO_RANDAO], ids=hex)
def test_randomness__of_a_chain_without_randao__is_the_parents_hash(ready, difficulty):
    job = ready()
    randomness, seed = simulated(job, difficulty)
    assert randomness == bytes.fromhex(head()["parentHash"][2:])
    assert seed == seed_of(job, randomness)


def test_randomness__is_not_known_while_sheets_are_shown(play):
    """Two orders of the same reveals give other draws; neither can be told before the block that opens."""
    job = play(Phase.REVEAL)
    for who in job.members[2::-1]:
        job.reveal(who)
    job.play_round()
    skip_to(now() + 1)
    assert simulated(job, 2**200)[1] != simulated(job, 2**200 + 1)[1]


def test_select__is_asked_for_the_counter_and_the_draw(play, mock):
    job = play(Phase.OPEN, committee=mock)
    asked_as_of, before = now(), NOTHING_YET
    for counter in (1, 2, 3):
        opened = job.open()
        opening = opening_of(job, opened, before)
        assert asked_of_committee(opened) == (job.id, counter, opening.draw, asked_as_of)
        asked_as_of = now()
        if counter == 2:
            job.lapse().fail()
        else:
            job.play_round()
        before = job.state


def test_select__in_another_job__is_asked_with_another_draw(play, mock):
    draws = []
    for job in (play(Phase.OPEN, committee=mock), play(Phase.OPEN, committee=mock)):
        draws.append(asked_of_committee(job.open())[2])
    assert draws[0] != draws[1]
