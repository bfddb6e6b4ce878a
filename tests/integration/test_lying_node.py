"""What a node omits, invents, reorders or garbles is found, named, and asked for elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from liars import Edit, Liar, editing_logs
from worlds import World

from hansa.protocol.errors import ChainUnavailable, HistoryMismatch, TransientError, WrongChain
from hansa.protocol.types import JobId
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.federation import Federation
from hansa.runtime.history.reader import HistoryReader
from hansa.runtime.history.records import JobHistory

UNCOUNTED = {"Rejoined", "StopRequested"}  # nothing follows from them


def told(world: World, job: JobId, edit: Edit, *, honest: bool = False) -> JobHistory:
    """The history as somebody reads it whose (first) endpoint lies."""
    chain = Chain([world.anvil.url] * (2 if honest else 1), world.chain.chain_id, first_block=world.chain.first_block)
    chain.rpc.endpoints[0] = Liar(world.anvil.url, edit)
    return HistoryReader(Federation(chain, world.deployment), job).read()


def played(world: World) -> JobId:
    """A failed cycle, a finalised round, and a cycle under way."""
    job = world.post()
    world.enrol(job)
    world.do("sponsor", world.federation.open_call(job))
    world.submit(job, "alice")
    world.pass_time(601)
    world.do("sponsor", world.federation.fail_call(job, world.federation.state(job).cycle))
    world.round(job)
    world.do("sponsor", world.federation.open_call(job))
    world.submit(job)
    world.score(job)
    return job


def name_of(entry: dict[str, Any]) -> str:
    return artifact("Federation").events[bytes.fromhex(entry["topics"][0][2:])].name


def test_every_event_that_is_omitted_is_missed(world: World) -> None:
    job = played(world)
    entries: list[Any] = []
    told(world, job, editing_logs(lambda found: entries.extend(found) or found))
    assert len(entries) > 30
    for place, entry in enumerate(entries):
        if name_of(entry) not in UNCOUNTED:
            with pytest.raises(HistoryMismatch):
                told(world, job, editing_logs(lambda found, place=place: found[:place] + found[place + 1 :]))


def test_every_event_that_comes_twice_is_noticed(world: World) -> None:
    job = played(world)
    entries: list[Any] = []
    told(world, job, editing_logs(lambda found: entries.extend(found) or found))
    for place in range(len(entries)):
        with pytest.raises(HistoryMismatch):
            told(world, job, editing_logs(lambda found, place=place: found[:place] + [found[place]] + found[place:]))


@pytest.mark.parametrize("event", ["UpdateSubmitted", "ScoresRevealed"])
def test_two_events_that_change_places_are_noticed(world: World, event: str) -> None:
    job = played(world)

    def swapped(found: list[Any]) -> list[Any]:
        places = [place for place, entry in enumerate(found) if name_of(entry) == event][-2:]
        for key in ("data", "topics"):
            found[places[0]][key], found[places[1]][key] = found[places[1]][key], found[places[0]][key]
        return found

    with pytest.raises(HistoryMismatch, match="order"):
        told(world, job, editing_logs(swapped))


def test_a_changed_byte_is_noticed_in_every_event(world: World) -> None:
    job = played(world)
    entries: list[Any] = []
    told(world, job, editing_logs(lambda found: entries.extend(found) or found))
    for place, entry in enumerate(entries):
        if name_of(entry) in {*UNCOUNTED, "TrainerEnrolled", "CycleFailed", "ScoresCommitted", "ResultVoted"}:
            continue  # a bond, a burn, and what a running cycle has committed to have no accumulator

        def changed(found: list[Any], place: int = place) -> list[Any]:
            data = bytearray.fromhex(found[place]["data"][2:])
            data[31] ^= 1
            found[place]["data"] = "0x" + data.hex()
            return found

        if name_of(entry) != "JobPosted":
            with pytest.raises(TransientError):
                told(world, job, editing_logs(changed))
                pytest.fail(f"a changed {name_of(entry)} was believed")


def test_the_message_names_cycle_and_what_is_missing(world: World) -> None:
    job = played(world)

    def without_last(found: list[Any]) -> list[Any]:
        place = max(i for i, entry in enumerate(found) if name_of(entry) == "UpdateSubmitted")
        return found[:place] + found[place + 1 :]

    with pytest.raises(HistoryMismatch, match="cycle 3: 2 updates don't fit the sheet of seat 0"):
        told(world, job, editing_logs(without_last))


def test_an_honest_endpoint_beside_the_liar_is_enough(world: World) -> None:
    job = played(world)
    assert told(world, job, editing_logs(lambda found: found[:-1]), honest=True) == world.history(job)


NONSENSE: list[Any] = [None, 7, "0x", "zz", "0x" + "ff" * 40, [], {}, [[]], [{"topics": 3}], {"number": "0x1"}, True]


@pytest.mark.parametrize("method", ["eth_getLogs", "eth_getBlockByNumber", "eth_call", "eth_chainId"])
@pytest.mark.parametrize("nonsense", NONSENSE, ids=repr)
def test_nonsense_is_a_clear_error(world_once: tuple[World, JobId], method: str, nonsense: Any) -> None:
    world, job = world_once
    with pytest.raises((TransientError, WrongChain)) as caught:
        told(world, job, lambda asked, params, answer: nonsense if asked == method else answer)
        if method == "eth_getLogs" and nonsense == []:
            pytest.fail("an empty list of events was believed")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600


def test_events_of_another_contract_are_nonsense(world: World) -> None:
    job = played(world)

    def foreign(found: list[Any]) -> list[Any]:
        found[-1]["address"] = world.deployment.vault
        return found

    with pytest.raises(ChainUnavailable, match="makes no sense"):
        told(world, job, editing_logs(foreign))


def test_a_node_that_limits_ranges_is_asked_page_by_page(world: World) -> None:
    job = played(world)
    asked: list[int] = []

    def limited(method: str, params: Any, answer: Any) -> Any:
        from hansa.runtime.chain.rpc import NodeError

        if method != "eth_getLogs":
            return answer
        span = int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) + 1
        asked.append(span)
        return NodeError(method, -32005, "query returned more than 10 results") if span > 10 else answer

    assert told(world, job, limited) == world.history(job)
    assert max(asked[5:]) <= 10
