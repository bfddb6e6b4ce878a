"""What an archive says of a job, as bytes: nothing in it is believed before it is proven.

One RLP list: chain id, federation, vault, library, job; the header of the block that the state is proven at (or
number, time, hash and parent of a block that nothing is proven at); the nodes of its state's tries; events, each with
the number of its block; signed transactions, in the order of their events.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

from hansa.audit.proof.header import MOST_BYTES as MOST_HEADER
from hansa.audit.proof.header import read_header
from hansa.audit.proof.state import StateProof
from hansa.audit.proof.trie import MOST_NODE
from hansa.protocol.types import Address, BlockNumber, CycleId, JobId, Place, Timestamp
from hansa.runtime.chain.client import Block, Log
from hansa.runtime.chain.structs import address
from hansa.runtime.transactions.strict_rlp import (
    BadRlp,
    Item,
    Packed,
    encode,
    number_bytes,
    only,
    split,
    to_bytes,
    to_number,
)

TOPIC: Final = 32
PARTS: Final = 9
MOST_TRANSACTION: Final = 2**21  # bytes; what blocks have room for
MOST_DATA: Final = 2**16  # bytes of an event; a sheet of 1,024 updates has 13,312


@dataclass(frozen=True)
class Facts:
    """Nothing in here is believed: `hansa.audit` works out what must follow from what.

    library: Terms, which the federation's code names. at: the block of the proof; where there is none, one that a node
    told of. events: of federation and vault about this job, in order; the numbers of their blocks bind nothing.
    transactions: as they were signed, in the order of what they did.
    """

    chain_id: int
    federation: Address
    vault: Address
    library: Address
    job: JobId
    at: Block
    proof: StateProof | None
    events: Collection[Log]
    transactions: Collection[bytes]

    def place(self, cycle: CycleId) -> Place:
        return Place(self.chain_id, self.federation, self.job, cycle)

    def encode(self) -> bytes:
        places = {self.federation.lower(): b"", self.vault.lower(): b"\1"}
        at: list[Item] = [number_bytes(self.at.number), number_bytes(self.at.timestamp), self.at.hash, self.at.parent]
        events: list[Item] = [
            [number_bytes(log.block), places[log.address], b"".join(log.topics), log.data] for log in self.events
        ]
        return encode(
            [
                number_bytes(self.chain_id),
                bytes.fromhex(self.federation[2:]),
                bytes.fromhex(self.vault[2:]),
                bytes.fromhex(self.library[2:]),
                number_bytes(self.job),
                at if self.proof is None else self.proof.header,
                [] if self.proof is None else list(self.proof.nodes),
                events,
                list(self.transactions),
            ]
        )


def read_facts(data: bytes) -> Facts:
    """BadRlp where these are none. Lists are read when somebody goes through them, and may raise it then."""
    is_list, payload = only(memoryview(data))
    parts = [part for part, _ in zip(split(payload), range(PARTS + 1), strict=False)] if is_list else []
    if [part[0] for part in parts[:5]] != [False] * 5 or [part[0] for part in parts[6:]] != [True] * 3:
        raise BadRlp("not the parts of a job")
    chain_id, federation, vault, library, job = (bytes(payload) for _, payload in parts[:5])
    nodes, events, transactions = (payload for _, payload in parts[6:])
    at, header = _at(*parts[5])
    if header is None and nodes:
        raise BadRlp("nodes of no state")
    places = _address(federation), _address(vault)
    return Facts(
        chain_id=to_number(chain_id),
        federation=places[0],
        vault=places[1],
        library=_address(library),
        job=JobId(to_number(job)),
        at=at,
        proof=None if header is None else StateProof(header, Packed(nodes, _node)),
        events=_Events(events, places),
        transactions=Packed(transactions, _transaction),
    )


def _at(is_list: bool, payload: memoryview) -> tuple[Block, bytes | None]:
    """The block, and its header where that is told."""
    if not is_list:
        header = _bounded(is_list, payload, MOST_HEADER)
        return read_header(header).block, header
    match [to_bytes(*part) for part, _ in zip(split(payload), range(5), strict=False)]:
        case [number, time, own, parent] if len(own) == len(parent) == 32:
            return Block(BlockNumber(to_number(number, 63)), Timestamp(to_number(time, 63)), own, parent), None
    raise BadRlp("no block")


def _address(data: bytes) -> Address:
    if len(data) != 20:
        raise BadRlp("no address")
    return address("0x" + data.hex())


def _bounded(is_list: bool, payload: memoryview, most: int) -> bytes:
    if len(payload) > most:
        raise BadRlp(f"{len(payload)} bytes where {most} are the most")
    return to_bytes(is_list, payload)


def _node(is_list: bool, payload: memoryview) -> bytes:
    return _bounded(is_list, payload, MOST_NODE)


def _transaction(is_list: bool, payload: memoryview) -> bytes:
    return _bounded(is_list, payload, MOST_TRANSACTION)


class _Events(Packed[Log]):
    """places: of federation and vault. An event's index is its place in the list."""

    def __init__(self, payload: memoryview, places: Sequence[Address]) -> None:
        self._addresses = [place.lower() for place in places]
        self._index = count()
        super().__init__(payload, self._event)

    def __iter__(self) -> Iterator[Log]:
        self._index = count()
        return super().__iter__()

    def _event(self, is_list: bool, payload: memoryview) -> Log:
        parts = (
            [_bounded(*part, MOST_DATA) for part, _ in zip(split(payload), range(5), strict=False)] if is_list else []
        )
        match parts:
            case [block, b"" | b"\1" as place, topics, data] if 0 < len(topics) <= 128 and len(topics) % TOPIC == 0:
                words = tuple(topics[at : at + TOPIC] for at in range(0, len(topics), TOPIC))
                number = BlockNumber(to_number(block, 63))
                return Log(number, next(self._index), self._addresses[len(place)], words, data)
        raise BadRlp("no event")
