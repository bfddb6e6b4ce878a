"""What anyone may do in a job, and in whose turn."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from desks import ME, GivenJob, desk_of

from hansa.protocol.hashes import make_cycle
from hansa.protocol.types import Address, Phase
from hansa.runtime import keeper as keeper_module
from hansa.runtime.keeper import JobKeeper

BOB, CAROL = (Address("0x" + digit * 40) for digit in "bc")
CYCLE = make_cycle(bytes(32), 5, False)
CALLS = ("open_call", "fail_call", "rejoin_call")


def kept(path: Path, sent: list[str], *, last: int = 5, takes_part: bool = True) -> JobKeeper:
    """last: the counter of the last cycle that this account, a trainer, submitted to."""
    context = SimpleNamespace(terms=SimpleNamespace(open_time=60))
    follower = GivenJob(path, context=context)
    calls = {name: lambda *asked: None for name in CALLS}
    follower.federation = cast(Any, SimpleNamespace(trainer=lambda *asked: (True, last, 0), **calls))
    follower.head = cast(Any, SimpleNamespace(number=9, timestamp=100))
    return JobKeeper(desk_of(path, follower, lambda call, step, *key: sent.append(step)), lambda: takes_part)


def state(phase: Phase, *committee: Address, due: int = 7, voted: int = 0) -> Any:
    return SimpleNamespace(
        phase=phase,
        cycle=CYCLE,
        round=2,
        failures=0,
        deadline=0,
        committee=committee,
        due=due,
        voted=voted,
        rejoining=False,
    )


@pytest.mark.parametrize(("phase", "done"), [(Phase.OPEN, "open"), (Phase.LAPSED, "fail")])
def test_first_in_turn__does_it_at_once__the_others_wait(tmp_path: Path, phase: Phase, done: str) -> None:
    sent: list[str] = []
    kept(tmp_path / "a", sent).keep_moving(state(phase, ME, BOB, CAROL))
    assert sent == [done]
    kept(tmp_path / "b", sent).keep_moving(state(phase, BOB, ME, CAROL))
    assert sent == [done], "a member before this one is left some time"


def test_turn__of_who_voted_last__comes_first(tmp_path: Path) -> None:
    sent: list[str] = []
    kept(tmp_path, sent).keep_moving(state(Phase.LAPSED, BOB, ME, CAROL, voted=0b010))
    assert sent == ["fail"]


def test_member__neither_due_nor_heard__rejoins(tmp_path: Path) -> None:
    sent: list[str] = []
    keeper = kept(tmp_path, sent)
    keeper.keep_moving(state(Phase.SCORE, BOB, ME, CAROL, due=0b111))
    assert not sent
    keeper.keep_moving(state(Phase.SCORE, BOB, ME, CAROL, due=0b101))
    assert sent == ["rejoin"]


@pytest.mark.parametrize(("last", "sends"), [(5, []), (4, []), (3, ["rejoin"])])
def test_trainer__that_missed_a_cycle__rejoins(tmp_path: Path, last: int, sends: list[str]) -> None:
    sent: list[str] = []
    kept(tmp_path, sent, last=last).keep_moving(state(Phase.SUBMIT, BOB, CAROL))
    assert sent == sends


def test_trainer__that_would_not_act__makes_nobody_wait_for_it(tmp_path: Path) -> None:
    sent: list[str] = []
    kept(tmp_path, sent, last=3, takes_part=False).keep_moving(state(Phase.SUBMIT, BOB, CAROL))
    assert not sent


def test_open__in_the_second_in_which_it_began__waits__whatever_the_clock_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chain whose time runs an hour before this machine's, and that makes no block by itself."""
    sent: list[str] = []
    keeper = kept(tmp_path, sent)
    desk, since = keeper._desk, int(time.time()) + 3600
    desk.follower.head = cast(Any, SimpleNamespace(number=9, timestamp=since))
    found = state(Phase.OPEN, ME, BOB, CAROL)
    found.deadline = since + 60
    keeper.keep_moving(found)
    assert not sent
    assert desk.alarm.awaited == since + 1, "a node may simulate at its last block: a block is made then"
    assert desk.alarm.pause <= keeper_module.LATER_SECONDS
    monkeypatch.setattr(type(desk.turns), "waited", property(lambda turns: keeper_module.LATER_SECONDS))
    keeper.keep_moving(found)
    assert sent == ["open"]
