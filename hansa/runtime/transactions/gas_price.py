"""What a transaction offers for gas, the most that it may, and how much more a replacement must offer."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from hansa.protocol.errors import ChainUnavailable, TransientError
from hansa.runtime.chain.rpc import NodeError, Nonsense, Request, quantity

BUMP = (9, 8)  # +12.5 %: what nodes ask of a replacement
CAP = 5  # times the first offer; further a stuck transaction is not raised
GWEI = 10**9
DEFAULT_TIP = GWEI  # wei a unit of gas, where the node suggests none
HISTORY_BLOCKS, HISTORY_PERCENTILE = 20, 90
TIP_TIMES, BASE_TIMES = 3, 4  # times what recent blocks paid: the most that is offered
USUAL_TIP = 2 * GWEI  # that may be offered whatever recent blocks paid
TIP_CAPS, FEE_CAPS = (30 * GWEI, 200 * GWEI), (100 * GWEI, 2000 * GWEI)  # between which the default caps lie


class TooDear(TransientError):
    """The chain asks for more than the cap. Prices in wei for a unit of gas."""

    def __init__(self, what: str, asked: int, cap: int) -> None:
        self.asked, self.cap = asked, cap
        super().__init__(
            f"the {what} that is asked for, {asked / GWEI:.9g} gwei, is above the cap of {cap / GWEI:.9g} gwei",
            next_step=f"wait for a cheaper hour, or raise --max-{'tip' if what == 'tip' else 'fee'}-gwei",
        )


@dataclass(frozen=True)
class FeeCaps:
    """The most that is offered, in wei for a unit of gas. None: some times what recent blocks paid, within bounds."""

    fee: int | None = None
    tip: int | None = None


NO_CAPS = FeeCaps()


@dataclass(frozen=True)
class Limits:
    """Caps at one moment, in wei for a unit of gas; `usual_tip`: the most that is offered unless nodes ask for more."""

    fee: int
    tip: int
    usual_tip: int

    @classmethod
    def of(cls, caps: FeeCaps, history: Any) -> Limits:
        """From an answer to eth_feeHistory; one that makes no sense leaves the lower bounds."""
        base, tip = _recent(history)
        usual = min(max(USUAL_TIP, TIP_TIMES * tip), TIP_CAPS[1])
        most_tip = _within(usual, TIP_CAPS) if caps.tip is None else caps.tip
        most = _within(BASE_TIMES * base + most_tip, FEE_CAPS) if caps.fee is None else caps.fee
        return cls(most, min(most_tip, most), min(usual, most_tip))

    def lowest(self, other: Limits) -> Limits:
        return Limits(min(self.fee, other.fee), min(self.tip, other.tip), min(self.usual_tip, other.usual_tip))


@dataclass(frozen=True)
class GasPrice:
    """Wei for a unit of gas. `tip` None: a chain without base fees, where `fee` is the gas price."""

    fee: int
    tip: int | None

    def raised(self, market: GasPrice, cap: int, tip_cap: int | None = None) -> GasPrice | None:
        """What replaces this: 12.5 % more at least, and no less than the market where the caps allow it; None where no
        replacement is within them."""
        fee = min(max(_bumped(self.fee), market.fee), cap)
        tip = None
        if self.tip is not None:
            most = fee if tip_cap is None else min(fee, tip_cap)
            tip = min(most, max(_bumped(self.tip), market.tip or 0))
            if tip < min(_bumped(self.tip), fee):
                return None
        return GasPrice(fee, tip) if fee >= _bumped(self.fee) else None

    def meeting(self, tip: int | None, fee: int | None, limits: Limits) -> GasPrice:
        """What offers the tip and the fee that a node asks for; 12.5 % more where it names none. TooDear over a cap."""
        if self.tip is None:
            asked = max(fee or tip or 0, _bumped(self.fee))
            return GasPrice(_capped("gas price", asked, self.fee, limits.fee), None)
        most = _capped("tip", self.tip if fee else tip or _bumped(self.tip), self.tip, limits.tip)
        rest = max(self.fee - self.tip, 0)
        return GasPrice(_capped("fee", max(fee or 0, rest) + most, self.fee, limits.fee), most)

    def fields(self) -> dict[str, int]:
        """The transaction's fields."""
        if self.tip is None:
            return {"gasPrice": self.fee}
        return {"maxFeePerGas": self.fee, "maxPriorityFeePerGas": self.tip, "type": 2}


def _bumped(price: int) -> int:
    return -(-price * BUMP[0] // BUMP[1])


def _within(value: int, bounds: tuple[int, int]) -> int:
    return max(bounds[0], min(value, bounds[1]))


def _capped(what: str, asked: int, offered: int, cap: int) -> int:
    if max(asked, offered) > cap:
        raise TooDear(what, max(asked, offered), cap)
    return max(asked, offered)


HISTORY: Request = ("eth_feeHistory", [hex(HISTORY_BLOCKS), "latest", [HISTORY_PERCENTILE]])
PRICE_REQUESTS: list[Request] = [
    ("eth_getBlockByNumber", ["latest", False]),
    ("eth_maxPriorityFeePerGas", []),
    ("eth_gasPrice", []),
    HISTORY,
]


def market(answers: list[Any], limits: Limits | None = None) -> GasPrice:
    """The usual offer, from the answers to PRICE_REQUESTS: twice the base fee, and the node's tip on top, both within
    `limits` (by default what the history gives). TooDear where the base fee alone, or the gas price of a chain without
    base fees, is above them."""
    block, tip, price, *history = answers
    for answer in (block, price):
        if isinstance(answer, ChainUnavailable):
            raise answer
    if not isinstance(block, dict):
        raise Nonsense("the latest block", block)
    most = limits or Limits.of(FeeCaps(), history[0] if history else None)
    if block.get("baseFeePerGas") is None:
        return GasPrice(_capped("gas price", quantity(price, "eth_gasPrice"), 0, most.fee), None)
    base = quantity(block["baseFeePerGas"], "the base fee")
    if base > most.fee:
        raise TooDear("base fee", base, most.fee)
    suggested = DEFAULT_TIP if isinstance(tip, NodeError) else quantity(tip, "eth_maxPriorityFeePerGas")
    offered = min(suggested, most.usual_tip)
    fee = min(2 * base + offered, most.fee)
    return GasPrice(fee, min(offered, fee))


def _recent(history: Any) -> tuple[int, int]:
    """The highest base fee of recent blocks, and the middle one of their tips where any was paid; 0 where unknown."""
    try:
        bases = [quantity(base, "a base fee") for base in history["baseFeePerGas"]]
        tips = [tip for row in history.get("reward") or () if (tip := quantity(row[0], "a tip"))]
    except (ChainUnavailable, TypeError, KeyError, IndexError, AttributeError):
        return 0, 0
    return max(bases, default=0), statistics.median_low(tips) if tips else 0
