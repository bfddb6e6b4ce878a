"""SIGKILL any one daemon at any moment of a round and start it again: the job completes, nothing is said twice."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from cli.books import JobView, read_job
from cli.demo.lab import Lab
from cli.demo.setup import Setup
from protocol.types import Phase

ROUNDS = 3
MOMENTS = [
    ("trainer-1", Phase.ENROL),
    ("trainer-2", Phase.SUBMIT),
    ("trainer-3", Phase.SCORE),
    ("validator-1", Phase.SUBMIT),
    ("validator-2", Phase.SCORE),
    ("validator-3", Phase.REVEAL),
    ("validator-1", Phase.VOTE),
    ("validator-2", Phase.FINALIZE),
]


def finished(lab: Lab) -> JobView:
    state = lab.wait_for_end()
    assert state.phase == Phase.COMPLETED
    lab.wait_for_exit(20.0)
    lab.settle()
    return read_job(lab.wire.federation, lab.wire.store, lab.posted.job)


def check_nothing_twice(view: JobView) -> None:
    for cycle in view.history.cycles:
        assert max(Counter(update.trainer for update in cycle.updates).values(), default=0) <= 1
        assert len({revealed.seat for revealed in cycle.sheets}) == len(cycle.sheets)


@pytest.mark.parametrize(("name", "phase"), MOMENTS)
def test_daemon__killed_and_started_again__job_completes(tmp_path: Path, name: str, phase: Phase) -> None:
    with Lab(Setup(rounds=ROUNDS, seed=1), tmp_path) as lab:
        lab.start_all()
        lab.wait_for_phase(phase, Phase.COMPLETED)
        lab.kill(name)
        time.sleep(0.3)
        lab.start(name)
        view = finished(lab)

        assert len(view.rounds) == ROUNDS
        check_nothing_twice(view)
        for trainer in lab.trainers:
            assert lab.wire.federation.bond(lab.posted.job, trainer) == 0, "the bond is back"


def test_daemons__killed_again_and_again__job_completes(tmp_path: Path) -> None:
    with Lab(Setup(rounds=8, seed=2), tmp_path) as lab:
        lab.start_all()
        names = list(lab.workers)
        turn = 0
        while not lab.state().phase.is_over:
            name = names[turn * 3 % len(names)]
            lab.kill(name)
            lab.start(name)
            turn += 1
            time.sleep(0.4)
        view = finished(lab)

        assert turn > 3
        assert len(view.rounds) == 8
        check_nothing_twice(view)


def test_restart__needs_nothing_but_the_journal(tmp_path: Path) -> None:
    """A trainer that lost its journal comes back as well; it only says other things under the same key."""
    with Lab(Setup(rounds=ROUNDS, seed=3), tmp_path) as lab:
        lab.start_all()
        lab.wait_for_round(1)
        lab.kill("trainer-1")
        for path in (tmp_path / "journals").glob("trainer-1.sqlite*"):
            if path.is_file():
                path.unlink()
        lab.start("trainer-1")
        view = finished(lab)

        assert len(view.rounds) == ROUNDS
