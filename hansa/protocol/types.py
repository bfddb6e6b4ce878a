"""Words that every part shares: ids, units, phases and verdict codes."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple, NewType

from hansa.protocol.tables import VERDICTS

Address = NewType("Address", str)  # checksummed, '0x…'
JobId = NewType("JobId", int)  # sequential from 1; 0 means none
CycleId = NewType("CycleId", int)  # 64 bits: 40 of history, 23 of counter, 1 "everybody is due"
Round = NewType("Round", int)  # from 1; model 0 is the sponsor's
Seat = NewType("Seat", int)  # 0…m−1 in one cycle's committee
Digest = NewType("Digest", bytes)  # 32-byte sha2-256 digest of a CIDv0
BlockNumber = NewType("BlockNumber", int)
Timestamp = NewType("Timestamp", int)  # seconds, of a block
Wei = NewType("Wei", int)  # a token's smallest unit, or the chain's

UNIT: Final = 10**9  # gains, news and metrics are integers in units of 1e-9


class Place(NamedTuple):
    """The attempt that something is signed, hashed, sealed or voted for."""

    chain_id: int
    federation: Address
    job: JobId
    cycle: CycleId


class Phase(IntEnum):
    """Where a job stands at a moment; the numbers are Solidity's."""

    NONE = 0
    ENROL = 1
    OPEN = 2
    SUBMIT = 3
    ATTEST = 4
    RELEASE = 5
    SCORE = 6
    REVEAL = 7
    VOTE = 8
    FINALIZE = 9
    LAPSED = 10  # a minimum was missed or time ran out: `failRound` is due
    COMPLETED = 11
    ABORTED = 12
    CANCELLED = 13

    @property
    def is_over(self) -> bool:
        """Whether the job has ended, one way or another."""
        return self >= Phase.COMPLETED


class Code(IntEnum):
    """What a validator says of one update, in a sheet."""

    OK = 0
    UNREACHABLE = 1
    MALFORMED = 2
    ZERO = 3
    DUPLICATE = 4

    @property
    def sentence(self) -> str:
        return VERDICTS[self].sentence

    @property
    def strikes(self) -> bool:
        """Whether it costs the trainer a penalty."""
        return VERDICTS[self].strike
