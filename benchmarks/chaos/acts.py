"""What accounts did on the chain that stands: the calls of its transactions, those within others too."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from eth_utils.address import to_checksum_address

from benchmarks.chaos.checks import OF_A_CYCLE, Act
from hansa.devnet.anvil import rpc
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.typed_data import SIGNED_CALLS
from hansa.protocol.types import Address, CycleId
from hansa.runtime.chain.abi import Function, artifact, decode_exactly
from hansa.runtime.chain.deployment import Deployment

WITH_CYCLE = OF_A_CYCLE | {"finalize", "failRound"}


@functools.cache
def functions() -> dict[bytes, Function]:
    """Of the contracts that daemons call, by selector."""
    known = [artifact(name).functions.values() for name in ("Federation", "Vault", "RewardToken")]
    return {function.selector: function for some in known for function in some}


def acts(
    url: str, deployment: Deployment, names: Mapping[Address, str], first: int, last: int
) -> tuple[list[Act], int]:
    """Of blocks first to last, and how many of these the node does not find any more: where it mined while it
    reorganised, anvil has holes in its index, by number or by hash. names: of accounts, by address."""
    found: list[Act] = []
    lost, parent = 0, ""
    for number in range(last, first - 1, -1):
        block = rpc(url, "eth_getBlockByHash", parent, True) if parent else None
        block = block or rpc(url, "eth_getBlockByNumber", hex(number), True)
        if block is None:
            lost, parent = lost + 1, ""
            continue
        found = [*_in(block, rpc(url, "eth_getBlockReceipts", block["hash"]), deployment, names), *found]
        parent = block["parentHash"]
    return found, lost


def _in(block: Any, receipts: Any, deployment: Deployment, names: Mapping[Address, str]) -> Iterator[Act]:
    for transaction, receipt in zip(block["transactions"], receipts, strict=True):
        if transaction["to"] is not None and to_checksum_address(transaction["to"]) in _ours(deployment):
            yield from _of(transaction, receipt, names)


def _ours(deployment: Deployment) -> frozenset[str]:
    return frozenset({deployment.federation, deployment.vault, deployment.token})


def _of(transaction: Mapping[str, Any], receipt: Mapping[str, Any], names: Mapping[Address, str]) -> Iterator[Act]:
    sender = to_checksum_address(transaction["from"])
    worked, block = int(receipt["status"], 16) == 1, int(receipt["blockNumber"], 16)
    for by, call, cycle, arguments in _calls(sender, bytes.fromhex(transaction["input"][2:])):
        yield Act(names.get(Address(by), by), call, cycle, arguments, block, worked, by != sender)


def _calls(sender: str, data: bytes) -> Iterator[tuple[str, str, int, str]]:
    """Whose it is, name, counter of the cycle, arguments."""
    function = functions().get(data[:4])
    if function is None:
        return
    if function.name == "multicall":
        (inner,) = decode_exactly(["bytes[]"], data[4:])
        for one in inner:
            yield from _calls(sender, bytes(one))
        return
    own = SIGNED_CALLS[function.name][0] if function.name in SIGNED_CALLS else function.name
    cycle = cycle_counter(CycleId(int.from_bytes(data[36:68], "big"))) if own in WITH_CYCLE else 0
    if own == function.name:
        yield sender, own, cycle, data[4:].hex()
        return
    values = dict(zip((field.name for field in function.inputs), function.read(data[4:]), strict=True))
    said = [value for name, value in values.items() if name not in ("account", "signature", "deadline")]
    yield to_checksum_address(values["account"]), own, cycle, str(said)
