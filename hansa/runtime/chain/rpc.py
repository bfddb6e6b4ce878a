"""Several endpoints as witnesses of each other: fail-over, patience, and answers that are checked before belief.

An answer that would end a daemon (no code, another chain, a revert, no funds) counts when every endpoint that answers
gives it, or one alone gives it GRAVE_TIMES in a row.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from hansa.protocol.errors import ChainUnavailable, FatalError, HansaError, WrongChain
from hansa.runtime.chain.abi import ContractError
from hansa.runtime.chain.endpoint import Endpoint, Request
from hansa.runtime.chain.node_errors import AllFailed, NodeError, Nonsense, TooSlow, is_rate_limited

__all__ = ["AllFailed", "Endpoint", "NodeError", "Nonsense", "Request", "Rpc", "TooSlow", "first", "octets", "quantity"]

GRAVE_TIMES = 3  # that one endpoint alone must give an answer that ends things
GRAVE_PAUSE_LOCAL, GRAVE_PAUSE = 0.05, 0.5  # seconds between them
RATE_SECONDS = 60.0  # for which a rate limit is waited out
RATE_FIRST, RATE_LONGEST = 0.5, 30.0  # seconds of one wait; what a node asks for with Retry-After too
WITNESS_SECONDS = 5.0  # for which endpoints that are asked side by side are waited for
QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
OCTETS = re.compile(r"0x(?:[0-9a-fA-F]{2})*+")  # possessive: else it keeps a place for each byte, 120 times as many


class Rpc:
    """Asks the first endpoint that works and stays with it.

    Raises ChainUnavailable when none works, WrongChain when they are other chains than each other or `chain_id`.
    `pause`: how it waits between attempts; a daemon that is told to stop may raise from it.
    """

    def __init__(self, urls: Sequence[str], chain_id: int | None) -> None:
        if not urls:
            raise FatalError("no RPC endpoint is given", next_step="name one in deployment.json or with --rpc")
        self.endpoints = [Endpoint(url) for url in urls]
        self.pause: Callable[[float], None] = time.sleep
        self._expected = chain_id
        self._first = 0

    @property
    def chain_id(self) -> int:
        if self._expected is None:
            self.ask([("eth_chainId", [])])
        return cast(int, self._expected)

    @property
    def local(self) -> bool:
        return self.endpoints[self._first].local

    @property
    def mixes_blocks(self) -> bool:
        return self.endpoints[self._first].mixes_blocks

    def trusted(self) -> str | None:
        """What rests on one endpoint alone, in a sentence; None where others witness what it says."""
        if len(self.endpoints) > 1:
            return None
        return (
            f"{self.endpoints[0].shown} is the only RPC endpoint: what it says of blocks, contracts, events and this"
            " account's transactions is believed where no hash proves it; name a second one, of somebody else's"
        )

    def check_all(self) -> None:
        """WrongChain unless an endpoint that answers is the chain; used once at a daemon's start."""
        self.ask([("eth_chainId", [])])

    def rotate(self) -> None:
        """Prefer the next endpoint: the present one gave something that cannot be true."""
        self._first = (self._first + 1) % len(self.endpoints)

    def ask(self, batch: Sequence[Request], *, check: Callable[[list[Any]], Any] | None = None) -> list[Any]:
        """Answers of one endpoint. A NodeError sends the batch to the next; a ContractError is raised once it counts.

        `check` may raise ChainUnavailable to distrust an answer: the next endpoint is asked then too; or FatalError,
        which is raised once it counts.
        """

        def believed(answers: list[Any]) -> None:
            for answer in answers:
                if isinstance(answer, NodeError):
                    raise answer
            for answer in answers:
                if isinstance(answer, ContractError):
                    raise answer
            if check is not None:
                check(answers)

        return self.raw(batch, check=believed)

    def raw(self, batch: Sequence[Request], *, check: Callable[[list[Any]], Any] | None = None) -> list[Any]:
        """As `ask`, but errors of nodes and contracts are values too, all but a rate limit."""
        order = self.endpoints[self._first :] + self.endpoints[: self._first]
        for turn in range(GRAVE_TIMES):
            if turn:
                self.pause(GRAVE_PAUSE_LOCAL if order[0].local else GRAVE_PAUSE)
            failures: dict[Endpoint, ChainUnavailable] = {}
            graves: dict[Endpoint, FatalError] = {}
            for patient in (False, True):
                for endpoint in [one for one in order if not patient or is_rate_limited(failures.get(one))]:
                    try:
                        limit = failures.pop(endpoint, None)
                        if (asked := getattr(limit, "retry_after", None)) is not None:
                            self.pause(min(RATE_LONGEST, asked))
                        answers = self._answers(endpoint, batch, patient)
                        if check is not None:
                            check(answers)
                    except ChainUnavailable as error:
                        endpoint.verified = endpoint.verified and isinstance(error, NodeError)
                        failures[endpoint] = error
                    except FatalError as error:
                        graves[endpoint] = error
                    else:
                        self._first = self.endpoints.index(endpoint)
                        return answers
            if not graves:
                raise _summary(failures)
            if len(graves) > 1:
                break
            order = list(graves)
        raise next(iter(graves.values()))

    def glance(self, batch: Sequence[Request]) -> list[Any] | None:
        """What the preferred endpoint answers, errors as values; None where it gives no answer, and another is
        preferred then. For what is asked again with all patience where this is not what was hoped for."""
        endpoint = self.endpoints[self._first]
        if not endpoint.verified:
            return None
        try:
            return endpoint.ask(batch)
        except ChainUnavailable:
            endpoint.verified = False
            self.rotate()
            return None

    def ask_each(self, batch: Sequence[Request]) -> Mapping[Endpoint, list[Any] | HansaError]:
        """Every endpoint's own answers, or why it gave none, asked side by side; errors in the answers are values."""
        found: dict[Endpoint, list[Any] | HansaError] = {}

        def ask(endpoint: Endpoint) -> None:
            try:
                self._verify(endpoint, endpoint.ask)
                found[endpoint] = endpoint.ask(batch)
            except HansaError as error:
                found[endpoint] = error

        if len(self.endpoints) == 1:
            ask(self.endpoints[0])
            return found
        threads = [threading.Thread(target=ask, args=[endpoint], daemon=True) for endpoint in self.endpoints]
        end = time.monotonic() + WITNESS_SECONDS
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        late = TooSlow("no answer", cause=f"none came in {WITNESS_SECONDS:.0f} s")
        return {endpoint: found.get(endpoint, late) for endpoint in self.endpoints}

    def _answers(self, endpoint: Endpoint, batch: Sequence[Request], patient: bool) -> list[Any]:
        """Of one endpoint. A rate limit is raised at once, or waited out: only what it refused is asked again."""

        def ask(requests: Sequence[Request]) -> list[Any]:
            end, wait = time.monotonic() + RATE_SECONDS, RATE_FIRST
            answers: list[Any] = [None] * len(requests)
            left = list(range(len(requests)))
            while True:
                try:
                    for place, answer in zip(left, endpoint.ask([requests[place] for place in left]), strict=True):
                        answers[place] = answer
                    left = [place for place in left if is_rate_limited(answers[place])]
                    limit: Any = answers[left[0]] if left else None
                except ChainUnavailable as error:
                    if not is_rate_limited(error):
                        raise
                    limit = error
                if limit is None:
                    return answers
                if not patient or time.monotonic() > end:
                    raise limit
                self.pause(min(RATE_LONGEST, limit.retry_after or wait * random.uniform(0.5, 1.0)))
                wait = min(2 * wait, RATE_LONGEST)

        self._verify(endpoint, ask)
        return ask(batch)

    def _verify(self, endpoint: Endpoint, ask: Callable[[Sequence[Request]], list[Any]]) -> None:
        if endpoint.verified:
            return
        found = quantity(first(ask([("eth_chainId", [])])), "eth_chainId")
        if self._expected is None:
            self._expected = self._agreed_chain(endpoint, found)
        if found != self._expected:
            if any(other.is_ours for other in self.endpoints if other is not endpoint):
                raise ChainUnavailable(f"{endpoint.shown} is chain {found} now, not {self._expected}")
            raise WrongChain(
                f"{endpoint.shown} is chain {found}, not {self._expected}",
                next_step="correct the RPC address, or use the deployment of that chain",
            )
        if endpoint.local:
            endpoint.mixes_blocks = "anvil" in str(ask([("web3_clientVersion", [])])[0]).lower()
        endpoint.verified = endpoint.is_ours = True

    def _agreed_chain(self, endpoint: Endpoint, found: int) -> int:
        """The chain of all that answer, where nothing says which it should be. WrongChain where they differ."""
        for other in self.endpoints:
            if other is endpoint:
                continue
            try:
                its = quantity(first(other.ask([("eth_chainId", [])])), "eth_chainId")
            except ChainUnavailable:
                continue
            if its != found:
                raise WrongChain(
                    f"{other.shown} is chain {its}, not {found}",
                    cause=f"that is what {endpoint.shown} is",
                    next_step="name endpoints of one chain",
                )
        return found


def _summary(failures: Mapping[Endpoint, ChainUnavailable]) -> ChainUnavailable:
    """Why no endpoint gave an answer; the next step where it is the same for all."""
    if len(failures) == 1:
        return next(iter(failures.values()))
    steps = {error.next_step for error in failures.values()}
    shared = steps.pop() if len(steps) == 1 else None
    for error in failures.values():
        error.next_step = None
    found = AllFailed([endpoint.shown for endpoint in failures], list(failures.values()))
    found.next_step = shared
    return found


def first(answers: Sequence[Any]) -> Any:
    """The single answer of a batch of one; an error value is raised."""
    if isinstance(answers[0], ChainUnavailable | ContractError):
        raise answers[0]
    return answers[0]


def quantity(value: object, what: str) -> int:
    """A 0x number of at most 256 bits."""
    if isinstance(value, str) and QUANTITY.fullmatch(value):
        return int(value, 16)
    raise Nonsense(what, value)


def octets(value: object, what: str, size: int | None = None) -> bytes:
    """0x bytes, of `size` where given."""
    if isinstance(value, str) and OCTETS.fullmatch(value) and size in (None, len(value) // 2 - 1):
        return bytes.fromhex(value[2:])
    raise Nonsense(what, value)
