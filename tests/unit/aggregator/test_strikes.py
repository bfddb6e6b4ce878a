"""Strikes: each round is looked at once, and what is open is neither forgotten nor worked out again."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from desks import GivenJob, desk_of

from aggregator.strikes import StrikeSettler
from hansa.protocol.ledger import Ledger
from hansa.protocol.merkle import RewardsTree
from hansa.protocol.sheet import Entry, encode_sheet
from hansa.protocol.types import Address, Code, Digest, Phase, Round
from hansa.runtime.desk import KEPT_LEDGERS
from hansa.runtime.history.records import Finalized
from hansa.runtime.replay import Replay
from hansa.runtime.transactions.sender import Mined

TRAINERS = [Address("0x" + digit * 40) for digit in "abc"]
MEMBER = Address("0x" + "9" * 40)
WEIGHTS = dict.fromkeys(TRAINERS, 1)
CONTEXT: Any = SimpleNamespace(
    terms=SimpleNamespace(reward_per_round=1000, seats=1, slash_time=86_400),
    spec=SimpleNamespace(rule="mean"),
    weights=lambda enrolled: WEIGHTS,
)


class Struck(GivenJob):
    """A job of so many finalised rounds; in `strikes` the first trainer is struck. turn: whether it is the member's."""

    turn = True

    def __init__(self, path: Path, rounds: int, strikes: tuple[int, ...] = ()) -> None:
        super().__init__(path, context=CONTEXT)
        self.claims = list[tuple[Address, int]]()
        federation: Any = self.federation
        federation.claimed = lambda job, trainer, round_: (trainer, round_) in self.claims
        federation.claim_call = lambda job, trainer, claims: (trainer, claims[0][0])
        self.state = cast(Any, SimpleNamespace(phase=Phase.SUBMIT, committee=(MEMBER,)))
        self.have(rounds, strikes)

    def have(self, rounds: int, strikes: tuple[int, ...], branch: int = 0) -> None:
        self.cycles = [self._cycle(number, number in strikes, branch) for number in range(1, rounds + 1)]
        ledgers = Replay(CONTEXT, WEIGHTS).follow(self.history())
        for cycle, ledger in zip(self.cycles, ledgers, strict=True):
            object.__setattr__(cycle.outcome, "rewards", RewardsTree(ledger.leaves).root)

    @staticmethod
    def _cycle(number: int, is_struck: bool, branch: int) -> Any:
        entries = [Entry(Code.OK, 10 + number, 5)] * len(TRAINERS)
        if is_struck:
            entries[0] = Entry(Code.MALFORMED)
        result = bytes([branch, number])
        return SimpleNamespace(
            outcome=Finalized(Round(number), Digest(bytes(32)), b"", 0, 1, result, *cast(Any, (9, number))),
            updates=[SimpleNamespace(trainer=trainer) for trainer in TRAINERS],
            committee=(MEMBER,),
            sheets=[SimpleNamespace(seat=0, sheet=encode_sheet(entries))],
        )


def settler(path: Path, job: Struck) -> StrikeSettler:
    def send(call: Any, *key: Any) -> Any:
        job.claims.append(call)
        return Mined.__new__(Mined)

    job.keep_ledgers = KEPT_LEDGERS
    desk = desk_of(path, job, send=send)
    desk.turns = cast(Any, SimpleNamespace(has_come=lambda place, within: job.turn))
    return StrikeSettler(desk)


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """An item for each round that was worked out."""
    found, work = list[int](), Ledger.round

    def counted(self: Ledger, *arguments: Any) -> Any:
        found.append(1)
        return work(self, *arguments)

    monkeypatch.setattr(Ledger, "round", counted)
    return found


def test_strike__that_waits_for_another_s_turn__is_not_worked_out_at_each_look(
    tmp_path: Path, worked_out: list[int]
) -> None:
    job = Struck(tmp_path, rounds=50, strikes=(1, 30))
    strikes, job.turn = settler(tmp_path, job), False
    worked_out.clear()
    assert not strikes.settle(job.state)
    first = len(worked_out)
    assert not any(strikes.settle(job.state) for _ in range(10))
    assert len(worked_out) == first <= 100
    job.have(51, (1, 30))
    worked_out.clear()
    assert not strikes.settle(job.state) and len(worked_out) <= 1, "the new round alone"
    job.turn = True
    assert strikes.settle(job.state) and job.claims == [(TRAINERS[0], 1), (TRAINERS[0], 30)]
    assert strikes.settle(job.state) and len(job.claims) == 2


def test_strike__in_a_round_that_the_chain_put_in_the_place_of_another__is_claimed(tmp_path: Path) -> None:
    job = Struck(tmp_path, rounds=6)
    strikes, job.turn = settler(tmp_path, job), True
    assert strikes.settle(job.state) and not job.claims
    job.have(5, (5,), branch=1)
    assert strikes.settle(job.state) and job.claims == [(TRAINERS[0], 5)]


def test_strike__in_a_round_that_the_chain_dropped__is_not_claimed(tmp_path: Path) -> None:
    job = Struck(tmp_path, rounds=6, strikes=(6,))
    strikes, job.turn = settler(tmp_path, job), False
    assert not strikes.settle(job.state)
    job.have(5, ())
    assert strikes.settle(job.state)
    job.have(6, (), branch=2)
    job.turn = True
    assert strikes.settle(job.state) and not job.claims


def test_ledgers__at_a_job_s_end__are_worked_out_once(tmp_path: Path, worked_out: list[int]) -> None:
    job = Struck(tmp_path, rounds=50)
    job.keep_ledgers = KEPT_LEDGERS
    job.state = cast(Any, SimpleNamespace(phase=Phase.COMPLETED))
    worked_out.clear()
    assert len(job.ledgers()) == 50 == len(worked_out)
