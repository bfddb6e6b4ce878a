"""Every hash that Python and Solidity both work out: cycle ids, draws, accumulators, results, votes.

Digests and hashes are 32 bytes; accumulators of updates are 128-bit integers, cycle ids 64-bit ones.
"""

from __future__ import annotations

from typing import Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from hansa.protocol.types import Address, CycleId, Digest, JobId, Place, Seat

NO_HASH: Final = bytes(32)

_SEED_BITS: Final = 40
_COUNTER_BITS: Final = 23
_LOW_128: Final = 2**128 - 1
_LOW_192: Final = 2**192 - 1


def make_cycle(seed: bytes, counter: int, everybody: bool) -> CycleId:
    """Id of a job's `counter`-th opened cycle (from 1): the seed's low 40 bits, the counter, and one bit.

    everybody: whether everybody is due in it.
    """
    if not 0 < counter < 2**_COUNTER_BITS:
        raise ValueError(f"cycle counter {counter} is out of range")
    low = int.from_bytes(seed, "big") & (2**_SEED_BITS - 1)
    return CycleId((low << _COUNTER_BITS | counter) << 1 | everybody)


def cycle_counter(cycle: CycleId) -> int:
    """How many cycles the job had opened, this one included."""
    return cycle >> 1 & (2**_COUNTER_BITS - 1)


def everybody_due(cycle: CycleId) -> bool:
    """Whether the cycle waits for every trainer and member."""
    return bool(cycle & 1)


def draw(chain_id: int, federation: Address, job: JobId, sheets: bytes, updates: int, randomness: bytes) -> bytes:
    """What a committee is drawn by: accumulators as the last opened cycle left them (0 in cycle 1), and what no
    party chose (prevrandao, or the parent's block hash)."""
    types = ["uint256", "address", "uint256", "bytes32", "uint128", "bytes32"]
    return keccak(encode(types, [chain_id, federation, job, sheets, updates, randomness]))


def updates_start(seed: bytes) -> int:
    """Accumulator of a cycle's updates before the first; never 0."""
    return int.from_bytes(seed, "big") & _LOW_128 | 1


def updates_acc(acc: int, trainer: Address, digest: Digest) -> int:
    """Accumulator after one more submitted update."""
    packed = acc.to_bytes(16, "big") + bytes.fromhex(trainer[2:]) + digest
    return int.from_bytes(keccak(packed), "big") & _LOW_128


def attests_acc(acc: bytes, seat: Seat, bitmap: bytes) -> bytes:
    """Accumulator `sheets` after one more attestation; it starts at the cycle's seed."""
    return keccak(encode(["bytes32", "uint256", "bytes32"], [acc, seat, keccak(bitmap)]))


def releases_acc(acc: bytes, seat: Seat, digest: Digest) -> bytes:
    """Accumulator `sheets` after one more release of shares."""
    return keccak(encode(["bytes32", "uint256", "bytes32"], [acc, seat, digest]))


def sheets_acc(acc: bytes, seat: Seat, sheet: bytes, salt: bytes) -> bytes:
    """Accumulator `sheets` after one more revealed sheet."""
    return keccak(encode(["bytes32", "uint256", "bytes32", "bytes32"], [acc, seat, keccak(sheet), salt]))


def result_hash(place: Place, updates: int, sheets: bytes, model: bytes, rewards: bytes) -> bytes:
    """What a cycle's vote is about: the next model's digest and the rewards root, for these updates and sheets."""
    types = ["uint256", "address", "uint256", "uint64", "uint128", "bytes32", "bytes32", "bytes32"]
    return keccak(encode(types, [*place, updates, sheets, model, rewards]))


def sealed_vote(result: bytes, seat: Seat) -> int:
    """A seat's vote for a result hash, 192 bits: nobody can copy another seat's without knowing the result."""
    return int.from_bytes(keccak(encode(["bytes32", "uint256"], [result, seat])), "big") & _LOW_192
