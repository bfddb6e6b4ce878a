"""One seed, one sequence of models: whatever the order of starting, and however many threads torch has."""

from __future__ import annotations

from pathlib import Path

from federations import (
    TRAINERS,
    VALIDATORS,
    Undisturbed,
    attendance,
    check_logs,
    check_once,
    federation,
    finish,
    models,
    verdicts,
)

from hansa.protocol.types import Code

ROUNDS = 3


def test_same_seed__any_start_order_and_threads__gives_the_same_models(
    tmp_path: Path, undisturbed: Undisturbed
) -> None:
    with federation(tmp_path, rounds=ROUNDS, shuffle=1, validator_threads=(1, 2), times={"slash": 2}) as lab:
        lab.start_all()
        view = finish(lab)
        check_once(lab)
        check_logs(lab)
        assert {name: verdicts(lab, view, name) for name in TRAINERS} == dict.fromkeys(TRAINERS, [Code.OK] * ROUNDS)
        assert {name: attendance(lab, view, name) for name in VALIDATORS} == dict.fromkeys(VALIDATORS, (ROUNDS, 0, 0))
        assert models(view) == undisturbed.models[:ROUNDS]
        assert len(set(models(view))) == ROUNDS
