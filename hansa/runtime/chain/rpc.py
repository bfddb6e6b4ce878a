"""JSON-RPC over several endpoints: batches, fail-over, and answers that are checked before they are believed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from eth_typing import URI
from web3 import HTTPProvider
from web3.exceptions import Web3Exception
from web3.types import RPCEndpoint

from hansa.protocol.errors import ChainUnavailable, FatalError, WrongChain
from hansa.runtime.chain.abi import ContractError, contract_error

Request = tuple[str, Sequence[Any]]  # method, parameters
TIMEOUT = (3.05, 20.0)  # seconds to connect, to answer
BATCH = 100  # requests in one batch; what public nodes allow
QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
OCTETS = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class NodeError(ChainUnavailable):
    """A node's own error answer, other than a contract that reverted."""

    def __init__(self, method: str, code: int, message: str) -> None:
        self.method, self.code, self.reason = method, code, message
        super().__init__(f"{method} was refused by the node", cause=f"{message} ({code})")


class Nonsense(ChainUnavailable):
    """An answer that is not what the method returns."""

    def __init__(self, what: str, got: object) -> None:
        super().__init__(f"the node's answer for {what} makes no sense", cause=f"got {str(got)[:80]!r}")


class TooSlow(ChainUnavailable):
    """A node took the request and gave no answer in time."""


class AllFailed(ChainUnavailable):
    """Every endpoint failed; `failures` in the order in which they were asked."""

    def __init__(self, endpoints: Sequence[Endpoint], failures: Sequence[ChainUnavailable]) -> None:
        self.failures = list(failures)
        causes = "; ".join(f"{endpoint.shown}: {error}" for endpoint, error in zip(endpoints, failures, strict=True))
        super().__init__("no RPC endpoint gave an answer", cause=causes)


class Endpoint:
    """One node. Loopback nodes are asked without proxies or .netrc; that halves the time of a request.

    mixes_blocks: anvil; what it says of its head may be of a block that it mines meanwhile.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise FatalError(
                f"{url!r} is not an RPC address", next_step="give one that starts with http:// or https://"
            )
        self.shown = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
        self.local = parts.hostname in LOOPBACK
        self.verified = False
        self.mixes_blocks = False
        self._batches = True
        session = requests.Session()
        session.trust_env = not self.local
        self._provider = HTTPProvider(
            URI(url), request_kwargs={"timeout": TIMEOUT}, session=session, exception_retry_configuration=None
        )

    def ask(self, batch: Sequence[Request]) -> list[Any]:
        """One answer a request, in order: the raw result, or a NodeError or ContractError as a value."""
        try:
            return [self._result(request, answer) for request, answer in zip(batch, self._post(batch), strict=True)]
        except requests.ReadTimeout as error:
            raise TooSlow(f"{self.shown} does not answer", cause=f"nothing came for {TIMEOUT[1]:.0f} s") from error
        except requests.RequestException as error:
            raise ChainUnavailable(f"{self.shown} does not answer", cause=type(error).__name__) from error
        except (Web3Exception, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise Nonsense(f"{self.shown} {batch[0][0]}", error) from error

    def _post(self, batch: Sequence[Request]) -> list[Any]:
        if len(batch) > 1 and self._batches:
            answers: list[Any] = []
            for start in range(0, len(batch), BATCH):
                part = [(RPCEndpoint(method), params) for method, params in batch[start : start + BATCH]]
                answer = self._provider.make_batch_request(part)
                if not isinstance(answer, list):  # a node that knows no batches says so in one object
                    self._batches = False
                    return self._post(batch)
                if len(answer) != len(part):
                    raise ValueError(f"{len(answer)} answers to {len(part)} requests")
                answers += answer
            return answers
        return [self._provider.make_request(RPCEndpoint(method), params) for method, params in batch]

    @staticmethod
    def _result(request: Request, answer: Any) -> Any:
        if not isinstance(answer, dict):
            raise ValueError(f"an answer that is no object: {str(answer)[:60]}")
        error = answer.get("error")
        if error is None:
            return answer["result"]
        if not isinstance(error, dict):
            return NodeError(request[0], 0, str(error)[:200])
        reverted = _revert_data(error)
        if reverted is not None:
            return contract_error(reverted)
        code = error.get("code")
        return NodeError(request[0], code if isinstance(code, int) else 0, str(error.get("message", ""))[:200])


def _revert_data(error: dict[str, Any]) -> bytes | None:
    """What a contract reverted with, or None when the error is the node's own. Nodes differ in where they put it."""
    data = error.get("data")
    if isinstance(data, dict):  # ganache
        data = data.get("result") or data.get("data")
    if isinstance(data, str):
        data = data.removeprefix("Reverted ")
        if data.startswith("0x"):
            try:
                return bytes.fromhex(data[2:])
            except ValueError:
                return None
    return b"" if "revert" in str(error.get("message", "")).lower() else None


class Rpc:
    """Asks the first endpoint that works and stays with it.

    Raises ChainUnavailable when none works, WrongChain when one is another chain than the others or `chain_id`.
    """

    def __init__(self, urls: Sequence[str], chain_id: int | None) -> None:
        if not urls:
            raise FatalError("no RPC endpoint is given", next_step="name one in deployment.json or with --rpc")
        self.endpoints = [Endpoint(url) for url in urls]
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

    def check_all(self) -> None:
        """WrongChain if any endpoint that answers is another chain; used once at a daemon's start."""
        failures = []
        for endpoint in self.endpoints:
            try:
                self._verify(endpoint)
            except ChainUnavailable as error:
                failures.append(str(error))
        if len(failures) == len(self.endpoints):
            raise ChainUnavailable("no RPC endpoint answers", cause="; ".join(failures), next_step="start the chain")

    def rotate(self) -> None:
        """Prefer the next endpoint: the present one gave something that cannot be true."""
        self._first = (self._first + 1) % len(self.endpoints)

    def ask(self, batch: Sequence[Request], *, check: Callable[[list[Any]], Any] | None = None) -> list[Any]:
        """Answers of one endpoint. ContractErrors are values; a NodeError sends the batch to the next endpoint.

        `check` may raise ChainUnavailable to distrust an answer; the next endpoint is asked then too.
        """

        def believed(answers: list[Any]) -> None:
            for answer in answers:
                if isinstance(answer, NodeError):
                    raise answer
            if check is not None:
                check(answers)

        return self._each(batch, believed)

    def raw(self, batch: Sequence[Request]) -> list[Any]:
        """As `ask`, but the node's own errors are values too (for sending, where they say something)."""
        return self._each(batch, lambda answers: None)

    def _each(self, batch: Sequence[Request], check: Callable[[list[Any]], Any]) -> list[Any]:
        """The answers of the first endpoint, from the preferred one on, that gives any that `check` lets pass."""
        order = self.endpoints[self._first :] + self.endpoints[: self._first]
        failures: list[ChainUnavailable] = []
        for endpoint in order:
            try:
                self._verify(endpoint)
                answers = endpoint.ask(batch)
                check(answers)
            except ChainUnavailable as error:
                endpoint.verified = endpoint.verified and isinstance(error, NodeError)
                failures.append(error)
                continue
            self._first = self.endpoints.index(endpoint)
            return answers
        raise failures[0] if len(failures) == 1 else AllFailed(order, failures)

    def _verify(self, endpoint: Endpoint) -> None:
        if endpoint.verified:
            return
        found = quantity(first(endpoint.ask([("eth_chainId", [])])), "eth_chainId")
        if self._expected is None:
            self._expected = found
        if found != self._expected:
            raise WrongChain(
                f"{endpoint.shown} is chain {found}, not {self._expected}",
                next_step="correct the RPC address, or use the deployment of that chain",
            )
        if endpoint.local:
            endpoint.mixes_blocks = "anvil" in str(endpoint.ask([("web3_clientVersion", [])])[0]).lower()
        endpoint.verified = True


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
