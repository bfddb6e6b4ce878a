"""One cycle in the making: its events as they come, its accumulators beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hansa.protocol.hashes import (
    attests_acc,
    cycle_counter,
    everybody_due,
    releases_acc,
    result_hash,
    sealed_vote,
    sheets_acc,
    updates_acc,
    updates_start,
)
from hansa.protocol.links import NO_KEY, NO_WORDS, Board, failed, finalised, vote_word, votes_hash
from hansa.protocol.phases import STEP_OF, STEPS
from hansa.protocol.sheet import ENTRY_BYTES, commitment
from hansa.protocol.text import counted
from hansa.protocol.types import Address, BlockNumber, Phase, Place, Round, Seat
from hansa.runtime.chain.structs import JobState
from hansa.runtime.history.records import CycleRecord, Failed, Finalized, Revealed, Submitted, Vote

NOBODY: Mapping[Seat, Any] = {}


class HistoryError(Exception):
    """Events that don't fit together; the text says what is missing or invented."""


class CycleBuilder:
    """A cycle under way. Every method may raise HistoryError.

    keys: as the event has them, 32 zero bytes for none. before: the cycle opened before this one.
    """

    def __init__(
        self,
        place: Place,
        round_: Round,
        randomness: bytes,
        seed: bytes,
        committee: tuple[Address, ...],
        keys: Sequence[bytes],
        opened_at: BlockNumber,
        before: CycleBuilder | None,
    ) -> None:
        self.cycle, self.round = place.cycle, round_
        self.outcome: Finalized | Failed | None = None
        self.name = f"cycle {cycle_counter(place.cycle)}"
        self.updates_acc, self.sheets_acc = updates_start(seed), seed
        self._place = place
        self._randomness, self._seed, self._committee, self._opened_at = randomness, seed, committee, opened_at
        self._keys = tuple(None if key == NO_KEY else key for key in keys)
        if before is not None:  # most cycles have what the one before them had: held once
            self._committee = before._committee if before._committee == committee else committee
            self._keys = before._keys if before._keys == self._keys else self._keys
        self._due = (1 << len(committee)) - 1 if everybody_due(place.cycle) else self._due_after(before)
        self._updates: dict[Address, Submitted] = {}
        self._acted: dict[Phase, dict[Seat, Any]] = {step.phase: {} for step in STEPS}
        self._sheets: list[Revealed] = []
        self._record: CycleRecord | None = None

    def _due_after(self, before: CycleBuilder | None) -> int:
        """Seats that voted in the last opened cycle, or are new to their member."""
        if before is None:
            raise HistoryError(f"{self.name} is the first and does not wait for everybody")
        former = before._committee
        fresh = sum(1 << seat for seat, who in enumerate(self._committee) if former[seat : seat + 1] != (who,))
        return fresh | before.board.voted

    @property
    def board(self) -> Board:
        """What the committee has done so far."""
        return Board(self._due, *(sum(1 << seat for seat in self._acted[step.phase]) for step in STEPS))

    def submit(self, update: Submitted) -> None:
        if update.trainer in self._updates:
            raise HistoryError(f"{self.name} has two updates of {update.trainer}")
        self._updates[update.trainer] = update
        self.updates_acc = updates_acc(self.updates_acc, update.trainer, update.digest)
        self._record = None

    def act(self, event: str, seat: Seat, values: Mapping[str, Any]) -> None:
        """A seat's step, by its event's name and values."""
        phase = STEP_OF[event].phase
        seats = self._acted[phase]
        if seat in seats or seat >= len(self._committee):
            raise HistoryError(f"{self.name} has an invented {event} of seat {seat}")
        match phase:
            case Phase.REVEAL:
                seats[seat] = self._reveal(Revealed(seat, values["sheet"], values["salt"]))
            case Phase.VOTE:
                seats[seat] = Vote(values["sealedVote"], values["metric"])
            case Phase.ATTEST:
                seats[seat] = values["bitmap"]
                self.sheets_acc = attests_acc(self.sheets_acc, seat, values["bitmap"])
            case Phase.RELEASE:
                seats[seat] = values["digest"]
                self.sheets_acc = releases_acc(self.sheets_acc, seat, values["digest"])
            case _:
                seats[seat] = values["commitment"]
        self._record = None

    def _reveal(self, revealed: Revealed) -> Revealed:
        member = self._committee[revealed.seat]
        known = self._acted[Phase.SCORE].get(revealed.seat)
        if known is None:
            raise HistoryError(f"{self.name}: the commitment of seat {revealed.seat} is missing")
        if known != commitment(self._place, member, revealed.sheet, revealed.salt):
            raise HistoryError(f"{self.name}: the sheet of seat {revealed.seat} is not the one that it committed to")
        if len(revealed.sheet) != ENTRY_BYTES * len(self._updates):
            fit = counted(len(self._updates), "update doesn't fit", "updates don't fit")
            raise HistoryError(f"{self.name}: {fit} the sheet of seat {revealed.seat}")
        self._sheets.append(revealed)
        self.sheets_acc = sheets_acc(self.sheets_acc, revealed.seat, revealed.sheet, revealed.salt)
        return revealed

    def finalize(self, outcome: Finalized) -> bytes:
        """Its link in the job's `history`, as a payload."""
        found = result_hash(self._place, self.updates_acc, self.sheets_acc, outcome.model, outcome.rewards)
        if found != outcome.result_hash:
            raise HistoryError(f"{self.name}: its updates, sheets and result don't have the hash that was voted")
        votes: dict[Seat, Vote] = self._acted[Phase.VOTE]
        matched = [seat for seat, vote in votes.items() if vote.sealed == sealed_vote(found, seat)]
        if sum(1 << seat for seat in matched) != outcome.matched:
            raise HistoryError(f"{self.name}: votes are missing or invented")
        metrics = sorted(votes[seat].metric for seat in matched)
        if metrics[(len(metrics) - 1) // 2] != outcome.metric:
            raise HistoryError(f"{self.name}: its metric is not the median of the votes'")
        self.outcome, self._record = outcome, None
        return finalised(found, self.board, self._words(), outcome.time)

    def fail(self, outcome: Failed, quorum: int) -> bytes:
        """Its link in the job's `history`, as a payload. With votes of a quorum VOTE can't run out: then the committee
        agreed that nothing could be aggregated."""
        board = self.board
        agreed = outcome.phase == Phase.VOTE and board.voted.bit_count() >= quorum
        words = self._words() if agreed else NO_WORDS
        self.outcome, self._record = outcome, None
        accumulators = (self.updates_acc, self.sheets_acc)
        return failed(self.cycle, *accumulators, board, words, outcome.phase, outcome.burnt, outcome.time)

    def _words(self) -> bytes:
        votes: dict[Seat, Vote] = self._acted[Phase.VOTE]
        words = {seat: vote_word(vote.sealed, vote.metric) for seat, vote in votes.items()}
        return votes_hash(words, len(self._committee))

    def agrees(self, state: JobState) -> None:
        """HistoryError unless this is the cycle that the contract holds."""
        if state.cycle != self.cycle or state.committee != self._committee:
            raise HistoryError(f"{self.name} is not the one that the contract has")
        if len(self._updates) != state.submitted:
            raise HistoryError(
                f"{self.name} has events of {len(self._updates)} of its {counted(state.submitted, 'update')}"
            )
        for step in STEPS:
            found = sum(1 << seat for seat in self._acted[step.phase])
            wrong = found ^ step.seats_acted(state)
            if wrong:
                seats = [str(seat) for seat in range(wrong.bit_length()) if wrong >> seat & 1]
                raise HistoryError(f"{self.name}: {step.event} of seat {', '.join(seats)} is missing or invented")
        if self._due != state.due:
            raise HistoryError(f"{self.name} waits for other seats than the contract")
        if self.updates_acc != state.updates:
            raise HistoryError(f"{self.name}: an update's event is changed, or they are in another order")
        if self.sheets_acc != state.sheets:
            raise HistoryError(
                f"{self.name}: an attestation, a release or a sheet is changed, or they are in another order"
            )

    def record(self) -> CycleRecord:
        """As it is now; made anew only when something happened."""
        if self._record is None:
            self._record = CycleRecord(
                self.cycle,
                self.round,
                self._randomness,
                self._seed,
                self._committee,
                self._keys,
                self._due,
                self._opened_at,
                tuple(self._updates.values()),
                {phase: dict(seats) if seats else NOBODY for phase, seats in self._acted.items()},
                tuple(self._sheets),
                self.outcome,
            )
        return self._record
