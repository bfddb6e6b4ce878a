"""Where EVM chains differ: randomness, block numbers, what counts as settled, what a transaction costs. One table.

Nothing here rests on a chain's name or id: it is asked what a contract on it sees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hansa.protocol.errors import ChainUnavailable, FatalError, check_range
from hansa.protocol.types import Address
from hansa.runtime.chain.abi import ContractError
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.deployment import Confirmations
from hansa.runtime.chain.node_errors import NodeError
from hansa.runtime.chain.rpc import octets, quantity

APPOINTED, STAKED, HYBRID, COUPLED = "appointed", "staked", "hybrid", "coupled"
MOST_CONFIRMATIONS = 10_000
USUAL_DEPTH = {"safe": 64, "finalized": 96}  # blocks under the head on Ethereum, for who can only count
SAMPLE = 8  # blocks that are looked at
NO_RANDAO = 2**64 - 1  # contracts take a smaller prevrandao for none


class Randomness(StrEnum):
    """What a committee of strangers is drawn with."""

    RANDAO = "RANDAO"  # beacon randomness, known when its block is
    PARENT_HASH = "PARENT_HASH"  # the hash of the parent block, which whoever builds that can choose among
    CONSTANT = "CONSTANT"  # known long before: a constant, or what another chain had


@dataclass(frozen=True)
class Drawing:
    """Which kinds of committee a chain's randomness can carry. why: of what it can't."""

    committees: frozenset[str]
    why: str


DRAWING: Mapping[Randomness, Drawing] = {
    Randomness.RANDAO: Drawing(frozenset({APPOINTED, STAKED, HYBRID, COUPLED}), ""),
    Randomness.PARENT_HASH: Drawing(
        frozenset({APPOINTED, HYBRID, COUPLED}),
        "its blocks carry no randomness, so the hash of a block stands in, and whoever builds that block can choose it",
    ),
    Randomness.CONSTANT: Drawing(
        frozenset({APPOINTED, COUPLED}),
        "what a committee would be drawn with is known long before, so anybody can arrange to be drawn",
    ),
}


def committee_problem(kind: str, randomness: Randomness) -> str | None:
    """Why a chain can't carry a kind of committee, in a sentence with the next step; None where it can."""
    drawing = DRAWING[randomness]
    if kind in drawing.committees:
        return None
    *others, last = [name for name in (APPOINTED, HYBRID, COUPLED) if name in drawing.committees]
    return f"this chain can't carry a {kind} committee: {drawing.why}; post with {', '.join(others)} or {last} members"


# --- what a contract sees

PROBE = bytes.fromhex("43600052" + "44602052" + "600143034060405260606000f3")
"""Creation code that returns three words: block.number, block.prevrandao, blockhash(block.number - 1)."""


@dataclass(frozen=True)
class Seen:
    """What a contract sees at the block that nodes call `block`."""

    block: int
    number: int
    randao: int
    parent: int


def seen_by_contracts(chain: Chain) -> list[Seen]:
    """What contracts see at the newest blocks, oldest first; [] where the node does not run what is not deployed."""
    head = chain.head().number
    first = max(chain.first_number + 1, head - SAMPLE + 1)  # the first block has no parent
    numbers = list(range(first, head + 1))
    calls = [("eth_call", [{"data": "0x" + PROBE.hex()}, hex(number)]) for number in numbers]
    found = []
    for number, answer in zip(numbers, chain.rpc.raw(calls), strict=True):
        if isinstance(answer, NodeError | ContractError):
            continue
        words = octets(answer, "a look at a block", 96)
        found.append(Seen(number, *(int.from_bytes(words[at : at + 32], "big") for at in (0, 32, 64))))
    return found


def randomness_of(chain: Chain) -> Randomness:
    """What `open` draws a committee with on this chain."""
    return randomness_in(seen_by_contracts(chain))


def randomness_in(blocks: Sequence[Seen]) -> Randomness:
    """CONSTANT, the least, where nothing is known. A prevrandao that two blocks share is that of another chain."""
    randaos = [block.randao for block in blocks]
    if blocks and min(randaos) > NO_RANDAO:
        return Randomness.RANDAO if len(set(randaos)) == len(randaos) else Randomness.CONSTANT
    parents = [block.parent for block in blocks]
    chosen = bool(blocks) and 0 not in parents and len(set(parents)) == len(parents)
    return Randomness.PARENT_HASH if chosen else Randomness.CONSTANT


def has_foreign_numbers(blocks: Sequence[Seen]) -> bool:
    """Whether block.number in a contract is that of another chain (Arbitrum). Nothing of ours rests on it."""
    return any(block.number != block.block for block in blocks)


# --- what counts as settled


def parse_confirmations(text: str) -> Confirmations:
    """`--confirmations`: a count of blocks, or a tag that the chain's nodes know."""
    if text == "safe":
        return "safe"
    if text == "finalized":
        return "finalized"
    try:
        return check_range("--confirmations", int(text), 0, MOST_CONFIRMATIONS)
    except ValueError:
        raise FatalError(
            f"--confirmations {text!r} is no depth", next_step="give a number of blocks, or safe, or finalized"
        ) from None


def check_confirmations(chain: Chain, confirmations: Confirmations) -> None:
    """FatalError where no node of the chain tells which block is safe, or final."""
    if isinstance(confirmations, int):
        return
    try:
        chain.block(confirmations)
    except ChainUnavailable as error:
        raise FatalError(
            f"the chain's node names no {confirmations} block",
            cause=error.cause or error.message,
            next_step="give --confirmations a number of blocks",
        ) from error


# --- what a transaction costs

L1_ORACLES: Mapping[str, Address] = {
    "OP stack": Address("0x420000000000000000000000000000000000000F"),
    "Scroll": Address("0x5300000000000000000000000000000000000002"),
}
"""Contracts that tell what a rollup adds to gas for its bytes on the chain below, in wei. Arbitrum adds gas instead."""

L1_FEE = bytes.fromhex("49948e0e")  # getL1Fee(bytes)


def fee_paid(receipt: Mapping[str, Any], offered: object = None) -> int:
    """Wei that a mined transaction cost: its gas, and what a rollup adds for the chain below. offered: a
    unit's price in the transaction, for receipts that name none; without either the gas is left out."""
    price, below = receipt.get("effectiveGasPrice") or offered, receipt.get("l1Fee")
    gas = 0 if price is None else quantity(price, "a gas price")
    used = quantity(receipt.get("gasUsed"), "a receipt's gas")
    return used * gas + (0 if below is None else quantity(below, "a receipt's L1 fee"))


def l1_oracle(chain: Chain) -> Address | None:
    """The contract that tells a rollup's fee for the chain below; None where there is none."""
    return next((address for address in L1_ORACLES.values() if chain.code(address)), None)


def l1_fees(chain: Chain, oracle: Address, sizes: Sequence[int]) -> list[int]:
    """Wei for transactions of so many bytes, none of them zero and none twice in a row: the most that they can cost."""
    calls = []
    for size in sizes:
        padded = bytes(1 + place % 251 for place in range(size)).ljust(-(-size // 32) * 32, b"\0")
        data = L1_FEE + (32).to_bytes(32, "big") + size.to_bytes(32, "big") + padded
        calls.append(("eth_call", [{"to": oracle, "data": "0x" + data.hex()}, "latest"]))
    return [int.from_bytes(octets(answer, "an L1 fee", 32), "big") for answer in chain.rpc.ask(calls)]
