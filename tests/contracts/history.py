"""A second opinion on a job's hashes: its seeds and accumulators, and `history`, which proves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from outcomes import Outcome
from terms import NO_WORD

from hansa.protocol import hashes, links
from hansa.protocol.types import Phase, Place


@dataclass
class History:
    """The words of one job. They are worked out from what everybody has sent, never from what the contracts say."""

    chain_id: int
    federation: str
    job: int
    word: bytes  # at first the hash of the terms
    sheets: bytes = NO_WORD
    updates: int = 0
    cycle: int = 0

    def _link(self, payload: bytes) -> None:
        self.word = links.link(self.word, payload)

    def open(self, randomness: bytes, seats: Sequence[tuple[Any, bytes]], counter: int, everybody: bool) -> None:
        """seats: member and key of each."""
        drawn = hashes.draw(self.chain_id, self.federation, self.job, self.sheets, self.updates, randomness)
        self._link(links.opened(drawn, [who.address for who, _ in seats], [key for _, key in seats]))
        self.sheets = self.word
        self.updates = hashes.updates_start(self.word)
        self.cycle = hashes.make_cycle(self.word, counter, everybody)

    def submit(self, who: Any, digest: bytes) -> None:
        self.updates = hashes.updates_acc(self.updates, who.address, digest)

    def show(self, phase: Phase, seat: int, shown: Any) -> None:
        """shown: bitmap of ATTEST, digest of RELEASE, sheet and salt of REVEAL."""
        if phase == Phase.ATTEST:
            self.sheets = hashes.attests_acc(self.sheets, seat, shown)
        elif phase == Phase.RELEASE:
            self.sheets = hashes.releases_acc(self.sheets, seat, shown)
        elif phase == Phase.REVEAL:
            self.sheets = hashes.sheets_acc(self.sheets, seat, *shown)

    def sealed(self, seat: int, outcome: Outcome) -> int:
        return hashes.sealed_vote(self.result_hash(outcome), seat)

    def result_hash(self, outcome: Outcome) -> bytes:
        place = Place(self.chain_id, self.federation, self.job, self.cycle)
        return hashes.result_hash(place, self.updates, self.sheets, *outcome.result)

    def words(self, votes: dict[int, tuple[Outcome, int]], seats: int) -> bytes:
        """votes: result and metric, by seat."""
        cast = {seat: links.vote_word(self.sealed(seat, outcome), metric) for seat, (outcome, metric) in votes.items()}
        return links.votes_hash(cast, seats)

    def finalise(self, outcome: Outcome, board: links.Board, words: bytes, time: int) -> None:
        self._link(links.finalised(self.result_hash(outcome), board, words, time))

    def fail(self, board: links.Board, words: bytes, reached: Phase, burn: int, time: int) -> None:
        self._link(links.failed(self.cycle, self.updates, self.sheets, board, words, reached, burn, time))

    def lapse(self, time: int) -> None:
        self._link(links.lapsed(time))
