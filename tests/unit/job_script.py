"""A job's events, written as the contract would write them."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

from eth_abi.abi import encode

from hansa.protocol.hashes import (
    NO_HASH,
    draw,
    make_cycle,
    result_hash,
    sealed_vote,
    sheets_acc,
    updates_acc,
    updates_start,
)
from hansa.protocol.links import NO_KEY, NO_WORDS, Board, failed, finalised, lapsed, link, opened, vote_word, votes_hash
from hansa.protocol.sheet import commitment
from hansa.protocol.types import Address, BlockNumber, Digest, JobId, Phase, Place, Round, Seat, Timestamp
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.client import Log
from hansa.runtime.chain.structs import JobState, JobTerms

CHAIN, JOB = 31337, JobId(7)
FEDERATION = Address("0x" + "F1" * 20)
TOKEN = Address("0x1111111111111111111111111111111111111111")
ALICE, BOB = Address("0x" + "22" * 20), Address("0x" + "33" * 20)
DAVE, ERIN, FRANK = (Address("0x" + digit * 40) for digit in "456")
KEYS = [b"\x01" * 32, NO_KEY, b"\x03" * 32]
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
                "history": NO_HASH,
                "committee": (),
                "matched": (),
                "deadline": Timestamp(1),
            }
        )
        self.set(history=terms().hash(1000, ALICE))
        self.emit("JobPosted", sponsor=ALICE, termsHash=terms().hash(1000, ALICE), terms=astuple(terms()), escrow=1000)

    @property
    def board(self) -> Board:
        state = self.state
        return Board(state.due, state.attested, state.released, state.committed, state.revealed, state.voted)

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
        self.cycles += 1
        randomness, committee = bytes([self.cycles]) * 32, [DAVE, ERIN, FRANK]
        drawn = draw(CHAIN, FEDERATION, JOB, sheets, updates, randomness)
        seed = link(self.state.history, opened(drawn, committee, KEYS))
        self.set(
            cycle=make_cycle(seed, self.cycles, afresh),
            history=seed,
            due=7 if afresh else self.state.voted,
            committee=(DAVE, ERIN, FRANK),
            updates=updates_start(seed),
            sheets=seed,
            phase=Phase.SUBMIT,
            submitted=0,
            committed=0,
            revealed=0,
            voted=0,
        )
        opening: dict[str, Any] = {"randomness": randomness, "seed": seed, "committee": committee, "keys": KEYS}
        self.emit("CycleOpened", round=self.state.round, **opening)
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
        words = {}
        for seat in seats:
            sealed = 1 if seat == wrong else sealed_vote(result, Seat(seat))
            words[Seat(seat)] = vote_word(sealed, 10 * seat)
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
            time=len(self.logs),
        )
        self.set(voted=sum(1 << seat for seat in seats))
        end = finalised(result, self.board, votes_hash(words, 3), Timestamp(len(self.logs) - 1))
        history = link(state.history, end)
        self.set(round=state.round + 1, history=history, failures=0, phase=Phase.OPEN)
        return self

    def fail(self, phase: Phase) -> Script:
        state, time = self.state, Timestamp(len(self.logs))
        parts = (state.cycle, state.updates, state.sheets, self.board, NO_WORDS, phase, 5, time)
        end = lapsed(time) if phase == Phase.OPEN else failed(*parts)
        self.set(failures=state.failures + 1, phase=Phase.OPEN, history=link(state.history, end))
        self.emit("CycleFailed", phase=phase, failures=self.state.failures, burnt=5, time=time)
        return self

    def end(self) -> Script:
        self.emit("JobEnded", outcome=Phase.COMPLETED)
        self.set(phase=Phase.COMPLETED, ended_at=Timestamp(5))
        return self
