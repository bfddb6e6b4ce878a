"""One account's transactions as every endpoint tells them: none alone opens a gap of nonces, or invents a receipt."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from hansa.protocol.errors import ChainUnavailable, HansaError
from hansa.protocol.types import Address
from hansa.runtime.chain.blocks import Block, block_request, read_block
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.rpc import Endpoint, NodeError, Nonsense, Request, first, octets, quantity
from hansa.runtime.chain.witness import OTHERS, syncing
from hansa.runtime.transactions.outcome import Sent

Receipt = Mapping[str, Any]


class AccountWitness:
    """With one endpoint what it says is believed; of several, what all that answer say.

    signed: the nonce after the last that this process signed with.
    """

    def __init__(self, chain: Chain, address: Address) -> None:
        self.chain = chain
        self.signed = 0
        self._used = -1  # nonces that are used, as all say; −1: not known
        self.count_requests: list[Request] = [
            ("eth_getTransactionCount", [address, tag]) for tag in ("latest", "pending")
        ]

    def counts(self, answers: Sequence[Any]) -> tuple[int, int]:
        """How many nonces are used, and with what is pending, from one endpoint's answers to `count_requests`.

        The others are asked where that is not what was to be expected. Where they differ, the lowest counts, as a nonce
        too low is refused, but never less than is known. One that is far behind and syncing is left out where two
        others count the same.
        """
        count, pending = _counts(answers)
        expected = count == self._used and pending <= max(count, self.signed)
        if len(self.chain.rpc.endpoints) == 1 or expected:
            return count, pending
        each: dict[Endpoint, tuple[int, int]] = {}
        for endpoint, its in self.chain.rpc.ask_each(self.count_requests).items():
            try:
                each |= {} if isinstance(its, HansaError) else {endpoint: _counts(its)}
            except ChainUnavailable:
                continue
        if any(its < count for its, _ in each.values()):
            late = syncing(self.chain.rpc, self.chain.floor.known)
            rest = {endpoint: its for endpoint, its in each.items() if endpoint not in late}
            if len(rest) >= OTHERS and all(its == count for its, _ in rest.values()):
                each = rest
        told = [(count, pending), *each.values()]
        lowest = min(its for its, _ in told)
        agreed = all(its == count for its, _ in told)
        self._used = lowest if agreed else max(lowest, self._used)
        return self._used, max(self._used, min(its for _, its in told))

    def receipts(self, known: Sequence[Sent]) -> list[tuple[Sent, Receipt]]:
        """Of those that are mined, as all that answer say."""
        found: list[tuple[Sent, Receipt]] = []

        def check(answers: list[Any]) -> None:
            found[:] = [
                (sent, _receipt(sent, answer))
                for sent, answer in zip(known, answers, strict=True)
                if answer is not None
            ]

        self.chain.rpc.ask([_receipt_request(sent) for sent in known], check=check)
        agreed = self._agreed(found)
        for sent, receipt in agreed:
            self.chain.floor.saw(int(receipt["blockNumber"], 16))
            self._used = max(self._used, sent.nonce + 1)
        return agreed

    def _agreed(self, found: list[tuple[Sent, Receipt]]) -> list[tuple[Sent, Receipt]]:
        """Those that every endpoint gives alike, but for one that is far behind and syncing, and has none, where two
        others do. Another is preferred where some are not: this one may invent them."""
        if not found or len(self.chain.rpc.endpoints) == 1:
            return found
        each = self.chain.rpc.ask_each([_receipt_request(sent) for sent, _ in found])
        answers = {endpoint: its for endpoint, its in each.items() if not isinstance(its, HansaError)}

        def alike(late: Collection[Endpoint]) -> list[tuple[Sent, Receipt]]:
            """As all say but for those that are late and say nothing, whom two others must outweigh."""
            kept: list[tuple[Sent, Receipt]] = []
            for place, (sent, receipt) in enumerate(found):
                counted = [its[place] for one, its in answers.items() if its[place] is not None or one not in late]
                said = [_same(receipt, its) for its in counted if not isinstance(its, NodeError)]
                if all(said) and (len(counted) == len(answers) or len(said) >= OTHERS):
                    kept.append((sent, receipt))
            return kept

        agreed = alike(())
        if len(agreed) < len(found):
            lowest = min(int(receipt["blockNumber"], 16) for _, receipt in found)
            agreed = alike(syncing(self.chain.rpc, lowest))
        if len(agreed) < len(found):
            self.chain.rpc.rotate()
        return agreed

    def is_spent(self, known: Sequence[Sent]) -> bool:
        """Whether another transaction than these, which have one nonce, took it for good: `confirmations` deep, every
        endpoint that answers counts past it and has a receipt of none of them."""
        deep = self.chain.below(self.chain.head(), self.chain.confirmations)
        (method, (address, _)), tag = self.count_requests[0], hex(deep.number)
        batch = [*map(_receipt_request, known), (method, [address, tag]), block_request(tag)]
        told = [answers for answers in self.chain.rpc.ask_each(batch).values() if not isinstance(answers, HansaError)]
        return bool(told) and all(_passed(known[-1].nonce, deep, answers) for answers in told)


def _counts(answers: Sequence[Any]) -> tuple[int, int]:
    """Used nonces, and those with what is pending: as many where a node has no pending block."""
    latest, pending = answers
    count = quantity(first([latest]), "eth_getTransactionCount")
    with_pending = count if isinstance(pending, NodeError) else quantity(pending, "eth_getTransactionCount")
    return count, max(count, with_pending)


def _receipt_request(sent: Sent) -> Request:
    return ("eth_getTransactionReceipt", ["0x" + sent.hash.hex()])


def _receipt(sent: Sent, answer: Any) -> Receipt:
    if not isinstance(answer, dict) or octets(answer.get("transactionHash"), "a receipt", 32) != sent.hash:
        raise Nonsense("a receipt", answer)
    for name in ("blockNumber", "gasUsed", "status"):
        quantity(answer.get(name), f"a receipt's {name}")
    return answer


def _same(receipt: Receipt, other: Any) -> bool:
    """Whether another endpoint's receipt puts the transaction into the same block, with the same outcome and events."""

    def told(whole: Receipt) -> list[Any]:
        logs = [[log["address"].lower(), log["topics"], log["data"]] for log in whole["logs"]]
        return [whole["blockHash"], int(whole["status"], 16), logs]

    try:
        return told(receipt) == told(other)
    except (KeyError, TypeError, ValueError, AttributeError):
        return False


def _passed(nonce: int, deep: Block, answers: Sequence[Any]) -> bool:
    """Whether a node, at block `deep`, counts past a nonce, and has no receipt of those asked for."""
    *receipts, count, block = answers
    try:
        there = read_block(block, hex(deep.number)).hash == deep.hash
        counted = quantity(first([count]), "eth_getTransactionCount")
    except ChainUnavailable:
        return False
    return there and counted > nonce and all(receipt is None for receipt in receipts)
