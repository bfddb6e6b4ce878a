"""Committing to a sheet. What it shares with the other steps is in test_member_steps."""

from __future__ import annotations

from node import word

from hansa.protocol.types import Phase


def test_commit__emits_the_commitment(play, victor):
    job = play(Phase.SCORE)
    event = job.commit(victor, word("commitment")).events["ScoresCommitted"]
    assert (event["job"], event["cycle"], event["seat"]) == (job.id, job.cycle, 1)
    assert bytes(event["commitment"]) == word("commitment")


def test_commit__of_another__can_be_copied_but_not_revealed(play, vera, victor, viola):
    from node import refused

    job = play(Phase.SCORE)
    job.commit(vera)
    job.commit(victor, job.commitment_of(vera))
    job.commit(viola)
    job.reveal(vera)
    with refused("Federation_WrongCommitment", job.id, job.cycle, 1):
        job.reveal(victor, job.sheet_of(vera), job.salt_of(vera))
