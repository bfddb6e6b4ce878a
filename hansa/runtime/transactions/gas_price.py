"""What a transaction offers for gas, and how much more a replacement of it must offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hansa.protocol.errors import ChainUnavailable
from hansa.runtime.chain.rpc import NodeError, Nonsense, Request, quantity

BUMP = (9, 8)  # +12.5 %: what nodes ask of a replacement
CAP = 5  # times the first offer; further a stuck transaction is not raised
DEFAULT_TIP = 10**9  # wei a unit of gas, where the node suggests none


@dataclass(frozen=True)
class GasPrice:
    """Wei for a unit of gas. `tip` None: a chain without base fees, where `fee` is the gas price."""

    fee: int
    tip: int | None

    def above(self, market: GasPrice) -> GasPrice:
        """What replaces this: 12.5 % more at least, and no less than the market."""
        return self._with_fee(max(_bumped(self.fee), market.fee), market)

    def raised(self, market: GasPrice, cap: int) -> GasPrice | None:
        """As `above`, with a fee of at most `cap`; None where no replacement is that cheap."""
        fee = min(max(_bumped(self.fee), market.fee), cap)
        return self._with_fee(fee, market) if fee >= _bumped(self.fee) else None

    def _with_fee(self, fee: int, market: GasPrice) -> GasPrice:
        tip = None if self.tip is None else min(fee, max(_bumped(self.tip), market.tip or 0))
        return GasPrice(fee, tip)

    def fields(self) -> dict[str, int]:
        """The transaction's fields."""
        if self.tip is None:
            return {"gasPrice": self.fee}
        return {"maxFeePerGas": self.fee, "maxPriorityFeePerGas": self.tip, "type": 2}


def _bumped(price: int) -> int:
    return -(-price * BUMP[0] // BUMP[1])


PRICE_REQUESTS: list[Request] = [
    ("eth_getBlockByNumber", ["latest", False]),
    ("eth_maxPriorityFeePerGas", []),
    ("eth_gasPrice", []),
]


def market(answers: list[Any]) -> GasPrice:
    """The usual offer, from the answers to PRICE_REQUESTS: twice the base fee, and the node's tip on top."""
    block, tip, price = answers
    for answer in (block, price):
        if isinstance(answer, ChainUnavailable):
            raise answer
    if not isinstance(block, dict):
        raise Nonsense("the latest block", block)
    if block.get("baseFeePerGas") is None:
        return GasPrice(quantity(price, "eth_gasPrice"), None)
    suggested = DEFAULT_TIP if isinstance(tip, NodeError) else quantity(tip, "eth_maxPriorityFeePerGas")
    return GasPrice(2 * quantity(block["baseFeePerGas"], "the base fee") + suggested, suggested)
