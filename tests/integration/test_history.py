"""Histories read from a real chain."""

from __future__ import annotations

import pytest
from worlds import World

from hansa.protocol.errors import FatalError
from hansa.protocol.types import JobId, Phase
from hansa.runtime.history.reader import HistoryReader
from hansa.runtime.history.records import Failed, Finalized


def test_history__whole_job__agrees_at_every_step(world: World) -> None:
    job = world.post()
    reader = HistoryReader(world.federation, job)
    assert reader.read().posted.terms == world.federation.terms(job)
    world.enrol(job)
    for _ in range(3):
        world.round(job)
        assert reader.read() == world.history(job)
    history = reader.read()
    assert [cycle.round for cycle in history.cycles] == [1, 2, 3]
    assert all(isinstance(cycle.outcome, Finalized) for cycle in history.cycles)
    assert history.ended == Phase.COMPLETED


def test_history__failed_cycles_and_lapsed_open__are_told_apart(world: World) -> None:
    job = world.post()
    world.enrol(job)
    world.pass_time(601)
    world.do("alice", world.federation.fail_call(job, world.federation.state(job).cycle))
    world.do("alice", world.federation.open_call(job))
    world.submit(job)
    world.pass_time(601)
    world.do("alice", world.federation.fail_call(job, world.federation.state(job).cycle))
    world.round(job)
    history = world.history(job)
    assert [before for before, _ in history.lapses] == [0]
    assert [type(cycle.outcome) for cycle in history.cycles] == [Failed, Finalized]
    assert isinstance(history.cycles[0].outcome, Failed) and history.cycles[0].outcome.phase == Phase.SCORE


def test_history__reorganised__is_read_afresh(world: World) -> None:
    job = world.post()
    reader = HistoryReader(world.federation, job)
    world.enrol(job)
    world.do("sponsor", world.federation.open_call(job))
    world.submit(job, "alice", "bob")
    assert len(reader.read().cycles[0].updates) == 2
    world.rpc("anvil_reorg", 2, [])
    assert reader.read() == world.history(job)
    assert world.federation.state(job).submitted < 2
    for name in ("alice", "bob"):
        world.senders[name].poke()
    assert len(reader.read().cycles[0].updates) == 2


def test_history__at_an_earlier_block(world: World) -> None:
    job = world.post()
    reader = HistoryReader(world.federation, job)
    world.enrol(job)
    before = world.chain.head()
    world.round(job)
    assert len(reader.read().cycles) == 1
    assert reader.read(before).cycles == ()
    assert len(reader.read().cycles) == 1


def test_history__no_such_job__is_said(world: World) -> None:
    with pytest.raises(FatalError, match="there is no job 7"):
        world.history(JobId(7))
