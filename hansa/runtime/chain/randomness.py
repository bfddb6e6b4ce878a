"""What a chain gives `open` to draw a committee by, as its own nodes compute it."""

from __future__ import annotations

from enum import Enum
from typing import Any

from hansa.protocol.errors import FatalError
from hansa.runtime.chain.client import Chain

SMALLEST_RANDAO = 2**64
PROBE = "0x44600052600143034060205260406000f3"
"""Code that returns PREVRANDAO and the BLOCKHASH of the block before."""
DEPTHS = (0, 1, 2)  # blocks below the head that are asked


class Randomness(Enum):
    RANDAO = "the chain's own randomness"
    PARENT = "the hash of the block before, which whoever builds that block can choose among"
    CONSTANT = "a constant, which everybody knows before"


def randomness_of(chain: Chain) -> Randomness:
    """By the last blocks. FatalError where the node doesn't run the probe."""
    head = chain.latest().number
    found = [_probe(chain, number) for number in dict.fromkeys(max(1, head - depth) for depth in DEPTHS)]
    has_randao = [randao >= SMALLEST_RANDAO for randao, _ in found]
    values = [randao if own else parent for own, (randao, parent) in zip(has_randao, found, strict=True)]
    if len(found) > 1 and len(set(values)) == 1:
        return Randomness.CONSTANT
    return Randomness.RANDAO if all(has_randao) else Randomness.PARENT


def _probe(chain: Chain, number: int) -> tuple[int, int]:
    question: dict[str, Any] = {"data": PROBE}
    (answer,) = chain.rpc.ask([("eth_call", [question, hex(number)])])
    try:
        data = bytes.fromhex(str(answer)[2:])
    except ValueError:
        data = b""
    if len(data) != 64:
        raise FatalError(
            "the chain doesn't say what a committee is drawn by",
            cause=f"its node answered {str(answer)[:80]} to a call of two opcodes",
            next_step="name another --rpc, or appoint the committee",
        )
    return int.from_bytes(data[:32], "big"), int.from_bytes(data[32:], "big")
