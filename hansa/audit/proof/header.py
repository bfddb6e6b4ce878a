"""A block's header as its hash is made of it: what a block hash says about the state, the number and the time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from eth_utils.crypto import keccak
from eth_utils.hexadecimal import decode_hex

from hansa.protocol.types import BlockNumber, Timestamp
from hansa.runtime.chain.client import Block
from hansa.runtime.transactions.strict_rlp import BadRlp, decode, encode, number_bytes, to_number

FIELDS = (
    "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom", "difficulty",
    "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce", "baseFeePerGas", "withdrawalsRoot",
    "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash",
)  # fmt: skip
QUANTITIES = frozenset(
    {"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas"}
)
PARENT, STATE, NUMBER, TIME = (FIELDS.index(name) for name in ("parentHash", "stateRoot", "number", "timestamp"))
LEAST = FIELDS.index("nonce") + 1  # fields of every header; forks and other chains add to them
MOST = 32
MOST_BYTES = 2**16  # a clique's extraData holds its signers


class Header(NamedTuple):
    block: Block
    state_root: bytes


def read_header(data: bytes) -> Header:
    """A header of any fork or chain that begins as Ethereum's. BadRlp where it is none."""
    if len(data) > MOST_BYTES:
        raise BadRlp(f"a header of {len(data)} bytes")
    fields = decode(data, 1)
    own = [field for field in fields if isinstance(field, bytes)] if isinstance(fields, list) else []
    if not LEAST <= len(own) == len(fields) <= MOST:
        raise BadRlp(f"a header of {len(fields)} fields")
    if len(own[PARENT]) != 32 or len(own[STATE]) != 32:
        raise BadRlp("a header without a parent or a state root")
    number, time = to_number(own[NUMBER], 63), to_number(own[TIME], 63)
    return Header(Block(BlockNumber(number), Timestamp(time), keccak(data), own[PARENT]), own[STATE])


def header_bytes(block: Mapping[str, Any]) -> bytes | None:
    """The header of a block, from a node's answer; None where its hash is of something else.

    Nodes name fields that a block does not have yet, or leave out those that it does not hash: the fork is found by the
    number of fields with which the hash comes out.
    """
    try:
        wanted, fields = decode_hex(block["hash"]), [name for name in FIELDS if block.get(name) is not None]
        values = [number_bytes(int(block[n], 16)) if n in QUANTITIES else decode_hex(block[n]) for n in fields]
    except (KeyError, ValueError, TypeError):
        return None
    for count in range(len(values), LEAST - 1, -1):
        data = encode(list(values[:count]))
        if keccak(data) == wanted:
            return data
    return None
