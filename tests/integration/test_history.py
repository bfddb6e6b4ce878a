"""Histories read from a real chain."""

from __future__ import annotations

import time

from worlds import World

from protocol.chain.history import Failed, Finalized, History
from protocol.types import Phase


def test_history__whole_job__agrees_at_every_step(world: World) -> None:
    job = world.post()
    reader = History(world.federation, job)
    assert reader.read().posted.terms == world.federation.terms(job)
    world.enrol(job)
    for _ in range(3):
        world.round(job)
        assert reader.read() == world.history(job)
    history = reader.read()
    assert [cycle.round for cycle in history.cycles] == [1, 2, 3]
    assert all(isinstance(cycle.outcome, Finalized) for cycle in history.cycles)
    assert history.ended == Phase.COMPLETED
    started = time.perf_counter()
    for _ in range(20):
        world.history(job)
    print("whole history", (time.perf_counter() - started) / 20)
    started = time.perf_counter()
    for _ in range(20):
        reader.read()
    print("next history", (time.perf_counter() - started) / 20)
    started = time.perf_counter()
    for _ in range(20):
        world.federation.state(job)
    print("state", (time.perf_counter() - started) / 20)


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
