"""Some are dead: the job goes on without them, and with them again once they are back."""

from __future__ import annotations

from pathlib import Path

import pytest
from federations import (
    SHORT,
    TRAINERS,
    VALIDATORS,
    Undisturbed,
    attendance,
    check_once,
    events,
    federation,
    finish,
    look,
    models,
    pay,
    verdicts,
)
from hostile import cast

from hansa.protocol.types import Code

ROUNDS = 4


@pytest.mark.parametrize("idle", [pytest.param(False, marks=pytest.mark.slow), True], ids=["blocks come", "idle chain"])
def test_a_trainer_and_a_member_dead_from_round_2(tmp_path: Path, idle: bool, undisturbed: Undisturbed) -> None:
    with federation(tmp_path, rounds=ROUNDS, quorum=2, times=SHORT, idle_chain=idle) as lab:
        for name in TRAINERS:
            cast(lab, name, "DyingTrainer" if name == "trainer-4" else "Trainer", idle_seconds=1.0)
        for name in VALIDATORS:
            cast(lab, name, "DyingValidator" if name == "validator-3" else "Validator", idle_seconds=1.0)
        lab.start_all()
        view = finish(lab)
        check_once(lab)
        assert len(view.finalised) == ROUNDS
        for name in TRAINERS[:3]:
            assert verdicts(lab, view, name) == [Code.OK] * ROUNDS
        assert verdicts(lab, view, "trainer-4") == [Code.OK] + [None] * (ROUNDS - 1)
        assert pay(lab, view, "trainer-4") == [undisturbed.pay["trainer-4"][0]] + [0] * (ROUNDS - 1)
        assert sum(sum(pay(lab, view, name)[1:]) for name in TRAINERS[:3]) > 0
        assert [attendance(lab, view, name) for name in VALIDATORS[:2]] == [(ROUNDS, 0, 0)] * 2
        assert attendance(lab, view, "validator-3") == (1, 0, ROUNDS - 1)
        assert models(view)[0] == undisturbed.models[0]
        assert models(view)[1] != undisturbed.models[1]
        made = [event for name in lab.workers for event in events(lab, name) if event["event"].startswith("no block")]
        assert bool(made) == idle


@pytest.mark.slow
def test_dead_for_some_rounds__then_back__is_waited_for_again(tmp_path: Path) -> None:
    with federation(tmp_path, rounds=40, quorum=2, times=SHORT) as lab:
        cast(lab, "trainer-4", "DyingTrainer")
        cast(lab, "validator-3", "DyingValidator")
        lab.start_all()
        lab.wait_until(lambda: lab.state().round > 3, 120.0, "round 3")
        cast(lab, "trainer-4", "Trainer")
        cast(lab, "validator-3", "Validator")
        back = lab.state().round
        lab.start("trainer-4")
        lab.start("validator-3")

        def both_are_back() -> bool:
            view = look(lab)
            return verdicts(lab, view, "trainer-4")[-1] == Code.OK and attendance(lab, view, "validator-3")[0] > 1

        lab.wait_until(both_are_back, 60.0, "the two to take part again", every=0.1)
        with lab.sponsor() as signer:
            signer.do(lab.session.federation.stop_call(lab.posted.job))
        view = finish(lab)
        rounds = len(view.finalised)
        assert back <= rounds < 40
        there = [code == Code.OK for code in verdicts(lab, view, "trainer-4")]
        assert there == [True] + sorted(there[1:])
        assert not any(there[1:3]) and there[-1]
        matched, wrong, missed = attendance(lab, view, "validator-3")
        assert wrong == 0 and matched >= 2 and missed >= 2
        assert attendance(lab, view, "validator-1") == (rounds, 0, 0)
