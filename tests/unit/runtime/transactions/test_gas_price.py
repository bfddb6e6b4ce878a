"""Offers for gas and their replacements."""

from __future__ import annotations

import pytest
from nodes import block

from hansa.protocol.errors import ChainUnavailable
from hansa.runtime.chain.rpc import NodeError
from hansa.runtime.transactions.gas_price import GWEI, FeeCaps, GasPrice, Limits, TooDear, market


def test_market__twice_the_base_fee_and_a_tip() -> None:
    assert market([block(1), "0x7", "0x1"]) == GasPrice(2 * 10**9 + 7, 7)


def test_market__no_tip_suggested__a_default() -> None:
    assert market([block(1), NodeError("eth_maxPriorityFeePerGas", -32601, "no"), "0x1"]).tip == 10**9


def test_market__no_base_fee__gas_price() -> None:
    old = {key: value for key, value in block(1).items() if key != "baseFeePerGas"}
    assert market([old, NodeError("x", -32601, "no"), "0x9"]) == GasPrice(9, None)
    assert GasPrice(9, None).fields() == {"gasPrice": 9}


def test_market__no_base_fee_and_a_gas_price_above_the_cap__is_too_dear() -> None:
    old = {key: value for key, value in block(1).items() if key != "baseFeePerGas"}
    limits = Limits.of(FeeCaps(fee=5 * GWEI), None)
    assert market([old, "0x1", hex(5 * GWEI)], limits) == GasPrice(5 * GWEI, None)
    with pytest.raises(TooDear, match=r"the gas price .* 7 gwei, is above the cap of 5 gwei.*--max-fee-gwei"):
        market([old, "0x1", hex(7 * GWEI)], limits)


@pytest.mark.parametrize("answers", [[None, "0x1", "0x1"], [{}, "0x1", None], [block(1), None, "0x1"]])
def test_market__nonsense(answers: list[object]) -> None:
    with pytest.raises(ChainUnavailable):
        market(answers)


@pytest.mark.parametrize("offer", [GasPrice(1, 1), GasPrice(100, 3), GasPrice(8 * 10**9, 10**9), GasPrice(77, None)])
def test_raised__an_eighth_more_at_least(offer: GasPrice) -> None:
    more = offer.raised(GasPrice(1, 1), cap=10**30)
    assert more is not None and 8 * more.fee >= 9 * offer.fee
    if offer.tip is not None:
        assert more.tip is not None and 8 * more.tip >= 9 * offer.tip or more.tip == more.fee


def test_raised__the_market_at_least() -> None:
    assert GasPrice(100, 1).raised(GasPrice(500, 50), cap=10**30) == GasPrice(500, 50)


def test_raised__stops_at_the_cap() -> None:
    assert GasPrice(100, 1).raised(GasPrice(500, 50), cap=300) == GasPrice(300, 50)
    assert GasPrice(280, 1).raised(GasPrice(500, 50), cap=300) is None
