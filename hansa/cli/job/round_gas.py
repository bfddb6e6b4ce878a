"""What the rounds of a job cost, on any chain: the receipts of the transactions that left its events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from hansa.protocol.errors import ChainUnavailable
from hansa.protocol.phases import STEP_OF
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.client import Block, Chain
from hansa.runtime.chain.federation import Federation
from hansa.runtime.chain.node_errors import NodeError, each
from hansa.runtime.chain.rpc import Nonsense, quantity
from hansa.runtime.history.records import JobHistory

ENDS = "RoundFinalized"
OF_A_ROUND = ("CycleOpened", "UpdateSubmitted", *STEP_OF, "CycleFailed", ENDS)
"""Events of what is done for a round. Posting, enrolling and claiming belong to none."""


def gas_by_round(federation: Federation, history: JobHistory, at: Block) -> dict[int, int]:
    """The gas of every finalised round, failed cycles before it included; a round is left out where the node does not
    have all its receipts any more.

    Transactions that were reverted left no event, and are not in it. One that did several things counts once, for the
    round of the first.
    """
    event = artifact("Federation").event
    topics = [[event(name).topic for name in OF_A_ROUND], history.job.to_bytes(32, "big")]
    by_round: dict[int, dict[bytes, None]] = defaultdict(dict)
    now, last = 1, b""
    for log in federation.chain.logs(federation.address, topics, history.posted.block, at):
        if not log.transaction or log.transaction != last:
            by_round[now][log.transaction] = None
        last = log.transaction
        now += log.topics[0] == event(ENDS).topic
    finalised = {number: list(by_round[number]) for number in range(1, len(history.finalised) + 1)}
    used = _receipts(federation.chain, [sent for hashes in finalised.values() for sent in hashes if sent])
    return {
        number: sum(used[sent] for sent in hashes)
        for number, hashes in finalised.items()
        if all(sent in used for sent in hashes)
    }


def _receipts(chain: Chain, hashes: Sequence[bytes]) -> dict[bytes, int]:
    """The gas of each transaction that the node has a receipt of; of none where it refuses to tell."""
    used: dict[bytes, int] = {}

    def check(answers: list[Any]) -> None:
        used.clear()
        for sent, answer in zip(hashes, answers, strict=True):
            if answer is None:
                continue
            if not isinstance(answer, dict):
                raise Nonsense("eth_getTransactionReceipt", answer)
            used[sent] = quantity(answer.get("gasUsed"), "a receipt's gas")

    try:
        chain.rpc.ask([("eth_getTransactionReceipt", ["0x" + sent.hex()]) for sent in hashes], check=check)
    except ChainUnavailable as error:
        if not any(isinstance(failure, NodeError) for failure in each(error)):
            raise
        used.clear()
    return used
