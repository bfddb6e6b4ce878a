"""A job's cycles by their links in `history`: what a pool of stakes is shown of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eth_utils.crypto import keccak

from hansa.protocol.faults import at_fault
from hansa.protocol.hashes import (
    NO_HASH,
    attests_acc,
    draw,
    releases_acc,
    result_hash,
    sheets_acc,
    updates_acc,
    updates_start,
)
from hansa.protocol.links import (
    NO_KEY,
    NO_WORDS,
    Board,
    failed_words,
    finalised_words,
    lapsed,
    link,
    opened,
    vote_word,
    votes_hash,
)
from hansa.protocol.phases import STEPS
from hansa.protocol.types import Address, Phase, Place, Seat
from hansa.runtime.history.records import CycleRecord, Failed, JobHistory


@dataclass(frozen=True)
class ShownCycle:
    """A cycle that is over. before: `history` before it opened. ended: what its end hashes. words: votes by seat.
    later: payloads of the links since. faults: by seat, what was done."""

    record: CycleRecord
    before: bytes
    draw: bytes
    ended: bytes
    words: tuple[int, ...]
    later: tuple[bytes, ...]
    faults: dict[Seat, str]

    @property
    def keys(self) -> list[bytes]:
        return [key or NO_KEY for key in self.record.keys]


def shown_cycles(chain_id: int, federation: Address, history: JobHistory) -> Iterator[ShownCycle]:
    """Every cycle that is over, oldest first."""
    word = history.posted.terms.hash(history.posted.escrow, history.posted.sponsor)
    lapses = {number: [failed for at, failed in history.lapses if at == number] for number, _ in history.lapses}
    sheets, updates = NO_HASH, 0
    payloads = [lapsed(failed.time) for failed in lapses.get(0, [])]
    found: list[tuple[CycleRecord, bytes, bytes, bytes, int]] = []
    for payload in payloads:
        word = link(word, payload)
    for number, cycle in enumerate(history.cycles, 1):
        drawn, before = draw(chain_id, federation, history.job, sheets, updates, cycle.randomness), word
        sheets, updates = _accumulators(cycle)
        here = [opened(drawn, cycle.committee, [key or NO_KEY for key in cycle.keys])]
        place = Place(chain_id, federation, history.job, cycle.cycle)
        if cycle.outcome is not None:
            ended = _ended(place, cycle, updates, sheets, history.posted.terms.quorum)
            here.append(keccak(ended))
            found.append((cycle, before, drawn, ended, len(payloads) + 2))
        here += [lapsed(failed.time) for failed in lapses.get(number, [])]
        for payload in here:
            word = link(word, payload)
        payloads += here
    for cycle, before, drawn, ended, at in found:
        words = tuple(_words(cycle).get(Seat(seat), 0) for seat in range(len(cycle.committee)))
        place = Place(chain_id, federation, history.job, cycle.cycle)
        faults = _faults(place, cycle, history.posted.terms.quorum)
        yield ShownCycle(cycle, before, drawn, ended, words, tuple(payloads[at:]), faults)


def _board(cycle: CycleRecord) -> Board:
    return Board(cycle.due, *(sum(1 << seat for seat in cycle.acted[step.phase]) for step in STEPS))


def _accumulators(cycle: CycleRecord) -> tuple[bytes, int]:
    """Sheets and updates, as the cycle left them."""
    sheets, updates = cycle.seed, updates_start(cycle.seed)
    for update in cycle.updates:
        updates = updates_acc(updates, update.trainer, update.digest)
    for seat, bitmap in cycle.acted[Phase.ATTEST].items():
        sheets = attests_acc(sheets, seat, bitmap)
    for seat, digest in cycle.acted[Phase.RELEASE].items():
        sheets = releases_acc(sheets, seat, digest)
    for shown in cycle.sheets:
        sheets = sheets_acc(sheets, shown.seat, shown.sheet, shown.salt)
    return sheets, updates


def _words(cycle: CycleRecord) -> dict[Seat, int]:
    return {seat: vote_word(vote.sealed, vote.metric) for seat, vote in cycle.votes.items()}


def _has_agreed_nothing(cycle: CycleRecord, quorum: int) -> bool:
    return isinstance(cycle.outcome, Failed) and cycle.outcome.phase == Phase.VOTE and len(cycle.votes) >= quorum


def _ended(place: Place, cycle: CycleRecord, updates: int, sheets: bytes, quorum: int) -> bytes:
    outcome, board = cycle.outcome, _board(cycle)
    words = votes_hash(_words(cycle), len(cycle.committee))
    if isinstance(outcome, Failed):
        kept = words if _has_agreed_nothing(cycle, quorum) else NO_WORDS
        return failed_words(cycle.cycle, updates, sheets, board, kept, outcome.phase, outcome.burnt, outcome.time)
    assert outcome is not None
    return finalised_words(outcome.result_hash, board, words, outcome.time)


def _faults(place: Place, cycle: CycleRecord, quorum: int) -> dict[Seat, str]:
    outcome, votes = cycle.outcome, {seat: vote.sealed for seat, vote in cycle.votes.items()}
    if not isinstance(outcome, Failed):
        assert outcome is not None
        return at_fault(_board(cycle), Phase.FINALIZE, votes, outcome.result_hash, len(cycle.committee))
    result = None
    if _has_agreed_nothing(cycle, quorum):
        sheets, updates = _accumulators(cycle)
        result = result_hash(place, updates, sheets, NO_HASH, NO_HASH)
    return at_fault(_board(cycle), outcome.phase, votes, result, len(cycle.committee))
