"""Revealing a sheet."""

from __future__ import annotations

import pytest
from node import refused, skip_to, word, wrong_phase

from hansa.protocol import hashes
from hansa.protocol.types import Phase

SHEET = bytes(range(39))


def test_reveal__goes_into_the_accumulator(play, vera, viola):
    job = play(Phase.SUBMIT)
    job.sheets = {vera: SHEET, viola: SHEET[::-1]}
    job.reach(Phase.REVEAL)
    acc = bytes(job.state.sheets)
    for seat, who in ((2, viola), (0, vera)):
        event = job.reveal(who).events["ScoresRevealed"]
        assert (event["job"], event["cycle"], event["seat"]) == (job.id, job.cycle, seat)
        assert (bytes(event["sheet"]), bytes(event["salt"])) == (job.sheets[who], job.salt_of(who))
        acc = hashes.sheets_acc(acc, seat, job.sheets[who], job.salt_of(who))
        assert bytes(job.state.sheets) == acc


def test_reveal__not_committed__reverts(play, viola):
    job = play(Phase.SCORE)
    job.members.remove(viola)
    job.step()
    with refused("Federation_NotCommitted", job.id, job.cycle, 2):
        job.reveal(viola)


def test_reveal__those_who_committed__are_all_that_is_waited_for(play, vera, victor, viola):
    job = play(Phase.SCORE)
    job.members.remove(viola)
    job.step()
    job.reveal(vera)
    job.reveal(victor)
    assert job.phase == Phase.VOTE


@pytest.mark.parametrize("length", [0, 13, 38, 40, 52])
def test_reveal__another_length__reverts(play, vera, length):
    job = play(Phase.SUBMIT)
    job.sheets[vera] = bytes(length)
    job.reach(Phase.REVEAL)
    with refused("Federation_WrongLength", job.id, 39, length):
        job.reveal(vera)


def test_reveal__another_sheet__reverts(play, vera):
    job = play(Phase.REVEAL)
    with refused("Federation_WrongCommitment", job.id, job.cycle, 0):
        job.reveal(vera, text=b"\1" + bytes(38))


def test_reveal__another_salt__reverts(play, vera):
    job = play(Phase.REVEAL)
    with refused("Federation_WrongCommitment", job.id, job.cycle, 0):
        job.reveal(vera, salt=word("another salt"))


def test_reveal__commitment_of_the_failed_cycle__is_void(play, vera, victor, viola):
    """Seats keep their slots: what a former cycle left there must not count in the next."""
    job = play(Phase.SCORE)
    job.commit(vera)
    job.lapse().fail()
    job.members.remove(vera)
    job.reach(Phase.REVEAL)
    with refused("Federation_NotCommitted", job.id, job.cycle, 0):
        job.reveal(vera)


def test_reveal__any_bytes__are_a_sheet(play, vera):
    job = play(Phase.SUBMIT)
    job.sheets[vera] = b"\xff" * 39
    job.reach(Phase.REVEAL)
    job.reveal(vera)
    assert job.state.revealed == 1


def test_reveal__after_deadline__reverts(play, vera, victor, viola):
    job = play(Phase.REVEAL)
    job.reveal(vera)
    job.reveal(victor)
    skip_to(job.state.deadline)
    with wrong_phase(job, Phase.REVEAL, Phase.VOTE):
        job.reveal(viola)
