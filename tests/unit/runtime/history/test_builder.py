"""Histories from events alone, and what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, replace
from typing import Any

import pytest
from eth_abi.abi import encode
from job_script import ALICE, BOB, CHAIN, ERIN, FEDERATION, FRANK, JOB, KEYS, Script, terms

from hansa.protocol.types import CycleId, Phase, Round, Wei
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.client import Log
from hansa.runtime.chain.structs import JobState
from hansa.runtime.history.builder import HistoryBuilder, HistoryError
from hansa.runtime.history.records import Failed, Finalized


def fold(logs: list[Log]) -> HistoryBuilder:
    found = HistoryBuilder(CHAIN, FEDERATION, JOB)
    for log in logs:
        found.apply(log)
    return found


def whole_job() -> Script:
    script = Script().enrol(ALICE, BOB).open().submit(ALICE, BOB).score(0, 2, 1).decide(0, 1, 2, wrong=1)
    script.fail(Phase.OPEN).open().submit(BOB).fail(Phase.SCORE)
    return script.open().submit(BOB, ALICE).score(1, 2).decide(1, 2).end()


def test_whole_job() -> None:
    script = whole_job()
    found = fold(script.logs)
    found.agrees(script.state)
    history = found.history
    assert history.posted.terms == terms() and history.posted.escrow == Wei(1000)
    assert [entry.trainer for entry in history.enrolled] == [ALICE, BOB]
    assert [type(cycle.outcome) for cycle in history.cycles] == [Finalized, Failed, Finalized]
    assert [cycle.round for cycle in history.cycles] == [1, 2, 2]
    assert [before for before, _ in history.lapses] == [1]
    first = history.cycles[0]
    assert [entry.trainer for entry in first.updates] == [ALICE, BOB]
    assert [entry.seat for entry in first.sheets] == [0, 2, 1]
    assert isinstance(first.outcome, Finalized) and first.outcome.matched == 0b101 and first.outcome.metric == 0
    assert history.ended == Phase.COMPLETED


def test_every_prefix__agrees_with_its_own_state_only() -> None:
    script = Script().enrol(ALICE, BOB).open().submit(ALICE)
    early = script.state
    fold(script.logs).agrees(early)
    script.submit(BOB)
    with pytest.raises(HistoryError, match="events of 2 of its 1 update"):
        fold(script.logs).agrees(early)
    with pytest.raises(HistoryError, match="events of 1 of its 2 updates"):
        fold(script.logs[:-1]).agrees(script.state)


def test_records_that_were_given_out__never_change() -> None:
    script = Script().enrol(ALICE, BOB).open().submit(ALICE)
    found = fold(script.logs)
    before = found.history
    script.submit(BOB)
    found.apply(script.logs[-1])
    assert len(before.cycles[0].updates) == 1 and len(found.history.cycles[0].updates) == 2


@pytest.mark.parametrize("place", range(len(whole_job().logs)))
def test_one_event_omitted(place: int) -> None:
    script = whole_job()
    with pytest.raises(HistoryError):
        fold(script.logs[:place] + script.logs[place + 1 :]).agrees(script.state)


@pytest.mark.parametrize("place", range(len(whole_job().logs)))
def test_one_event_twice(place: int) -> None:
    script = whole_job()
    with pytest.raises(HistoryError):
        fold(script.logs[: place + 1] + script.logs[place:]).agrees(script.state)


def _events(name: str, logs: list[Log]) -> list[int]:
    topic = artifact("Federation").event(name).topic
    return [place for place, log in enumerate(logs) if log.topics[0] == topic]


SAYS: list[tuple[str, int, str]] = [
    ("JobPosted", 0, "its posting is missing"),
    ("TrainerEnrolled", 1, "the enrolment of 0x3333"),
    ("CycleOpened", 1, "cycle 2 is not open where it has events"),
    ("UpdateSubmitted", 0, "cycle 1: 1 update doesn't fit the sheet of seat 0"),
    ("ScoresCommitted", 1, "cycle 1: the commitment of seat 2 is missing"),
    ("ScoresRevealed", 2, "cycle 1: its updates, sheets and result don't have the hash that was voted"),
    ("ResultVoted", 0, "cycle 1: votes are missing or invented"),
    ("RoundFinalized", 0, "the outcome of cycle 1 is missing"),
    ("CycleFailed", 1, "the outcome of cycle 2 is missing"),
    ("JobEnded", 0, "its end is missing"),
]


@pytest.mark.parametrize(("event", "which", "says"), SAYS, ids=[entry[0] for entry in SAYS])
def test_omission__is_named(event: str, which: int, says: str) -> None:
    script = whole_job()
    place = _events(event, script.logs)[which]
    with pytest.raises(HistoryError, match=says):
        fold(script.logs[:place] + script.logs[place + 1 :]).agrees(script.state)


STATES: list[tuple[Callable[[JobState], JobState], str]] = [
    (lambda state: replace(state, enrolled=3), "events of 2 enrolments, and the contract counts 3"),
    (lambda state: replace(state, round=Round(4)), "events of 2 finalised rounds, and the contract counts 3"),
    (lambda state: replace(state, history=b"\x01" * 32), "a cycle's opening or end, or a vote, is missing or changed"),
    (lambda state: replace(state, due=1), "cycle 3 waits for other seats"),
    (lambda state: replace(state, failures=1), "failures in a row"),
    (lambda state: replace(state, phase=Phase.OPEN), "its end is invented"),
    (lambda state: replace(state, cycle=CycleId(state.cycle ^ 1)), "cycle 3 is not the one"),
    (lambda state: replace(state, committed=7), "cycle 3: ScoresCommitted of seat 0 is missing or invented"),
    (lambda state: replace(state, voted=2), "cycle 3: ResultVoted of seat 2 is missing or invented"),
    (lambda state: replace(state, updates=5), "cycle 3: an update's event is changed, or they are in another order"),
    (
        lambda state: replace(state, sheets=bytes(32)),
        "cycle 3: an attestation, a release or a sheet is changed, or they are in another order",
    ),
]


@pytest.mark.parametrize(("changed", "says"), STATES, ids=[entry[1][:40] for entry in STATES])
def test_state_that_the_events_do_not_lead_to(changed: Callable[[JobState], JobState], says: str) -> None:
    script = whole_job()
    with pytest.raises(HistoryError, match=says):
        fold(script.logs).agrees(changed(script.state))


def test_another_chain_or_federation__nothing_fits() -> None:
    script = whole_job()
    for chain, federation in ((1, FEDERATION), (CHAIN, ALICE)):
        other = HistoryBuilder(chain, federation, JOB)
        with pytest.raises(HistoryError, match="the seed of cycle 1"):
            for log in script.logs:
                other.apply(log)


CHANGES: list[tuple[str, int, dict[str, Any]]] = [
    ("CycleOpened", 0, {"randomness": bytes(32)}),
    ("CycleOpened", 1, {"keys": [KEYS[0], KEYS[1], b"\x09" * 32]}),
    ("CycleOpened", 2, {"keys": KEYS[:2]}),
    ("CycleOpened", 0, {"committee": [ALICE, ERIN, FRANK]}),
    ("CycleOpened", 2, {"seed": bytes(32)}),
    ("ResultVoted", 1, {"sealedVote": 2}),
    ("ResultVoted", 1, {"metric": 11}),
    ("RoundFinalized", 0, {"time": 1}),
    ("CycleFailed", 0, {"time": 1}),
    ("CycleFailed", 1, {"time": 1}),
    ("CycleFailed", 1, {"burnt": 4}),
    ("CycleFailed", 1, {"phase": Phase.REVEAL}),
    ("JobPosted", 0, {"escrow": 999}),
]


@pytest.mark.parametrize(("name", "which", "change"), CHANGES, ids=lambda value: str(value)[:30])
def test_changed_event__does_not_fit(name: str, which: int, change: dict[str, Any]) -> None:
    """What nothing but `history` binds is bound: keys, randomness, a vote that did not match, times, burns."""
    script = whole_job()
    place = _events(name, script.logs)[which]
    log, event = script.logs[place], artifact("Federation").event(name)
    values = {**event.decode(log.topics, log.data), **change}
    plain = [field for field in event.fields if not field.indexed]
    data = encode([field.type for field in plain], [values[field.name] for field in plain])
    with pytest.raises(HistoryError):
        fold([*script.logs[:place], replace(log, data=data), *script.logs[place + 1 :]]).agrees(script.state)


def test_other_terms__that_hold_together__are_not_those_of_the_seed() -> None:
    """A node that invents a job's terms, with their hash, has to invent every seed as well."""
    script = whole_job()
    log, event = script.logs[0], artifact("Federation").event("JobPosted")
    forged = replace(terms(), model=b"\x66" * 32)
    values = event.decode(log.topics, log.data) | {"terms": astuple(forged), "termsHash": forged.hash(1000, ALICE)}
    plain = [field for field in event.fields if not field.indexed]
    data = encode([field.type for field in plain], [values[field.name] for field in plain])
    with pytest.raises(HistoryError, match="the seed of cycle 1"):
        fold([replace(log, data=data), *script.logs[1:]])


def test_garbage_in_an_event() -> None:
    script = whole_job()
    for place, log in enumerate(script.logs):
        if log.data:
            with pytest.raises(HistoryError):
                fold([*script.logs[:place], replace(log, data=log.data[:-1])])
    with pytest.raises(HistoryError, match="doesn't know"):
        fold([replace(script.logs[0], topics=(bytes(32),))])
    with pytest.raises(HistoryError, match="of job 8"):
        topics = (script.logs[0].topics[0], (8).to_bytes(32, "big"), script.logs[0].topics[2])
        fold([replace(script.logs[0], topics=topics)])
