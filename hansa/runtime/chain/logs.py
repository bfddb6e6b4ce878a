"""Events, in as few requests as a node allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from hansa.protocol.errors import ChainUnavailable
from hansa.protocol.types import Address
from hansa.runtime.chain.blocks import Block, Log, block_request, read_block, read_log, same_block
from hansa.runtime.chain.endpoint import Request
from hansa.runtime.chain.node_errors import NodeError, Nonsense, TooLong, TooSlow, each

LOGS_AT_ONCE = 100_000  # blocks in one request; less where a node refuses
LOGS_REST = 2.0  # seconds after a node refused a span, before longer ones are tried again

Ask = Callable[[Sequence[Request], Callable[[list[Any]], None], str], None]  # requests, check, the block they end at


class LogReader:
    """Pages of events, as long as the node takes: shorter after a refusal, and longer again."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._span, self._refused = LOGS_AT_ONCE, 0.0  # blocks at once, and when a node took fewer

    def read(self, address: Address, topics: Sequence[Any], start: int, end: Block) -> list[Log]:
        """See Chain.logs."""
        found: list[Log] = []
        while start <= end.number:
            stop = min(end.number, start + self._span - 1)
            try:
                found += self._page(address, topics, start, stop, end)
            except ChainUnavailable as error:
                stated = _asks_for_less(error)
                if stated is None or stop == start:
                    raise
                length = stop - start + 1
                self._span = stated if 0 < stated < length else length // 2
                self._refused = time.monotonic()
                continue
            if time.monotonic() > self._refused + LOGS_REST:
                self._span = min(2 * self._span, LOGS_AT_ONCE)
            start = stop + 1
        return found

    def _page(self, address: Address, topics: Sequence[Any], start: int, stop: int, end: Block) -> list[Log]:
        tag = hex(end.number)
        found: list[Log] = []

        def check(answers: list[Any]) -> None:
            same_block(end, read_block(answers[1], tag))
            found[:] = checked_logs(answers[0], address, topics, start, stop)

        self._ask([logs_request(address, topics, start, hex(stop)), block_request(tag)], check, tag)
        return found


def logs_request(address: Address, topics: Sequence[Any], start: int, stop: str) -> Request:
    """What asks for the events of one span of blocks. stop: a tag."""
    wanted = [_topic(topic) for topic in topics]
    return ("eth_getLogs", [{"address": address, "topics": wanted, "fromBlock": hex(start), "toBlock": stop}])


def checked_logs(answer: Any, address: Address, topics: Sequence[Any], start: int, stop: int) -> list[Log]:
    """A node's events, in order. Nonsense where they are none, or others than were asked for."""
    if not isinstance(answer, list):
        raise Nonsense("eth_getLogs", answer)
    found = sorted((read_log(entry) for entry in answer), key=lambda log: (log.block, log.index))
    wanted = [_topic(topic) for topic in topics]
    for log in found:
        fits = all(_fits(log.topics, place, topic) for place, topic in enumerate(wanted))
        if not (start <= log.block <= stop and log.address == address.lower() and fits):
            raise Nonsense("eth_getLogs", log)
    return found


def _topic(topic: Any) -> Any:
    if isinstance(topic, bytes):
        return "0x" + topic.hex()
    return [_topic(item) for item in topic] if isinstance(topic, list) else topic


def _fits(topics: Sequence[bytes], place: int, wanted: Any) -> bool:
    if wanted is None:
        return True
    got = "0x" + topics[place].hex() if place < len(topics) else ""
    return got in wanted if isinstance(wanted, list) else got == wanted


def _asks_for_less(error: ChainUnavailable) -> int | None:
    """None where a shorter span can't help; else how many blocks a node says that it allows, 0 where none says so."""
    failures = [
        failure
        for failure in each(error)
        if isinstance(failure, TooSlow | TooLong)
        or (isinstance(failure, NodeError) and not failure.rate_limited and not failure.is_behind)
    ]
    stated = [failure.blocks for failure in failures if isinstance(failure, NodeError) and failure.blocks]
    return max(stated, default=0) if failures else None
