"""The two phases that only some ways of privacy need."""

from __future__ import annotations

import pytest
from node import at, refused, word

from hansa.protocol.types import Phase


def test_attest__emits_the_bitmap(play, victor):
    job = play(Phase.ATTEST, attestTime=100)
    event = job.attest(victor, b"\x07").events["UpdatesAttested"]
    assert (event["job"], event["cycle"], event["seat"], bytes(event["bitmap"])) == (job.id, job.cycle, 1, b"\x07")


@pytest.mark.parametrize("bitmap", [b"", b"\0\0"], ids=["none", "two-bytes"])
def test_attest__bitmap_of_another_length__reverts(play, vera, bitmap):
    job = play(Phase.ATTEST, attestTime=100)
    with refused("Federation_WrongLength", job.id, 1, len(bitmap)):
        job.attest(vera, bitmap)


@pytest.mark.parametrize(("updates", "size"), [(8, 1), (9, 2)])
def test_attest__bitmap__has_a_byte_for_every_eight_updates(play, house, actors, vera, updates, size):
    from brownie import accounts

    job = play(maxTrainers=updates, attestTime=100)
    job.trainers = list(accounts[12 : 12 + updates])
    for who in job.trainers:
        house.token.transfer(who, 1000, {"from": actors["deployer"]})
        house.token.approve(house.vault, 1000, {"from": who})
    job.reach(Phase.ATTEST)
    for wrong in (size - 1, size + 1):
        with refused("Federation_WrongLength", job.id, size, wrong):
            job.attest(vera, bytes(wrong))
    event = job.attest(vera, b"\xff" * size).events["UpdatesAttested"]
    assert bytes(event["bitmap"]) == b"\xff" * size


def test_attest__member_step_of_release__emits_the_digest(play, victor):
    job = play(Phase.RELEASE, releaseTime=100)
    event = job.release(victor).events["SharesReleased"]
    assert (event["seat"], bytes(event["digest"])) == (1, word("shares"))


@pytest.mark.parametrize(
    ("times", "phases"),
    [
        ({}, [Phase.SCORE]),
        ({"attestTime": 100}, [Phase.ATTEST, Phase.SCORE]),
        ({"releaseTime": 100}, [Phase.RELEASE, Phase.SCORE]),
        ({"attestTime": 100, "releaseTime": 100}, [Phase.ATTEST, Phase.RELEASE, Phase.SCORE]),
    ],
    ids=["neither", "attest", "release", "both"],
)
def test_phases__of_time_zero__are_skipped(play, times, phases):
    job = play(Phase.SUBMIT, **times)
    assert [job.step() for _ in phases] == phases


@pytest.mark.parametrize("phase", [Phase.ATTEST, Phase.RELEASE])
def test_threshold__above_the_quorum__is_what_these_phases_need(play, phase, vera, victor):
    job = play(phase, attestTime=100, releaseTime=100, threshold=3, quorum=2)
    act = job.attest if phase == Phase.ATTEST else job.release
    act(vera)
    act(victor)
    assert job.state_at(job.state.deadline).phase == Phase.LAPSED


@pytest.mark.parametrize("phase", [Phase.ATTEST, Phase.RELEASE])
def test_threshold__below_the_quorum__is_what_these_phases_need(play, phase, vera):
    job = play(phase, attestTime=100, releaseTime=100, threshold=1, quorum=3)
    (job.attest if phase == Phase.ATTEST else job.release)(vera)
    expected = Phase.RELEASE if phase == Phase.ATTEST else Phase.SCORE
    assert job.state_at(job.state.deadline).phase == expected


def test_attest__closed_and_release_closed_in_one_second__goes_on(play, house):
    job = play(Phase.ATTEST, attestTime=100, releaseTime=100, threshold=1)
    deadline = job.state.deadline
    job.attest(house.validators[0])
    at(deadline)
    job.release(house.validators[0])
    assert job.state.released == 1, "RELEASE begins in the second in which ATTEST ends"


def test_whole_round__with_both_phases__is_final(play):
    job = play(Phase.SUBMIT, attestTime=100, releaseTime=100).play_round()
    assert (job.state.round, job.phase) == (2, Phase.OPEN)
