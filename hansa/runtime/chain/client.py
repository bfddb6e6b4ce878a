"""One chain over several RPC endpoints: blocks, reads at a block, logs, and waiting for the next block."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hansa.protocol.errors import ChainUnavailable, WrongChain
from hansa.protocol.types import Address, BlockNumber, Timestamp
from hansa.runtime.chain.abi import BadEncoding, ContractError, Function
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.chain.heads import HeadSubscription
from hansa.runtime.chain.rpc import AllFailed, NodeError, Nonsense, Request, Rpc, TooSlow, first, octets, quantity

LISTENING = 2.0  # seconds after which a silent WebSocket is not relied on
POLL_LOCAL, POLL_REMOTE = 0.1, 1.0  # seconds between looks for a new block
LOGS_AT_ONCE = 100_000  # blocks in one request for logs; less where a node refuses

Reading = tuple[Address, Function, tuple[Any, ...]]  # contract, function, arguments


@dataclass(frozen=True)
class Block:
    number: BlockNumber
    timestamp: Timestamp
    hash: bytes
    parent: bytes = b""


@dataclass(frozen=True)
class Log:
    """One event as a node reports it; ordered by (block, index)."""

    block: BlockNumber
    index: int
    address: str  # lower case
    topics: tuple[bytes, ...]
    data: bytes


class Chain:
    """Typed access to one EVM chain. A node's failures raise ChainUnavailable; another chain raises WrongChain.

    Only numbers, times and hashes of blocks are read, so headers of proof-of-authority chains need no middleware.
    """

    def __init__(
        self,
        urls: Sequence[str],
        chain_id: int | None = None,
        *,
        ws: str | None = None,
        confirmations: int = 0,
        first_block: int = 0,
    ) -> None:
        self.rpc = Rpc(urls, chain_id)
        self.confirmations = confirmations
        self.first_block = first_block
        self._alarm = HeadSubscription(ws)
        self._seen = BlockNumber(-1)  # number of the last head
        self._heard = 0  # rings before the last head was asked for
        self._asked = 0.0  # when the node was last asked for a head, monotonic seconds
        self._span = LOGS_AT_ONCE

    @classmethod
    def of(cls, deployment: Deployment) -> Chain:
        """The chain that a deployment is on."""
        return cls(
            [deployment.expanded(url) for url in deployment.rpc],
            deployment.chain_id,
            ws=None if deployment.ws is None else deployment.expanded(deployment.ws),
            confirmations=deployment.confirmations,
            first_block=deployment.first_block,
        )

    @property
    def chain_id(self) -> int:
        return self.rpc.chain_id

    def close(self) -> None:
        """Ends the WebSocket's thread."""
        self._alarm.close()

    # --- blocks

    def head(self) -> Block:
        """The latest block."""
        self._heard, self._asked = self._alarm.rings, time.monotonic()
        block = self.block("latest")
        self._seen = block.number
        return block

    def block(self, number: int | str) -> Block:
        """A block by number or tag ('latest', 'earliest')."""
        asked = hex(number) if isinstance(number, int) else number
        found: list[Block] = []
        self.rpc.ask([_block_request(asked)], check=lambda answers: found.append(read_block(answers[0], asked)))
        return found[-1]

    def below(self, head: Block, depth: int) -> Block:
        """The block `depth` blocks under `head`; block 0 at least."""
        return head if depth == 0 else self.block(max(0, head.number - depth))

    def genesis(self) -> bytes:
        """Hash of block 0: tells a chain that was reset from the one that it was."""
        return self.block(0).hash

    # --- reads

    def read(self, readings: Sequence[Reading], at: Block | None = None) -> list[tuple[Any, ...]]:
        """Answers of contracts, in order, all at one block (the latest by default), in one request.

        Raises ContractError when one reverts, ChainUnavailable when `at` is not on the chain any more.
        """
        if not readings:
            return []
        tag = "latest" if at is None else hex(at.number)
        batch: list[Request] = [
            ("eth_call", [{"to": to, "data": "0x" + function.encode(*arguments).hex()}, tag])
            for to, function, arguments in readings
        ]
        if at is None:
            return self._results(readings, batch, None)
        batch.append(_block_request(tag))
        results = self._results(readings, batch, at)
        if self.rpc.mixes_blocks and self._look() != at.number:
            return self._results(readings, batch, at)
        return results

    def _results(
        self, readings: Sequence[Reading], batch: Sequence[Request], at: Block | None
    ) -> list[tuple[Any, ...]]:
        results: list[tuple[Any, ...]] = []

        def check(answers: list[Any]) -> None:
            if at is not None:
                _same(at, read_block(answers.pop(), hex(at.number)))
            results[:] = [
                () if isinstance(answer, ContractError) else _decoded(function, answer)
                for (_, function, _), answer in zip(readings, answers, strict=True)
            ]

        for answer in self.rpc.ask(batch, check=check):
            if isinstance(answer, ContractError):
                raise answer
        return results

    def code(self, address: Address) -> bytes:
        return octets(first(self.rpc.ask([("eth_getCode", [address, "latest"])])), "eth_getCode")

    def balance(self, address: Address, at: Block | None = None) -> int:
        """Of the chain's own coin, in wei."""
        tag = "latest" if at is None else hex(at.number)
        return quantity(first(self.rpc.ask([("eth_getBalance", [address, tag])])), "eth_getBalance")

    def require_contract(self, address: Address, what: str) -> None:
        """WrongChain where there is no contract."""
        if not self.code(address):
            raise WrongChain(
                f"there is no {what} at {address} on chain {self.chain_id}",
                cause="the chain was reset, or deployment.json belongs to another one",
                next_step="use that chain's own deployment.json, or deploy again into a new directory",
            )

    # --- logs

    def logs(self, address: Address, topics: Sequence[Any], start: int, end: Block) -> list[Log]:
        """Events from block `start` to `end`, in order, in as few requests as the node allows.

        topics: as in eth_getLogs: for each place bytes, a list of bytes, or None. The node's answer is checked for form
        and filter, and that `end` is still on the chain; that it is complete only accumulators can tell.
        """
        wanted = [_topic(topic) for topic in topics]
        found: list[Log] = []
        while start <= end.number:
            stop = min(end.number, start + self._span - 1)
            try:
                found += self._page(address, wanted, start, stop, end)
            except ChainUnavailable as error:
                if not _asks_too_much(error) or stop == start:
                    raise
                self._span = max(1, (stop - start + 1) // 2)
                continue
            start = stop + 1
        return found

    def _page(self, address: Address, topics: list[Any], start: int, stop: int, end: Block) -> list[Log]:
        query = {"address": address, "topics": topics, "fromBlock": hex(start), "toBlock": hex(stop)}
        found: list[Log] = []

        def check(answers: list[Any]) -> None:
            _same(end, read_block(answers[1], hex(end.number)))
            if not isinstance(answers[0], list):
                raise Nonsense("eth_getLogs", answers[0])
            found[:] = sorted((read_log(entry) for entry in answers[0]), key=lambda log: (log.block, log.index))
            for log in found:
                fits = all(_fits(log.topics, place, topic) for place, topic in enumerate(topics))
                if not (start <= log.block <= stop and log.address == address.lower() and fits):
                    raise Nonsense("eth_getLogs", log)

        self.rpc.ask([("eth_getLogs", [query]), _block_request(hex(end.number))], check=check)
        return found

    # --- waiting

    def wait(self, timeout: float) -> bool:
        """Returns True as soon as there may be another block than the last `head`, False after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        poll = POLL_LOCAL if self.rpc.local else POLL_REMOTE
        while (left := deadline - time.monotonic()) > 0:
            listening = self._alarm.alive and time.monotonic() < self._asked + LISTENING
            if self._alarm.wait(self._heard, min(left, LISTENING if listening else poll)):
                return True
            if not listening and self._look() != self._seen:
                return True
        return False

    def _look(self) -> int:
        self._asked = time.monotonic()
        return quantity(first(self.rpc.ask([("eth_blockNumber", [])])), "eth_blockNumber")


def read_block(value: Any, what: str) -> Block:
    if not isinstance(value, dict):
        raise ChainUnavailable(f"block {what} is not there") if value is None else Nonsense(f"block {what}", value)
    number, stamp = (quantity(value.get(name), f"a block's {name}") for name in ("number", "timestamp"))
    if number >= 2**63 or stamp >= 2**63 or (what.startswith("0x") and number != int(what, 16)):
        raise Nonsense(f"block {what}", value.get("number"))
    own, parent = (octets(value.get(name), f"a block's {name}", 32) for name in ("hash", "parentHash"))
    return Block(BlockNumber(number), Timestamp(stamp), own, parent)


def read_log(value: Any) -> Log:
    if not isinstance(value, dict) or not isinstance(value.get("topics"), list) or value.get("removed"):
        raise Nonsense("an event", value)
    return Log(
        BlockNumber(quantity(value.get("blockNumber"), "an event's block")),
        quantity(value.get("logIndex"), "an event's index"),
        "0x" + octets(value.get("address"), "an event's address", 20).hex(),
        tuple(octets(topic, "an event's topic", 32) for topic in value["topics"]),
        octets(value.get("data"), "an event's data"),
    )


def _block_request(tag: str) -> Request:
    return ("eth_getBlockByNumber", [tag, False])


def _same(expected: Block, found: Block) -> None:
    if expected.hash != found.hash:
        raise ChainUnavailable(f"block {expected.number} is not on the chain any more", cause="it was reorganised")


def _decoded(function: Function, answer: Any) -> tuple[Any, ...]:
    data = octets(answer, function.name)
    if not data and function.outputs:
        raise WrongChain(
            f"nothing answers {function.name}",
            cause="there is no such contract: the chain was reset, or deployment.json belongs to another one",
            next_step="use that chain's own deployment.json, or deploy again into a new directory",
        )
    try:
        return function.decode(data)
    except BadEncoding as error:
        raise Nonsense(function.name, error) from error


def _topic(topic: Any) -> Any:
    if isinstance(topic, bytes):
        return "0x" + topic.hex()
    return [_topic(item) for item in topic] if isinstance(topic, list) else topic


def _fits(topics: Sequence[bytes], place: int, wanted: Any) -> bool:
    if wanted is None:
        return True
    got = "0x" + topics[place].hex() if place < len(topics) else ""
    return got in wanted if isinstance(wanted, list) else got == wanted


def _asks_too_much(error: ChainUnavailable) -> bool:
    """Whether a node refused, or did not manage, a request that it may answer in parts."""
    failures = error.failures if isinstance(error, AllFailed) else [error]
    return any(isinstance(failure, NodeError | TooSlow) for failure in failures)
