"""A trainer whose privacy budget ends before its job does, killed on the way, and again in another job."""

from __future__ import annotations

from pathlib import Path

import pytest
from federations import federation, finish, look

from client.privacy.accountant import epsilon_of
from client.privacy.budget import PrivacySettings
from client.privacy.ledger import NAME, PrivacyLedger
from client.privacy.rows import row_digests
from hansa.protocol.types import Phase
from hansa.tasks import load_task

ROUNDS, OF_BUDGET = 3, 2
TIMES = {"submit": 60}  # for a daemon that starts again twice
LAST = "no further update of these rows is given away: the privacy budget is at its end"


def spent(file: Path) -> float:
    with PrivacyLedger(file) as ledger:
        return ledger.spent(row_digests(load_task("heart", {"parties": 4}, 0).load("0"))).row


def test_budget__ends_the_trainer_at_its_round_after_kills_and_in_a_new_job_too(tmp_path: Path) -> None:
    file = tmp_path / "first" / NAME
    with federation(tmp_path / "first", rounds=ROUNDS, times=TIMES) as lab:
        budget = PrivacySettings(file, 2.0, rounds=OF_BUDGET)
        lab.workers["trainer-1"].arguments[0].fields["privacy"] = budget
        lab.start_all()
        lab.wait_until(lambda: lab.state().round == 2 and lab.state().phase == Phase.SUBMIT, 60.0, "round 2")
        for _ in range(2):
            lab.kill("trainer-1")
            lab.start("trainer-1")
        lab.wait_until(lambda: lab.workers["trainer-1"].exit_code == 1, 120.0, "the budget to end")
        assert LAST in lab.workers["trainer-1"].last_words()
        assert 1.99 < epsilon_of(spent(file), 1e-5) <= 2.0, "each round is charged once"
        lab.wait_for_end(120.0)
        lab.start("trainer-1")  # takes out what it earned
        view = finish(lab)
        cycles = [cycle for cycle in view.history.cycles if cycle.has_update_of(lab.address("trainer-1"))]
        assert {cycle.round for cycle in cycles} == {1, 2}
        assert look(lab).earned(lab.address("trainer-1")) > 0

    used = spent(file)
    with federation(tmp_path / "second", rounds=1) as lab:
        lab.workers["trainer-1"].arguments[0].fields["privacy"] = PrivacySettings(file, 2.0)
        lab.start("trainer-1")
        lab.wait_until(lambda: lab.workers["trainer-1"].exit_code == 1, 60.0, "the trainer to refuse")
        words = lab.workers["trainer-1"].last_words()
        assert LAST in words and "ε 2 of 2 is spent (δ 1e-05, unit row)" in words
        enrolled = lab.session.federation.trainer(lab.posted.job, lab.address("trainer-1")).enrolled
        assert not enrolled, "before a bond is paid"
    assert spent(file) == pytest.approx(used)
