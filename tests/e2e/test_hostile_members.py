"""Hostile members and a lying store: the honest quorum's result stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from federations import (
    TRAINERS,
    VALIDATORS,
    Undisturbed,
    attendance,
    balance,
    check_logs,
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

from hansa.protocol.sheet import decode_sheet
from hansa.protocol.types import Code, Phase

ROUNDS = 3


def test_one_votes_a_wrong_result__another_reveals_nonsense(tmp_path: Path, undisturbed: Undisturbed) -> None:
    with federation(tmp_path, rounds=ROUNDS, quorum=2) as lab:
        cast(lab, "validator-1", "Liar")
        cast(lab, "validator-2", "Raver")
        lab.start_all()
        view = finish(lab)
        check_once(lab)
        check_logs(lab)
        assert attendance(lab, view, "validator-1") == (0, ROUNDS, 0)
        assert attendance(lab, view, "validator-2") == (ROUNDS, 0, 0)
        assert attendance(lab, view, "validator-3") == (ROUNDS, 0, 0)
        assert models(view) == undisturbed.models[:ROUNDS]
        assert {name: verdicts(lab, view, name) for name in TRAINERS} == dict.fromkeys(TRAINERS, [Code.OK] * ROUNDS)
        assert view.misvoted() == []
        reward = view.context.terms.reward_per_round
        for number, (cycle, _) in enumerate(view.finalised):
            seat = cycle.committee.index(lab.address("validator-2"))
            (raved,) = (revealed.sheet for revealed in cycle.sheets if revealed.seat == seat)
            assert raved[0] == 200 and decode_sheet(raved, 4)[0].code == Code.UNREACHABLE
            assert decode_sheet(raved, 4)[1].gain == 2**40
            assert reward - 4 <= sum(pay(lab, view, name)[number] for name in TRAINERS) <= reward
            judgements = view.rounds[number].judgements
            assert all(abs(judgement.gain) < 10**9 for judgement in judgements), "the median is an honest number"


@pytest.mark.slow
def test_store_that_changes_a_byte__is_asked_again(tmp_path: Path, undisturbed: Undisturbed) -> None:
    with federation(tmp_path, rounds=ROUNDS) as lab:
        cast(lab, "validator-1", "HasALyingStore")
        lab.start_all()
        view = finish(lab)
        check_once(lab)
        check_logs(lab)
        assert {name: attendance(lab, view, name) for name in VALIDATORS} == dict.fromkeys(VALIDATORS, (ROUNDS, 0, 0))
        assert models(view) == undisturbed.models[:ROUNDS]
        assert {name: pay(lab, view, name) for name in TRAINERS} == {
            name: paid[:ROUNDS] for name, paid in undisturbed.pay.items()
        }
        lies = (lab.workspace.dir / "lies").read_text().split()
        assert len(lies) == 2 * len(set(lies)) > 2 * len(TRAINERS), "of the model and of each update, twice"


@pytest.mark.slow
def test_a_quorum_votes_a_model_that_is_none__everybody_stays_to_the_end_and_claims(tmp_path: Path) -> None:
    with federation(tmp_path, rounds=ROUNDS, failures=1, times={"submit": 8, "open": 20}) as lab:
        for name in VALIDATORS:
            cast(lab, name, "Spoiler")
        lab.start_all()
        lab.wait_for_end(120.0)
        left = lab.wait_for_exit(60.0)
        assert not left, f"{left} have not ended"
        view = look(lab)
        assert view.state.phase == Phase.ABORTED and len(view.finalised) == 2, "the rounds before stay paid"
        for name in TRAINERS:
            assert lab.session.federation.bond(lab.posted.job, lab.address(name)) == 0
            assert balance(lab, name) == lab.before[name] + sum(pay(lab, view, name)) > lab.before[name]
            assert "sits this round out, and claims at the job's end" in [e["event"] for e in events(lab, name)]
        fee = view.context.terms.fee_per_seat
        assert [balance(lab, name) - lab.before[name] for name in VALIDATORS] == [2 * fee] * 3
