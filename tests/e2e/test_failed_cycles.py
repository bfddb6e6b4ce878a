"""Cycles that fail: the same work counts when the round is tried again, and nobody else's claim to it does."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from federations import TRAINERS, Undisturbed, attendance, check_once, federation, finish, models, pay, verdicts
from hostile import cast

from hansa.devnet.anvil import published_key
from hansa.protocol.sheet import decode_sheet
from hansa.protocol.types import Code, Phase
from hansa.runtime.history.records import Failed, Finalized

ROUNDS = 4
SLEEPERS = ["validator-2", "validator-3"]
TIMES = {"score": 5, "submit": 20}


@pytest.mark.slow
def test_two_cycles_fail__then_one_is_good(tmp_path: Path, undisturbed: Undisturbed) -> None:
    """Two of three members are dead in round 2; the third tells a robber what trainer-1 sent."""
    with federation(
        tmp_path, trainers=5, rounds=ROUNDS, quorum=2, failures=4, times=TIMES, settings={"parties": 4}
    ) as lab:
        cast(lab, "trainer-1", "Latecomer")
        lab.workers["trainer-5"].arguments[0].fields["source"] = "0"
        accomplice = published_key(lab.names.index("validator-1"))
        cast(lab, "trainer-5", "Robber", victim=lab.address("trainer-1"), accomplice=accomplice)
        for name in SLEEPERS:
            cast(lab, name, "Sleeper", round=2, cycles=2)
        lab.start_all()
        deadline = time.monotonic() + 90
        while (state := lab.state()).round == 1 or (state.round == 2 and state.failures < 2):
            assert time.monotonic() < deadline and not state.phase.is_over
            time.sleep(0.05)
        for name in SLEEPERS:
            lab.start(name)
        view = finish(lab)
        check_once(lab)

        # two failures, each burns half a round: four rounds' escrow pays for three
        outcomes = [cycle.outcome for cycle in view.history.cycles]
        assert [type(outcome) for outcome in outcomes] == [Finalized, Failed, Failed, Finalized, Finalized]
        full_round = view.context.terms.full_round
        assert [(f.phase, f.burnt) for f in outcomes[1:3] if isinstance(f, Failed)] == [
            (Phase.SCORE, full_round // 2)
        ] * 2
        assert lab.state().phase == Phase.COMPLETED
        rounds = ROUNDS - 1

        # the same integers count, and those who copied them have a duplicate
        retried = view.history.cycles[3]
        assert [update.trainer for update in retried.updates][-1] == lab.address("trainer-1")
        for name in TRAINERS:
            assert verdicts(lab, view, name) == [Code.OK] * rounds, name
        assert verdicts(lab, view, "trainer-5") == [Code.ZERO, Code.DUPLICATE, Code.ZERO]
        robber = [update.trainer for update in retried.updates].index(lab.address("trainer-5"))
        for revealed in retried.sheets:
            assert decode_sheet(revealed.sheet, 5)[robber].code == Code.DUPLICATE

        # as if nothing had happened
        assert models(view) == undisturbed.models[:rounds]
        assert {name: pay(lab, view, name) for name in TRAINERS} == {
            name: paid[:rounds] for name, paid in undisturbed.pay.items()
        }
        assert sum(pay(lab, view, "trainer-5")) == 0
        assert all(sum(pay(lab, view, name)) > 0 for name in TRAINERS)
        assert attendance(lab, view, "validator-1") == (rounds, 0, 0)
        assert sum(attendance(lab, view, name)[0] for name in SLEEPERS) >= 2 * (rounds - 1)


@pytest.mark.slow
def test_trainers_that_are_told_to__stop_after_a_failed_cycle(tmp_path: Path) -> None:
    """They bear one failure; without them the job ends, and everybody leaves with what is theirs."""
    options = {"stop_after_failure": True}
    times = {"score": 5, "submit": 8}
    with federation(tmp_path, rounds=2, quorum=2, failures=2, times=times, trainer_options=options) as lab:
        for name in SLEEPERS:
            cast(lab, name, "Sleeper", round=1, cycles=1)
        lab.start_all()
        lab.wait_until(lambda: all(lab.workers[name].exit_code for name in TRAINERS), 60.0, "the trainers to stop")
        for name in TRAINERS:
            assert lab.workers[name].exit_code == 1
            assert "cycle 1 of job 1 failed with your update in" in lab.workers[name].last_words()
        view = finish(lab)
        assert lab.state().phase == Phase.ABORTED
        first, second = (cycle.outcome for cycle in view.history.cycles)
        assert isinstance(first, Failed) and isinstance(second, Failed)
        assert (first.phase, first.burnt) == (Phase.SCORE, view.context.terms.full_round // 2)
        assert (second.phase, second.burnt) == (Phase.SUBMIT, 0)
        books = lab.session.federation.books(lab.posted.job)
        assert (books.refunded, books.paid) == (books.escrowed - first.burnt, 0)
