"""Offers for gas and their replacements."""

from __future__ import annotations

import pytest
from nodes import block

from protocol.chain.fees import Offer, market
from protocol.chain.rpc import NodeError
from protocol.errors import ChainUnavailable


def test_market__twice_the_base_fee_and_a_tip() -> None:
    assert market([block(1), "0x7", "0x1"]) == Offer(2 * 10**9 + 7, 7)


def test_market__no_tip_suggested__a_default() -> None:
    assert market([block(1), NodeError("eth_maxPriorityFeePerGas", -32601, "no"), "0x1"]).tip == 10**9


def test_market__no_base_fee__gas_price() -> None:
    old = {key: value for key, value in block(1).items() if key != "baseFeePerGas"}
    assert market([old, NodeError("x", -32601, "no"), "0x9"]) == Offer(9, None)
    assert Offer(9, None).fields() == {"gasPrice": 9}


@pytest.mark.parametrize("answers", [[None, "0x1", "0x1"], [{}, "0x1", None], [block(1), None, "0x1"]])
def test_market__nonsense(answers: list[object]) -> None:
    with pytest.raises(ChainUnavailable):
        market(answers)


@pytest.mark.parametrize("offer", [Offer(1, 1), Offer(100, 3), Offer(8 * 10**9, 10**9), Offer(77, None)])
def test_above__an_eighth_more_at_least(offer: Offer) -> None:
    more = offer.above(Offer(1, 1))
    assert 8 * more.fee >= 9 * offer.fee
    if offer.tip is not None:
        assert more.tip is not None and 8 * more.tip >= 9 * offer.tip or more.tip == more.fee


def test_above__the_market_at_least() -> None:
    assert Offer(100, 1).above(Offer(500, 50)) == Offer(500, 50)


def test_raised__stops_at_the_cap() -> None:
    assert Offer(100, 1).raised(Offer(500, 50), cap=300) == Offer(300, 50)
    assert Offer(280, 1).raised(Offer(500, 50), cap=300) is None
