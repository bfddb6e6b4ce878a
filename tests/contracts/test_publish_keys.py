"""Content keys of a job that is over: anyone may name a file of them."""

from __future__ import annotations

import pytest
from node import word, wrong_phase

from hansa.protocol.types import Phase

RUNNING = [
    phase for phase in Phase if Phase.ENROL <= phase <= Phase.LAPSED and phase not in (Phase.ATTEST, Phase.RELEASE)
]


def published(house, job, who):
    event = house.federation.publishKeys(job.id, word("keys"), {"from": who}).events["KeysPublished"]
    return event["job"], event["account"], bytes(event["digest"])


@pytest.mark.parametrize("phase", RUNNING, ids=lambda phase: phase.name.lower())
def test_publish_keys__while_the_job_runs__reverts(play, house, alice, phase):
    job = play(Phase.SUBMIT).lapse() if phase == Phase.LAPSED else play(phase)
    assert job.phase == phase
    with wrong_phase(job, Phase.COMPLETED, phase):
        house.federation.publishKeys(job.id, word("keys"), {"from": alice})


def test_publish_keys__of_no_job__reverts(play, house, alice):
    job = play()
    job.id += 1
    with wrong_phase(job, Phase.COMPLETED, Phase.NONE):
        house.federation.publishKeys(job.id, word("keys"), {"from": alice})
    job.id -= 1


@pytest.mark.parametrize(
    "outcome", [Phase.COMPLETED, Phase.ABORTED, Phase.CANCELLED], ids=lambda phase: phase.name.lower()
)
def test_publish_keys__after_any_end__by_anyone_and_again(play, house, alice, mallory, outcome):
    job = play(Phase.ENROL if outcome == Phase.CANCELLED else Phase.OPEN)
    if outcome == Phase.COMPLETED:
        job.play_round()
    job.stop()
    assert job.phase == outcome
    for who in (alice, mallory, alice):
        assert published(house, job, who) == (job.id, who.address, word("keys"))
