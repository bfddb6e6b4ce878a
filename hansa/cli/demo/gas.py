"""What every call cost: all transactions of a local chain, by contract and function."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import mean
from typing import Any

from hansa.devnet.anvil import rpc_batch
from hansa.runtime.chain.abi import artifact

CALLS = {
    "submit": "submit",
    "commitScores": "commit",
    "revealScores": "reveal",
    "vote": "vote",
    "finalize": "finalize",
    "open": "open",
    "claim": "claim",
}
"""Functions as the report names them."""
OF_A_ROUND = frozenset({"submit", "commit", "reveal", "vote", "finalize", "open", "failRound"})
AT_ONCE = 200


@dataclass
class Gas:
    """Gas by call, every transaction's, and by round, failed attempts at it included."""

    by_call: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    by_round: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    reverted: int = 0  # transactions that cost gas and did nothing
    transactions: int = 0

    def mean(self, call: str) -> int:
        """0 where nobody called it."""
        return round(mean(self.by_call[call])) if self.by_call.get(call) else 0


def gas_used(url: str, contracts: Mapping[str, str], first: int, last: int) -> Gas:
    """Walks blocks `first` to `last`. contracts: artifact names by lower-case address."""
    names = {
        (address, "0x" + function.selector.hex()): CALLS.get(function.name, function.name)
        for address, contract in contracts.items()
        for function in artifact(contract).functions.values()
    }
    gas = Gas()
    number = 1
    for start in range(first, last + 1, AT_ONCE):
        heights = [hex(height) for height in range(start, min(start + AT_ONCE, last + 1))]
        blocks = rpc_batch(url, [("eth_getBlockByNumber", [height, True]) for height in heights])
        full = [(height, block) for height, block in zip(heights, blocks, strict=True) if block["transactions"]]
        receipts = rpc_batch(url, [("eth_getBlockReceipts", [height]) for height, _ in full])
        for (_, block), got in zip(full, receipts, strict=True):
            for transaction, receipt in zip(block["transactions"], got, strict=True):
                number = _count(gas, names, transaction, receipt, number)
    return gas


def _count(
    gas: Gas, names: Mapping[tuple[str, str], str], transaction: Mapping[str, Any], receipt: Mapping[str, Any], now: int
) -> int:
    """Adds one transaction; the round that the next one belongs to."""
    name = names.get((str(transaction["to"] or "").lower(), transaction["input"][:10]))
    gas.transactions += 1
    if name is None:
        return now
    used = int(receipt["gasUsed"], 16)
    if name in OF_A_ROUND:
        gas.by_round[now] += used
    if int(receipt["status"], 16) == 0:
        gas.reverted += 1
        return now
    gas.by_call[name].append(used)
    ended = any(log["topics"][:1] == ["0x" + _finalized().hex()] for log in receipt["logs"])
    return now + 1 if ended else now


def _finalized() -> bytes:
    return artifact("Federation").event("RoundFinalized").topic
