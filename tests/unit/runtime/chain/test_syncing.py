"""An endpoint that fills itself from its peers is no other opinion, where two others agree; a lie stays one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from nodes import block, block_of, chain_of

from hansa.protocol.errors import ChainUnavailable
from hansa.protocol.types import Address
from hansa.runtime.chain.client import read_block
from hansa.runtime.chain.node_errors import NodeError
from hansa.runtime.chain.witness import Stance
from hansa.runtime.transactions.account import AccountWitness
from hansa.runtime.transactions.gas_price import GasPrice
from hansa.runtime.transactions.outcome import Sent
from hansa.runtime.transactions.sender import Call

ME = Address("0x" + "11" * 20)
HASH = b"\x07" * 32
PROGRESS = {"startingBlock": "0x0", "currentBlock": "0x9", "highestBlock": "0xfa"}
REFUSED = NodeError("eth_syncing", -32601, "the method eth_syncing is not allowed")
AT = 200


def node(latest: int = 250, fork: int = 0, says: object = False, count: int = 5, receipt: bool = True) -> Any:
    """An honest node whose head is `latest`, unless it is told to say something else."""

    def answer(method: str, params: Sequence[Any]) -> Any:
        match method:
            case "eth_chainId":
                return "0x1"
            case "eth_syncing":
                return says
            case "eth_getTransactionCount":
                return hex(count)
            case "eth_getTransactionReceipt":
                its = {"transactionHash": "0x" + HASH.hex(), "blockNumber": hex(AT), "gasUsed": "0x1", "status": "0x1"}
                return {**its, "blockHash": block(AT, fork)["hash"], "logs": []} if receipt else None
        if params[0] == hex(AT):
            return block(AT, fork) if latest >= AT else None
        return block_of(params[0], latest)

    return answer


def dead(method: str, params: Sequence[Any]) -> Any:
    raise ChainUnavailable("node does not answer")


def behind(says: object = PROGRESS, latest: int = 9) -> Any:
    return node(latest, says=says, count=0, receipt=False)


def stances(*answers: Callable[..., Any]) -> tuple[bool, list[Stance]]:
    found = chain_of(*answers).witnessed(read_block(block(AT), hex(AT)))
    return found.agreed, list(found.told.values())


AGREES, DIFFERS, BEHIND, SYNCING = Stance.AGREES, Stance.DIFFERS, Stance.BEHIND, Stance.SYNCING


def test_a_node_that_is_syncing__is_not_counted__where_two_others_agree__and_is_named() -> None:
    assert stances(node(), behind(), node()) == (True, [AGREES, SYNCING, AGREES])
    chain = chain_of(node(), node(), behind())
    told = str(chain.witnessed(read_block(block(AT), hex(AT))))
    assert "node2.example (3) is syncing, far behind, and not counted" in told
    assert chain.rpc.endpoints[0].asked.count("eth_syncing") == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("says", [False, None, "0x1", REFUSED])
def test_a_node_far_behind_that_does_not_call_itself_syncing__differs(says: object) -> None:
    """So two that invent blocks don't silence an honest node, which is at its own head."""
    assert stances(node(), behind(says), node()) == (False, [AGREES, DIFFERS, AGREES])


def test_one_other_alone__does_not_outweigh_a_node_that_is_syncing() -> None:
    assert stances(node(), behind()) == (False, [AGREES, DIFFERS])
    assert stances(node(), behind(), dead) == (False, [AGREES, DIFFERS, Stance.SILENT])
    assert stances(node(), node(fork=1), behind()) == (False, [AGREES, DIFFERS, DIFFERS])


def test_who_calls_itself_syncing__is_no_less_held_to_what_it_tells() -> None:
    assert stances(node(), node(), node(fork=1, says=PROGRESS)) == (False, [AGREES, AGREES, DIFFERS])
    assert stances(node(), node(), behind(latest=199)) == (False, [AGREES, AGREES, BEHIND])
    assert stances(node(), node(), behind(), behind(latest=199)) == (False, [AGREES, AGREES, SYNCING, BEHIND])


def account(*answers: Callable[..., Any]) -> AccountWitness:
    chain = chain_of(*answers)
    chain.floor.saw(250)
    return AccountWitness(chain, ME)


@pytest.mark.parametrize(
    ("third", "used"),
    [(behind(), 5), (behind(says=False), 0), (node(count=3, says=PROGRESS), 3), (node(count=1005), 5)],
)
def test_nonces__of_a_node_that_is_syncing__are_not_counted(third: Callable[..., Any], used: int) -> None:
    assert account(node(), node(), third).counts(["0x5", "0x5"])[0] == used


def test_nonces__of_one_that_invents__are_not_carried_by_a_node_that_is_syncing() -> None:
    assert account(node(count=1005), node(), behind()).counts([hex(1005), hex(1005)])[0] == 0
    assert account(node(), behind()).counts(["0x5", "0x5"])[0] == 0


@pytest.mark.parametrize(
    ("others", "believed"),
    [
        ([node(), behind()], True),
        ([behind()], False),
        ([node(), behind(says=False)], False),
        ([node(), node(receipt=False, says=PROGRESS)], False),
        ([node(), node(9, fork=1, says=PROGRESS)], False),
        ([node(fork=1), behind()], False),
    ],
)
def test_receipts__that_a_node_that_is_syncing_lacks__are_believed(others: list[Any], believed: bool) -> None:
    sent = Sent(HASH, 4, b"", Call(None, b"", ""), 1, GasPrice(1, 1), 1, ())
    assert bool(account(node(), *others).receipts([sent])) == believed
