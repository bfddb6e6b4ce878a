"""What clients say when they don't take a transaction, each in its own words."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from nodes import chain_of

from hansa.protocol.errors import ChainUnavailable
from hansa.protocol.types import Address
from hansa.runtime.chain.abi import ContractError
from hansa.runtime.chain.node_errors import NodeError
from hansa.runtime.transactions.gas_price import NO_CAPS
from hansa.runtime.transactions.mempool import CantPay, Mempool, Underpriced
from hansa.runtime.transactions.outcome import Sent

SENT = cast(Sent, SimpleNamespace(raw=b"x", hash=bytes(32)))
KNOWN = [
    ("geth", "already known"),
    ("geth", "known transaction: 12ab"),
    ("Nethermind", "AlreadyKnown"),
    ("Besu", "Known transaction"),
    ("Erigon", "already known"),
    ("Erigon", "INTERNAL_ERROR: existing tx with same hash"),
    ("Reth", "already known"),
    ("anvil", "transaction already imported"),
]
SUPERSEDED = [
    ("geth", "replacement transaction underpriced"),
    ("Nethermind", "ReplacementNotAllowed"),
    ("Besu", "Replacement transaction underpriced"),
    ("Erigon", "could not replace existing tx"),
    ("Ganache", "the tx doesn't have the correct nonce. account has nonce of: 5 tx has nonce of: 4"),
    ("Ganache", "transaction can't be replaced, mining has already started."),
]
LATE = [
    ("geth", "nonce too low: next nonce 5, tx nonce 4"),
    ("Nethermind", "OldNonce"),
    ("Nethermind", "OldNonce, Current nonce: 5, nonce of rejected tx: 4"),
    ("Besu", "Nonce too low"),
    ("Erigon", "INTERNAL_ERROR: nonce too low"),
    ("Reth", "nonce too low: next nonce 5, tx nonce 4"),
    ("anvil", "nonce too low"),
]
CHEAP = [
    ("geth", "transaction underpriced: tip needed 1, tip permitted 0"),
    ("geth", "max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1, baseFee: 7"),
    ("Nethermind", "FeeTooLow, MaxFeePerGas too low. MaxFeePerGas: 1, BaseFee: 7"),
    ("Nethermind", "FeeTooLowToCompete"),
    ("Besu", "Gas price below configured minimum gas price"),
    ("Erigon", "fee too low"),
]
BROKE = [
    ("geth", "insufficient funds for gas * price + value: balance 0, tx cost 21000"),
    ("Nethermind", "InsufficientFunds"),
    ("Nethermind", "InsufficientFunds, Account balance: 0, cumulative cost: 21000"),
    ("Besu", "Upfront cost exceeds account balance"),
    ("Erigon", "insufficient funds"),
    ("Reth", "insufficient funds for gas * price + value: have 0 want 21000"),
    ("anvil", "Insufficient funds for gas * price + value"),
    (
        "Ganache",
        "sender doesn't have enough funds to send tx. The upfront cost is: 1 and the sender's account only has: 0",
    ),
]


def mempool(reason: str) -> Mempool:
    """Over a node that refuses every request so."""

    def answer(method: str, params: object) -> object:
        return "0x1" if method == "eth_chainId" else NodeError(method, -32000, reason)

    return Mempool(chain_of(answer), Address("0x" + "11" * 20), NO_CAPS)


@pytest.mark.parametrize(("client", "reason"), KNOWN + SUPERSEDED)
def test_broadcast__what_a_node_has_already_or_has_better__is_no_failure(client: str, reason: str) -> None:
    assert mempool(reason).broadcast(SENT), client


@pytest.mark.parametrize(("client", "reason"), LATE)
def test_broadcast__a_nonce_that_is_mined__is_told(client: str, reason: str) -> None:
    assert not mempool(reason).broadcast(SENT), client


@pytest.mark.parametrize(("client", "reason"), CHEAP)
def test_broadcast__too_little_for_a_node__is_underpriced(client: str, reason: str) -> None:
    with pytest.raises(Underpriced):
        mempool(reason).broadcast(SENT)


@pytest.mark.parametrize(("client", "reason"), BROKE)
def test_broadcast__an_account_without_coin__cannot_pay(client: str, reason: str) -> None:
    with pytest.raises(CantPay, match="send it some of the chain's own coin"):
        mempool(reason).broadcast(SENT)


@pytest.mark.parametrize("reason", ["NonceGap, Future nonce. Expected nonce: 5", "unknown transaction type"])
def test_broadcast__what_nobody_knows__is_the_nodes_own_refusal(reason: str) -> None:
    with pytest.raises(ChainUnavailable, match=reason):
        mempool(reason).broadcast(SENT)


@pytest.mark.parametrize("reason", ["out of gas", "OutOfGas", "gas required exceeds allowance (30000000)"])
def test_an_estimate__above_what_a_block_holds__is_out_of_gas(reason: str) -> None:
    found = mempool(reason)._refusal(NodeError("eth_estimateGas", -32000, reason))
    assert isinstance(found, ContractError) and found.name == "OutOfGas"
