"""A job whose members open the sum of its updates, and no update."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from federations import SHORT, TRAINERS, check_logs, check_once, finish, play_to_the_end, verdicts
from hostile import cast
from masked_jobs import check_audit, check_last_model, masked

from hansa.protocol.types import Code

PROBING = {"slash": 20}  # seconds for the strike of the last round
LONG = {"submit": 120, "attest": 120, "release": 120, "score": 120}


def test_job__completes_with_the_plain_mean_and_anybody_can_audit_it(tmp_path: Path) -> None:
    with masked(tmp_path, rounds=3) as lab:
        lab.start_all()
        view = finish(lab)
        check_once(lab)
        check_logs(lab)
        assert len(view.finalised) == 3
        assert {name: verdicts(lab, view, name) for name in TRAINERS} == dict.fromkeys(TRAINERS, [Code.OK] * 3)
        check_last_model(lab, view, TRAINERS)
        check_audit(lab, 3, tmp_path / "job.hansa")
        for _, round_ in zip(view.finalised, view.rounds, strict=True):
            assert len({leaf.pay for leaf in round_.leaves}) == 1, "all who are in are paid alike"


def test_a_member_and_a_trainer_gone__the_others_complete(tmp_path: Path) -> None:
    times = {**SHORT, "attest": 8, "release": 8}
    with masked(tmp_path, rounds=2, times=times) as lab:
        cast(lab, "validator-4", "DyingValidator")
        lab.start_all()
        lab.wait_until(lambda: lab.session.federation.state(lab.posted.job).round > 1, 90, "round 2")
        lab.kill("trainer-4")
        view = finish(lab)
        check_once(lab)
        assert len(view.finalised) == 2
        check_last_model(lab, view, TRAINERS[:3])
        check_audit(lab, 2, tmp_path / "job.hansa")


def test_trainer_that_sends_garbage_every_time__is_struck_and_nobody_else(tmp_path: Path) -> None:
    with masked(tmp_path, rounds=2, times=PROBING) as lab:
        cast(lab, "trainer-2", "Garbler")
        lab.start_all()
        view = finish(lab, 180)
        check_once(lab)
        assert len(view.finalised) == 2
        honest = [name for name in TRAINERS if name != "trainer-2"]
        assert verdicts(lab, view, "trainer-2") == [Code.MALFORMED] * 2
        assert {name: verdicts(lab, view, name) for name in honest} == dict.fromkeys(honest, [Code.OK] * 2)
        assert [view.strikes(lab.address(name)) for name in TRAINERS] == [0, 2, 0, 0]
        check_last_model(lab, view, honest)
        check_audit(lab, 2, tmp_path / "job.hansa")


@pytest.mark.slow
def test_member_that_lies__is_found_and_the_sum_is_as_ever(tmp_path: Path) -> None:
    with masked(tmp_path, rounds=1) as lab:
        cast(lab, "validator-2", "LyingMember")
        lab.start_all()
        view = finish(lab)
        assert len(view.finalised) == 1
        check_last_model(lab, view, TRAINERS)
        report = check_audit(lab, 1, tmp_path / "job.hansa")
        liars = [name for name in report.noted if "lied" in name]
        assert [lab.address("validator-2") in name for name in liars] == [True], report.noted


@pytest.mark.slow
def test_member_that_dies_at_every_step__says_nothing_twice_and_the_sum_is_as_ever(tmp_path: Path) -> None:
    (deaths := tmp_path / "deaths").mkdir()
    with masked(tmp_path / "lab", rounds=1) as lab:
        cast(lab, "validator-1", "UnluckyValidator", deaths=deaths)
        play_to_the_end(lab, ["validator-1"], patience=240.0)
        view = finish(lab)
        check_once(lab)
        assert len(view.finalised) == 1
        check_last_model(lab, view, TRAINERS)
        check_audit(lab, 1, tmp_path / "job.hansa")
    died = {place.name for place in deaths.iterdir()}
    assert died >= {"attest journalled", "attest sent", "release journalled", "release sent", "publish before"}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("ipfs") is None, reason="needs Kubo: no ipfs on PATH")
def test_on_kubo_two_blocks_deep__everybody_has_a_node_and_the_sum_is_as_ever(tmp_path: Path) -> None:
    with masked(tmp_path, rounds=1, validators=3, store="kubo", times=LONG) as lab:
        for worker in lab.workers.values():
            fields = worker.arguments[0].fields
            fields["deployment"] = fields["deployment"].updated(confirmations=2)
        lab.start_all()
        view = finish(lab, 240)
        check_once(lab)
        assert len(view.finalised) == 1
        check_last_model(lab, view, TRAINERS)
        check_audit(lab, 1, tmp_path / "job.hansa")
