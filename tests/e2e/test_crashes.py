"""SIGKILL, and the same daemon again: nothing is lost, nothing is said twice."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from federations import (
    TRAINERS,
    VALIDATORS,
    Observed,
    Undisturbed,
    attendance,
    check_once,
    federation,
    finish,
    models,
    pay,
    play_to_the_end,
    verdicts,
)
from hostile import cast

from hansa.protocol.types import Code

ROUNDS = 4


def check_as_if_nothing_had_happened(lab: Observed, undisturbed: Undisturbed) -> None:
    view = finish(lab)
    check_once(lab)
    assert [cycle.outcome for cycle in view.history.cycles if not hasattr(cycle.outcome, "model")] == []
    assert models(view) == undisturbed.models[:ROUNDS]
    assert {name: verdicts(lab, view, name) for name in TRAINERS} == dict.fromkeys(TRAINERS, [Code.OK] * ROUNDS)
    assert {name: attendance(lab, view, name) for name in VALIDATORS} == dict.fromkeys(VALIDATORS, (ROUNDS, 0, 0))
    assert {name: pay(lab, view, name) for name in TRAINERS} == undisturbed.pay
    assert all(sum(pay(lab, view, name)) > 0 for name in TRAINERS)


def test_killed_at_every_step__before_and_after_it_is_sent(tmp_path: Path, undisturbed: Undisturbed) -> None:
    deaths = {"trainer-1": tmp_path / "trainer", "validator-1": tmp_path / "validator"}
    for place in deaths.values():
        place.mkdir()
    with federation(tmp_path / "lab", rounds=ROUNDS) as lab:
        first = next(name for name in VALIDATORS if lab.address(name) == min(lab.validators, key=str.lower))
        deaths[first] = deaths.pop("validator-1")
        cast(lab, "trainer-1", "UnluckyTrainer", deaths=deaths["trainer-1"])
        cast(lab, first, "UnluckyValidator", deaths=deaths[first])
        play_to_the_end(lab, list(deaths))
        check_as_if_nothing_had_happened(lab, undisturbed)
    for who, steps in {
        "trainer-1": {"approve", "enrol", "submit", "claim", "bond"},
        first: {"announce", "commit", "reveal", "vote", "seat fees"},
    }.items():
        died = {place.name for place in deaths[who].iterdir()}
        assert died >= {f"{step} {moment}" for step in steps for moment in ("journalled", "sent")}
        assert died >= {"publish before", "publish after"}


@pytest.mark.slow
def test_killed_at_any_moment__each_in_turn(tmp_path: Path, undisturbed: Undisturbed) -> None:
    moments = random.Random(1)
    with federation(tmp_path, rounds=ROUNDS) as lab:
        lab.start_all()
        for name in moments.sample(sorted(lab.workers), len(lab.workers)):
            time.sleep(moments.uniform(0.0, 0.6))
            lab.kill(name)
            lab.start(name)
        check_as_if_nothing_had_happened(lab, undisturbed)
        assert {worker.starts for worker in lab.workers.values()} == {2}
