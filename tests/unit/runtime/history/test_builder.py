"""Histories from events alone, and what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, replace
from typing import Any

import pytest
from eth_abi.abi import encode

from hansa.protocol.hashes import (
    NO_HASH,
    cycle_seed,
    make_cycle,
    result_hash,
    sealed_vote,
    sheets_acc,
    updates_acc,
    updates_start,
)
from hansa.protocol.sheet import commitment
from hansa.protocol.types import Address, BlockNumber, CycleId, Digest, JobId, Phase, Place, Round, Seat, Timestamp, Wei
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.client import Log
from hansa.runtime.chain.structs import JobState, JobTerms
from hansa.runtime.history.builder import HistoryBuilder, HistoryError
from hansa.runtime.history.records import Failed, Finalized

CHAIN, JOB = 31337, JobId(7)
FEDERATION = Address("0x" + "F1" * 20)
TOKEN = Address("0x1111111111111111111111111111111111111111")
ALICE, BOB = Address("0x" + "22" * 20), Address("0x" + "33" * 20)
DAVE, ERIN, FRANK = (Address("0x" + digit * 40) for digit in "456")
PARENT = b"\x0a" * 32
NUMBERS = {"reward_per_round": 10, "seats": 3, "quorum": 2, "min_updates": 1, "max_trainers": 2}


def terms() -> JobTerms:
    kinds = {"Address": TOKEN, "Digest": Digest(bytes(32)), "bool": False}
    values = {name: kinds.get(str(kind), 1) for name, kind in JobTerms.__annotations__.items()}
    return JobTerms(**{**values, **NUMBERS})  # type: ignore[arg-type]


class Script:
    """Writes a job's events as the contract would, and keeps the state that it would have."""

    def __init__(self) -> None:
        self.logs: list[Log] = []
        self.cycles = 0
        self.seed = NO_HASH
        zeros: dict[str, Any] = dict.fromkeys(JobState.__annotations__, 0)
        self.state = JobState(
            **{
                **zeros,
                "phase": Phase.ENROL,
                "sponsor": ALICE,
                "round": Round(1),
                "sheets": NO_HASH,
                "last_result": NO_HASH,
                "committee": (),
                "matched": (),
                "deadline": Timestamp(1),
            }
        )
        self.emit("JobPosted", sponsor=ALICE, termsHash=terms().hash, terms=astuple(terms()), escrow=1000)

    def emit(self, event: str, **values: Any) -> None:
        known = {"job": JOB, "cycle": self.state.cycle, **values}
        shape = artifact("Federation").event(event)
        indexed = [field for field in shape.fields if field.indexed]
        plain = [field for field in shape.fields if not field.indexed]
        topics = [shape.topic, *(encode([field.type], [known[field.name]]) for field in indexed)]
        data = encode([field.type for field in plain], [known[field.name] for field in plain])
        self.logs.append(Log(BlockNumber(len(self.logs)), 0, FEDERATION.lower(), tuple(topics), data))

    def set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)

    def enrol(self, *trainers: Address) -> Script:
        for trainer in trainers:
            self.set(enrolled=self.state.enrolled + 1)
            self.emit("TrainerEnrolled", trainer=trainer, bond=100)
        return self

    def open(self) -> Script:
        afresh = self.cycles == 0 or self.state.failures > 0
        sheets, updates = (self.state.sheets, self.state.updates) if self.cycles else (NO_HASH, 0)
        seed = cycle_seed(sheets, updates, PARENT if afresh else NO_HASH)
        self.cycles += 1
        self.set(
            cycle=make_cycle(self.state.last_result, seed, self.cycles, afresh),
            committee=(DAVE, ERIN, FRANK),
            updates=updates_start(seed),
            sheets=seed,
            phase=Phase.SUBMIT,
            submitted=0,
            committed=0,
            revealed=0,
            voted=0,
        )
        self.emit("CycleOpened", round=self.state.round, seed=seed, committee=[DAVE, ERIN, FRANK])
        return self

    def submit(self, *trainers: Address) -> Script:
        for number, trainer in enumerate(trainers):
            digest = Digest(bytes([number + 1]) * 32)
            self.set(updates=updates_acc(self.state.updates, trainer, digest), submitted=self.state.submitted + 1)
            self.emit("UpdateSubmitted", trainer=trainer, digest=digest)
        return self

    def score(self, *seats: int) -> Script:
        for seat in seats:
            sheet, salt = bytes([seat]) * (13 * self.state.submitted), bytes([seat]) * 32
            member = self.state.committee[seat]
            sealed = commitment(Place(CHAIN, FEDERATION, JOB, self.state.cycle), member, sheet, salt)
            self.emit("ScoresCommitted", seat=seat, commitment=sealed)
            self.emit("ScoresRevealed", seat=seat, sheet=sheet, salt=salt)
            done = self.state.committed | 1 << seat
            acc = sheets_acc(self.state.sheets, Seat(seat), sheet, salt)
            self.set(committed=done, revealed=done, sheets=acc)
        return self

    def decide(self, *seats: int, wrong: int = 9) -> Script:
        state, model, rewards = self.state, b"\x05" * 32, b"\x06" * 32
        place = Place(CHAIN, FEDERATION, JOB, state.cycle)
        result = result_hash(place, state.updates, state.sheets, model, rewards)
        for seat in seats:
            sealed = 1 if seat == wrong else sealed_vote(result, Seat(seat))
            self.emit("ResultVoted", seat=seat, sealedVote=sealed, metric=10 * seat)
        matched = [seat for seat in seats if seat != wrong]
        metric = sorted(10 * seat for seat in matched)[(len(matched) - 1) // 2]
        self.emit(
            "RoundFinalized",
            round=state.round,
            model=model,
            rewards=rewards,
            metric=metric,
            matched=sum(1 << seat for seat in matched),
            resultHash=result,
        )
        voted = sum(1 << seat for seat in seats)
        self.set(voted=voted, round=state.round + 1, last_result=result, failures=0, phase=Phase.OPEN)
        return self

    def fail(self, phase: Phase) -> Script:
        self.set(failures=self.state.failures + 1, phase=Phase.OPEN)
        self.emit("CycleFailed", phase=phase, failures=self.state.failures, burnt=5)
        return self

    def end(self) -> Script:
        self.emit("JobEnded", outcome=Phase.COMPLETED)
        self.set(phase=Phase.COMPLETED, ended_at=Timestamp(5))
        return self


def fold(logs: list[Log]) -> HistoryBuilder:
    found = HistoryBuilder(CHAIN, FEDERATION, JOB, lambda number: PARENT)
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
    with pytest.raises(HistoryError, match="events of 2 of its 1 updates"):
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
    if place == _events("ResultVoted", script.logs)[1]:
        return  # a vote of an earlier cycle that did not match: nothing follows from it
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
    ("UpdateSubmitted", 0, "cycle 1: 1 updates don't fit the sheet of seat 0"),
    ("ScoresCommitted", 1, "cycle 1: the commitment of seat 2 is missing"),
    ("ScoresRevealed", 2, "cycle 1: its updates, sheets and result don't have the hash that was voted"),
    ("ResultVoted", 0, "cycle 1: votes are missing or invented"),
    ("RoundFinalized", 0, "cycle 2 does not follow|the outcome of cycle 1 is missing"),
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
    (lambda state: replace(state, last_result=b"\x01" * 32), "the last finalised round is not the one"),
    (lambda state: replace(state, failures=1), "failures in a row"),
    (lambda state: replace(state, phase=Phase.OPEN), "its end is invented"),
    (lambda state: replace(state, cycle=CycleId(state.cycle ^ 1)), "cycle 3 is not the one"),
    (lambda state: replace(state, committed=7), "cycle 3: ScoresCommitted of seat 0 is missing or invented"),
    (lambda state: replace(state, voted=2), "cycle 3: ResultVoted of seat 2 is missing or invented"),
    (lambda state: replace(state, updates=5), "cycle 3: an update's event is changed, or they are in another order"),
    (lambda state: replace(state, sheets=bytes(32)), "cycle 3: revealed sheets are in another order"),
]


@pytest.mark.parametrize(("changed", "says"), STATES, ids=[entry[1][:40] for entry in STATES])
def test_state_that_the_events_do_not_lead_to(changed: Callable[[JobState], JobState], says: str) -> None:
    script = whole_job()
    with pytest.raises(HistoryError, match=says):
        fold(script.logs).agrees(changed(script.state))


def test_another_chain_or_federation__nothing_fits() -> None:
    script = whole_job()
    for chain, federation in ((1, FEDERATION), (CHAIN, ALICE)):
        other = HistoryBuilder(chain, federation, JOB, lambda number: PARENT)
        with pytest.raises(HistoryError, match="is not the one that it committed to"):
            for log in script.logs:
                other.apply(log)


def test_wrong_parent_block__the_seed_does_not_fit() -> None:
    other = HistoryBuilder(CHAIN, FEDERATION, JOB, lambda number: bytes(32))
    with pytest.raises(HistoryError, match="the seed of cycle 1"):
        for log in whole_job().logs:
            other.apply(log)


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
