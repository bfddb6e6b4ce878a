"""`history`: one word that proves a job, a chain over each cycle's opening and end, and each lapsed OPEN.

It begins with the hash of terms, escrow and sponsor, so that a seed names these too: nobody submits under other terms
than the contract's. Each link is keccak(abi.encode(history, payload)): whoever shows one link needs 32 bytes for each
later one. What is hashed into a payload has 2, 4, 8 or 5 + 2·seats words: it can be read as one kind of link only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from hansa.protocol.types import Address, CycleId, Phase, Seat, Timestamp

NO_KEY: Final = bytes(32)
NO_WORDS: Final = bytes(32)  # of a cycle that `failRound` ended

_BITMAP_BITS: Final = 24
_METRIC_AT: Final = 192


@dataclass(frozen=True)
class Board:
    """What the committee did in a cycle: bitmaps of seats (bit s is seat s)."""

    due: int
    attested: int
    released: int
    committed: int
    revealed: int
    voted: int

    @property
    def word(self) -> int:
        """The low 144 bits of the contract's board."""
        bitmaps = (self.due, self.attested, self.released, self.committed, self.revealed, self.voted)
        return sum(bitmap << _BITMAP_BITS * place for place, bitmap in enumerate(bitmaps))


def link(history: bytes, payload: bytes) -> bytes:
    """`history` with one link more. payload: 32 bytes, what one of the functions below gives."""
    return keccak(encode(["bytes32", "bytes32"], [history, payload]))


def opened(draw: bytes, committee: Sequence[Address], keys: Sequence[bytes]) -> bytes:
    """A cycle's opening; with it `history` is the cycle's seed. keys: by seat, 32 zero bytes for none."""
    return keccak(encode(["bytes32", "address[]", "bytes32[]"], [draw, committee, keys]))


def finalised(result: bytes, board: Board, words: bytes, time: Timestamp) -> bytes:
    """A finalised cycle. result: its result hash; words: `votes_hash`; time: of the block."""
    return keccak(finalised_words(result, board, words, time))


def finalised_words(result: bytes, board: Board, words: bytes, time: Timestamp) -> bytes:
    """The four words that `finalised` hashes."""
    types = ["bytes32", "uint144", "bytes32", "uint32"]
    return encode(types, [result, board.word, words, time])


def failed(
    cycle: CycleId,
    updates: int,
    sheets: bytes,
    board: Board,
    words: bytes,
    reached: Phase,
    burn: int,
    time: Timestamp,
) -> bytes:
    """A failed cycle, with its accumulators. words: `votes_hash` where the committee agreed that nothing could be
    aggregated, 32 zero bytes where `failRound` ended it. burn: what that took from the escrow."""
    return keccak(failed_words(cycle, updates, sheets, board, words, reached, burn, time))


def failed_words(
    cycle: CycleId,
    updates: int,
    sheets: bytes,
    board: Board,
    words: bytes,
    reached: Phase,
    burn: int,
    time: Timestamp,
) -> bytes:
    """The eight words that `failed` hashes."""
    types = ["uint64", "uint128", "bytes32", "uint144", "bytes32", "uint8", "uint256", "uint32"]
    return encode(types, [cycle, updates, sheets, board.word, words, reached, burn, time])


def lapsed(time: Timestamp) -> bytes:
    """An OPEN that nobody used."""
    return keccak(encode(["uint8", "uint32"], [Phase.OPEN, time]))


def vote_word(sealed: int, metric: int) -> int:
    """A seat's vote as the contract keeps it: 192 sealed bits, above them the metric in two's complement."""
    return metric % 2**64 << _METRIC_AT | sealed


def votes_hash(votes: Mapping[Seat, int], seats: int) -> bytes:
    """Hash of a cycle's votes. votes: `vote_word` of each seat that voted; all others count as 0."""
    return keccak(b"".join(votes.get(Seat(seat), 0).to_bytes(32, "big") for seat in range(seats)))
