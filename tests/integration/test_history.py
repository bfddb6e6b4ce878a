"""Histories read from a real chain."""

from __future__ import annotations

from typing import Any

import pytest
from worlds import World

from hansa.protocol.errors import FatalError
from hansa.protocol.types import Digest, JobId, Phase
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


def test_history__of_attestations_and_releases__agrees_at_every_step(world: World) -> None:
    job = world.post(attest_time=600, release_time=600, threshold=2)
    reader = HistoryReader(world.federation, job)
    world.enrol(job)
    world.do("sponsor", world.federation.open_call(job))
    world.submit(job)
    state = world.federation.state(job)
    assert reader.read().cycles[0].updates_acc == state.updates
    seats = world.seats(job)
    bits = {seat: bytes([seat + 1]) for seat, _ in seats}
    files = {seat: Digest(bytes([seat + 1]) * 32) for seat, _ in seats}
    for seat, name in seats:
        world.do(name, world.federation.attest_call(job, state.cycle, seat, bits[seat]))
        assert reader.read().cycles[0].attests[seat] == bits[seat]
    for seat, name in seats:
        world.do(name, world.federation.release_call(job, state.cycle, seat, files[seat]))
        assert reader.read().cycles[0].releases[seat] == files[seat]
    assert (reader.read().cycles[0].attests, reader.read().cycles[0].releases) == (bits, files)
    assert world.federation.state(job).phase == Phase.SCORE
    world.score(job)
    world.decide(job)
    assert reader.read() == world.history(job)
    assert isinstance(reader.read().cycles[0].outcome, Finalized)


def test_history__of_a_release_that_lapsed__says_so(world: World) -> None:
    job = world.post(release_time=600, threshold=2)
    world.enrol(job)
    world.do("sponsor", world.federation.open_call(job))
    world.submit(job)
    state, (seat, name) = world.federation.state(job), world.seats(job)[0]
    assert state.phase == Phase.RELEASE, "ATTEST is skipped"
    world.do(name, world.federation.release_call(job, state.cycle, seat, Digest(bytes(32))))
    world.pass_time(601)
    world.do("alice", world.federation.fail_call(job, state.cycle))
    [cycle] = world.history(job).cycles
    assert isinstance(cycle.outcome, Failed) and cycle.outcome.phase == Phase.RELEASE and cycle.outcome.burnt > 0
    assert cycle.releases == {seat: bytes(32)}


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


def test_history__with_the_state_of_a_newer_block__asks_for_the_block_s_own_and_keeps_the_events(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = world.post()
    reader = HistoryReader(world.federation, job)
    world.enrol(job)
    world.do("sponsor", world.federation.open_call(job))
    reader.read()
    world.submit(job, "alice")
    head, own = world.chain.head(), world.federation.state(job)
    world.submit(job, "bob")
    newer = world.federation.state(job)
    starts, logs = list[int](), world.chain.logs

    def counted(where: Any, topics: Any, start: int, at: Any) -> Any:
        starts.append(start)
        return logs(where, topics, start, at)

    monkeypatch.setattr(world.chain, "logs", counted)
    assert len(reader.read(head, newer).cycles[0].updates) == 1 and reader.state == own
    assert min(starts) > world.chain.first_block, "nothing is read twice"
    assert len(reader.read().cycles[0].updates) == 2 and min(starts) > world.chain.first_block


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
