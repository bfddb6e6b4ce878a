"""Who is not there: the job goes on without them, and pay and penalties say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.books import read_job
from cli.demo.lab import Lab
from cli.demo.report import conservation, is_conserved
from cli.demo.setup import Setup
from protocol.chain.history import Failed
from protocol.types import Phase

# An idle chain gets a block ten seconds after it needs one: its phases must be longer than that.
IDLE = {"open": 30, "submit": 12, "score": 24, "reveal": 24, "vote": 24, "finalize": 30}
SHORT = {"open": 20, "submit": 6, "score": 6, "reveal": 5, "vote": 5, "finalize": 10}


@pytest.mark.parametrize("idle", [False, True], ids=["busy chain", "idle chain"])
def test_one_trainer_and_one_validator__dead_from_round_two(tmp_path: Path, idle: bool) -> None:
    with Lab(Setup(rounds=4, seed=4, times=IDLE if idle else SHORT, idle_chain=idle), tmp_path) as lab:
        lab.start_all()
        lab.wait_for_round(1)
        lab.kill("trainer-2")
        lab.kill("validator-3")
        done = lab.wait_for_round(1).round - 1
        state = lab.wait_for_end(timeout=300)
        lab.wait_for_exit(20.0)
        lab.settle()
        view = read_job(lab.wire.federation, lab.wire.store, lab.posted.job)
        books = conservation(lab.wire.federation, lab.posted.job)

        assert state.phase == Phase.COMPLETED
        assert len(view.rounds) == 4
        dead, member = lab.address("trainer-2"), lab.address("validator-3")
        late = [leaf for number, leaf in view.leaves(dead) if number > done + 1]
        assert late, "the trainer was dead for whole rounds"
        assert [leaf.pay for leaf in late] == [0] * len(late)
        assert view.strikes(dead) == 0, "absence is no crime"
        assert view.attendance(member).missed >= 2
        assert view.attendance(lab.address("validator-1")).matched == 4
        missed = view.attendance(member).missed
        assert int(books["left"]) >= missed * lab.setup.fee, "what nobody earned is left to be burnt"
        assert is_conserved(books)


def test_two_failed_cycles__then_good_ones(tmp_path: Path) -> None:
    with Lab(Setup(rounds=3, seed=5, times=SHORT, failures=3), tmp_path) as lab:
        members = ["validator-1", "validator-2", "validator-3"]
        for name in members:
            lab.start(name)
        lab.wait_until(lambda: all(lab.keys_announced()), 30, "the validators' keys")
        for name in members[:2]:
            lab.kill(name)
        for name in ("trainer-1", "trainer-2", "trainer-3", "trainer-4"):
            lab.start(name)
        lab.wait_until(lambda: lab.state().failures >= 2, 180, "two failed cycles")
        for name in members[:2]:
            lab.start(name)
        state = lab.wait_for_end(timeout=180)
        lab.wait_for_exit(20.0)
        lab.settle()
        view = read_job(lab.wire.federation, lab.wire.store, lab.posted.job)
        books = conservation(lab.wire.federation, lab.posted.job)

        outcomes = [cycle.outcome for cycle in view.history.cycles]
        full = view.context.terms.full_round
        assert state.phase == Phase.COMPLETED
        assert [outcome.burnt for outcome in outcomes if isinstance(outcome, Failed)] == [full // 2, full // 2]
        assert [isinstance(outcome, Failed) for outcome in outcomes] == [True, True, False, False]
        assert int(books["burnt"]) == full, "the two burns took one of the three rounds"
        assert is_conserved(books)
        assert [len(round_.included) for round_ in view.rounds] == [4, 4], "nobody's retry is a duplicate"
        assert all(view.earned(trainer) > 0 for trainer in lab.trainers)
