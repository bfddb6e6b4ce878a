"""Every hash that Python and Solidity both work out: cycle ids, seeds, accumulators, results, votes.

Digests and hashes are 32 bytes; accumulators of updates are 128-bit integers, cycle ids 64-bit ones.
"""

from __future__ import annotations

from typing import Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from hansa.protocol.types import Address, CycleId, Digest, Place, Seat

NO_HASH: Final = bytes(32)

_HISTORY_BITS: Final = 40
_COUNTER_BITS: Final = 23
_LOW_128: Final = 2**128 - 1
_LOW_192: Final = 2**192 - 1


def make_cycle(prev_result: bytes, seed: bytes, counter: int, everybody: bool) -> CycleId:
    """Id of a job's `counter`-th opened cycle (from 1).

    prev_result: result hash of the last finalised cycle, 32 zero bytes before the first.
    everybody: whether everybody is due in it.
    """
    if not 0 < counter < 2**_COUNTER_BITS:
        raise ValueError(f"cycle counter {counter} is out of range")
    digest = keccak(encode(["bytes32", "bytes32", "uint256"], [prev_result, seed, counter]))
    history = int.from_bytes(digest, "big") & (2**_HISTORY_BITS - 1)
    return CycleId((history << _COUNTER_BITS | counter) << 1 | everybody)


def cycle_counter(cycle: CycleId) -> int:
    """How many cycles the job had opened, this one included."""
    return cycle >> 1 & (2**_COUNTER_BITS - 1)


def everybody_due(cycle: CycleId) -> bool:
    """Whether the cycle waits for every trainer and member."""
    return bool(cycle & 1)


def cycle_seed(prev_sheets: bytes, prev_updates: int, parent_hash: bytes) -> bytes:
    """Seed of a cycle, from the previous cycle's accumulators (0 in cycle 1).

    parent_hash: parent block hash in cycle 1 and after a failure, else 32 zero bytes.
    """
    return keccak(encode(["bytes32", "uint256", "bytes32"], [prev_sheets, prev_updates, parent_hash]))


def updates_start(seed: bytes) -> int:
    """Accumulator of a cycle's updates before the first; never 0."""
    return int.from_bytes(seed, "big") & _LOW_128 | 1


def updates_acc(acc: int, trainer: Address, digest: Digest) -> int:
    """Accumulator after one more submitted update."""
    packed = acc.to_bytes(16, "big") + bytes.fromhex(trainer[2:]) + digest
    return int.from_bytes(keccak(packed), "big") & _LOW_128


def sheets_acc(acc: bytes, seat: Seat, sheet: bytes, salt: bytes) -> bytes:
    """Accumulator after one more revealed sheet; it starts at the cycle's seed."""
    return keccak(encode(["bytes32", "uint256", "bytes32", "bytes32"], [acc, seat, keccak(sheet), salt]))


def result_hash(place: Place, updates: int, sheets: bytes, model: bytes, rewards: bytes) -> bytes:
    """What a cycle's vote is about: the next model's digest and the rewards root, for these updates and sheets."""
    types = ["uint256", "address", "uint256", "uint64", "uint128", "bytes32", "bytes32", "bytes32"]
    return keccak(encode(types, [*place, updates, sheets, model, rewards]))


def sealed_vote(result: bytes, seat: Seat) -> int:
    """A seat's vote for a result hash, 192 bits: nobody can copy another seat's without knowing the result."""
    return int.from_bytes(keccak(encode(["bytes32", "uint256"], [result, seat])), "big") & _LOW_192
