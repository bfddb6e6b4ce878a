"""One chain over several RPC endpoints: blocks, reads at a block, logs, and waiting for the next block."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any

from hansa.protocol.errors import ChainUnavailable, WrongChain
from hansa.protocol.types import Address, BlockNumber
from hansa.runtime.chain.blocks import Block, Log, Reorganised, block_request, read_block, read_log, same_block
from hansa.runtime.chain.deployment import Confirmations, Deployment
from hansa.runtime.chain.floor import Floor
from hansa.runtime.chain.heads import HeadSubscription
from hansa.runtime.chain.logs import LogReader
from hansa.runtime.chain.node_errors import is_behind
from hansa.runtime.chain.readings import Reading, decoded, requests_of
from hansa.runtime.chain.rpc import Rpc, first, octets, quantity
from hansa.runtime.chain.witness import Stance, Witness, denies, witness_of

__all__ = ["Block", "Chain", "Log", "Reading", "Witness", "read_block", "read_log"]

LISTENING = 2.0  # seconds after which a silent WebSocket is not relied on
POLL_LOCAL, POLL_REMOTE = 0.1, 1.0  # seconds between looks for a new block
BEHIND_SECONDS = 20.0  # for which a node that lags is waited for
BEHIND_FIRST, BEHIND_LONGEST = 0.05, 1.0  # seconds between looks whether it has caught up


class _NoCode(WrongChain):
    """An address without code."""


class Chain:
    """Typed access to one EVM chain. A node's failures raise ChainUnavailable; another chain raises WrongChain.

    Nothing is read below the highest block that a head or a receipt named: a node that lags is waited for, or another
    is asked. Of blocks numbers, times and hashes alone are read, so proof-of-authority chains need no middleware.
    """

    def __init__(
        self,
        urls: Sequence[str],
        chain_id: int | None = None,
        *,
        ws: str | None = None,
        confirmations: Confirmations = 0,
        first_block: int = 0,
    ) -> None:
        self.rpc = Rpc(urls, chain_id)
        self.confirmations = confirmations
        self.first_block = first_block
        self._alarm = HeadSubscription(ws)
        self._seen = BlockNumber(-1)  # number of the last head
        self._heard = 0  # rings before the last head was asked for
        self._asked = 0.0  # when the node was last asked for a head, monotonic seconds
        self.floor = Floor(first_block, others=len(urls) > 1)  # nothing is read below it
        self._genesis: Block | None = None
        self.lags = False  # whether a node was ever found behind
        self._logs = LogReader(lambda batch, check, tag: self.patiently(lambda: self.rpc.ask(batch, check=check), tag))

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

    @functools.cached_property
    def alone(self) -> list[Chain]:
        """This chain over each endpoint by itself."""
        return [Chain([endpoint.url], self.chain_id, first_block=self.first_block) for endpoint in self.rpc.endpoints]

    def close(self) -> None:
        """Ends the WebSocket's thread."""
        self._alarm.close()

    # --- blocks

    def head(self) -> Block:
        """The latest block."""
        self.listen()
        block = self.latest()
        self._seen = block.number
        return block

    def listen(self) -> None:
        """`wait` goes on from now: what rings before the next answer counts."""
        self._heard, self._asked = self._alarm.rings, time.monotonic()

    def found(self, head: Block) -> None:
        """Notes the latest block, where it was asked for together with something else."""
        self._seen = head.number
        self.floor.saw(self._seen)

    @property
    def is_listening(self) -> bool:
        """Whether a WebSocket rings for each new block."""
        return self._alarm.alive

    def latest(self) -> Block:
        """The latest block, for reading; `wait` goes on from the last `head`."""
        return self._block("latest")

    def block(self, number: int | str) -> Block:
        """A block by number or tag ('latest', 'earliest')."""
        return self._block(hex(number) if isinstance(number, int) else number)

    def below(self, head: Block, depth: Confirmations) -> Block:
        """The block `depth` blocks under `head`, the chain's first at least; or what nodes call so, `head` at most."""
        if depth == 0:
            return head
        found = self.block(depth if isinstance(depth, str) else max(self.first_number, head.number - depth))
        return found if found.number < head.number else head

    @property
    def first_number(self) -> BlockNumber:
        """Number of the chain's first block: 0, or 1 where nodes have none before."""
        return (self._genesis or self.block("earliest")).number

    def genesis(self) -> bytes:
        """Hash of the first block: tells a chain that was reset from the one that it was."""
        return self.block("earliest").hash

    def distrust(self) -> None:
        """Prefers the next endpoint, and forgets how far the chain is said to be, beyond what all agreed on."""
        self.rpc.rotate()
        self.floor.distrust()

    def witnessed(
        self,
        block: Block,
        readings: Sequence[Reading] = (),
        agrees: Callable[[list[tuple[Any, ...]]], bool] = lambda answers: True,
    ) -> Witness:
        """What every endpoint says of a block's hash, and of `readings` at it: for what can't be taken back.

        Where `Witness.agreed` is false, nothing is to be done that rests on the block; another look, at the *same*
        block, can help as long as nobody differs. After a difference the next endpoint is preferred.
        """
        tag = hex(block.number)
        batch = [*requests_of(readings, tag), block_request(tag), block_request("latest")]

        def agreed(answers: list[Any]) -> bool:
            return agrees([decoded(function, given) for (_, function, _), given in zip(readings, answers, strict=True)])

        found = witness_of(self.rpc, block, batch, agreed)
        if found.agreed:
            self.floor.agreed(block.number)
        if found.those(Stance.DIFFERS):
            self.distrust()
        return found

    def contradicted(
        self, block: Block, readings: Sequence[Reading], agrees: Callable[[list[tuple[Any, ...]]], bool]
    ) -> list[str]:
        """Endpoints, as they are shown, whose answers at a block can be read and differ: for what never changes."""
        if len(self.rpc.endpoints) == 1:
            return []
        told = self.rpc.ask_each(requests_of(readings, hex(block.number)))
        return [endpoint.shown for endpoint, answers in told.items() if denies(readings, answers, agrees)]

    def _block(self, tag: str) -> Block:
        found: list[Block] = []
        batch = [block_request(tag), *([block_request("earliest")] if self._genesis is None else [])]

        def check(answers: list[Any]) -> None:
            block = read_block(answers[0], tag)
            if tag == "latest":
                self.floor.check(block.number)
            found[:] = [block, *(read_block(answer, "earliest") for answer in answers[1:])]

        self.patiently(lambda: self.rpc.ask(batch, check=check), tag)
        if len(found) > 1:
            self._genesis = found[1]
        if tag == "latest":
            self.floor.saw(found[0].number)
        return found[0]

    def patiently(self, ask: Callable[[], Any], tag: str = "latest") -> Any:
        """What `ask` gives, once no node lags behind block `tag`; blocks above the highest known aren't waited for."""
        end, wait = time.monotonic() + BEHIND_SECONDS, BEHIND_FIRST
        while True:
            try:
                return ask()
            except ChainUnavailable as error:
                if not is_behind(error) or (tag.startswith("0x") and int(tag, 16) > self.floor.known):
                    raise
                self.lags = True
                late, is_reset = time.monotonic() > end, self._is_reset()
                if late or is_reset:
                    self.floor.forget(is_reset=is_reset)
                    self._genesis = None if is_reset else self._genesis
                if late:
                    raise
            self.rpc.pause(wait)
            wait = min(2 * wait, BEHIND_LONGEST)

    def _is_reset(self) -> bool:
        """Whether the chain begins with another block than it did."""
        try:
            return self._genesis is not None and self.genesis() != self._genesis.hash
        except ChainUnavailable:
            return False

    # --- reads

    def read(
        self,
        readings: Sequence[Reading],
        at: Block | None = None,
        check: Callable[[list[tuple[Any, ...]]], None] | None = None,
        *,
        sender: Address | None = None,
    ) -> list[tuple[Any, ...]]:
        """Answers of contracts, in order, all at one block (the latest by default), in one request.

        sender: who asks, where that changes the answer.

        Raises ContractError when one reverts, ChainUnavailable when `at` is not on the chain any more; `check` may
        raise FatalError, which counts as an Rpc's does.
        """
        if not readings:
            return []
        block = self.latest() if at is None else at
        try:
            results = self._results(readings, block, check, sender)
            if self.rpc.mixes_blocks and self._look() != block.number:
                return self._results(readings, block, check, sender)
            return results
        except Reorganised:
            if at is not None:
                raise
        return self._results(readings, self.latest(), check, sender)

    def _results(
        self,
        readings: Sequence[Reading],
        at: Block,
        check: Callable[[list[tuple[Any, ...]]], None] | None,
        sender: Address | None,
    ) -> list[tuple[Any, ...]]:
        tag = hex(at.number)
        results: list[tuple[Any, ...]] = []

        def checked(answers: list[Any]) -> None:
            same_block(at, read_block(answers[-1], tag))
            results[:] = [
                decoded(function, answer) for (_, function, _), answer in zip(readings, answers[:-1], strict=True)
            ]
            if check is not None:
                check(results)

        batch = [*requests_of(readings, tag, sender), block_request(tag)]
        self.patiently(lambda: self.rpc.ask(batch, check=checked), tag)
        return results

    def code(self, address: Address) -> bytes:
        """A contract's code; empty where there is none, once that counts."""

        def check(answers: list[Any]) -> None:
            if not octets(answers[0], "eth_getCode"):
                raise _NoCode(f"there is no code at {address}")

        try:
            return octets(self._at_latest("eth_getCode", address, check), "eth_getCode")
        except _NoCode:
            return b""

    def balance(self, address: Address, at: Block | None = None) -> int:
        """Of the chain's own coin, in wei."""
        return quantity(self._at_latest("eth_getBalance", address, at=at), "eth_getBalance")

    def _at_latest(
        self, method: str, address: Address, check: Callable[[list[Any]], None] | None = None, at: Block | None = None
    ) -> Any:
        tag = hex((at or self.latest()).number)
        return first(self.patiently(lambda: self.rpc.ask([(method, [address, tag])], check=check), tag))

    # --- logs

    def logs(self, address: Address, topics: Sequence[Any], start: int, end: Block) -> list[Log]:
        """Events from block `start` to `end`, in order, in as few requests as the node allows.

        topics: as in eth_getLogs: for each place bytes, a list of bytes, or None. The node's answer is checked for form
        and filter, and that `end` is still on the chain; that it is complete only accumulators can tell.
        """
        return self._logs.read(address, topics, start, end)

    # --- waiting

    def wake(self) -> None:
        """Ends a `wait` of another thread."""
        self._alarm.ring()

    def wait(self, timeout: float) -> bool:
        """Returns True as soon as there may be another block than the last `head`, False after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        poll = POLL_LOCAL if self.rpc.local else POLL_REMOTE
        while (left := deadline - time.monotonic()) > 0:
            listening = self._alarm.alive and time.monotonic() < self._asked + LISTENING
            if self._alarm.wait(self._heard, min(left, LISTENING if listening else poll)):
                return True
            if not listening and (number := self._look()) > self._seen:
                self._seen = BlockNumber(number)
                return True
        return False

    def _look(self) -> int:
        self._asked = time.monotonic()
        return quantity(first(self.rpc.ask([("eth_blockNumber", [])])), "eth_blockNumber")
