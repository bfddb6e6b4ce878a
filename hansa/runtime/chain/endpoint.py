"""One JSON-RPC node over HTTP: batches of the size that it takes, and answers that end."""

from __future__ import annotations

import http.client
import itertools
import json
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

from hansa.protocol.errors import ChainUnavailable
from hansa.runtime.chain.abi import contract_error
from hansa.runtime.chain.node_errors import BadStatus, NodeError, Nonsense, TooLong, TooSlow, is_rate_limited
from hansa.runtime.http import CONNECT_SECONDS, Reply, TooManyBytes, checked_url, retry_after
from hansa.runtime.poster import Poster
from hansa.runtime.route import ConnectTimeout, ProxyRefused

Request = tuple[str, Sequence[Any]]  # method, parameters
ANSWER_SECONDS = 20.0  # for the whole of an answer
ANSWER_BYTES = 2**24  # of an answer, unpacked
BATCH = 100  # requests in one batch; what public nodes allow
BATCH_REST = 60.0  # seconds after a batch was too long for a node, before longer ones are tried again
LOOPBACK = ("127.0.0.1", "localhost", "::1")
START = "start the chain, or correct the addresses in deployment.json"


class Endpoint:
    """One node. Loopback nodes are asked without proxies or .netrc; that halves the time of a request.

    mixes_blocks: anvil; what it says of its head may be of a block that it mines meanwhile.
    """

    def __init__(self, url: str) -> None:
        parts = checked_url(url, ("http", "https"), "an RPC address")
        self.shown = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
        self.local = parts.hostname in LOOPBACK
        self.verified = False
        self.is_ours = False  # it was once found to be of this chain
        self.mixes_blocks = False
        self.url = url
        self._batch, self._shrunk = BATCH, 0.0  # how many requests it takes at once; when that became less
        self._ids = itertools.count()
        self._poster = Poster(url, direct=self.local, most=ANSWER_BYTES)

    def ask(self, batch: Sequence[Request]) -> list[Any]:
        """One answer a request, in order: the raw result, or a NodeError or ContractError as a value.

        Raises ChainUnavailable, of the kind that says why.
        """
        try:
            answers: list[Any] = []
            most = BATCH  # in this call, whatever it takes in the next
            while len(answers) < len(batch):
                part = batch[len(answers) : len(answers) + min(most, self._batch)]
                found = self._post(part)
                if not found:
                    most = len(part) // 2
                answers += found
            return answers
        except (OSError, http.client.HTTPException) as error:
            raise self._failed(error) from error
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise Nonsense(f"{self.shown} {batch[0][0]}", error) from error

    def _post(self, part: Sequence[Request]) -> list[Any]:
        """The answers to one HTTP request; none where fewer at once are to be asked."""
        single = len(part) == 1
        calls = [
            {"jsonrpc": "2.0", "method": method, "params": params, "id": next(self._ids)} for method, params in part
        ]
        data = json.dumps(calls[0] if single else calls, separators=(",", ":")).encode()
        try:
            reply = self._poster.post(data, seconds=ANSWER_SECONDS)
        except TooManyBytes:
            if single:
                raise
            return self._take_fewer(part, None)
        answer = self._decoded(reply, single)
        if not single and isinstance(answer, list) and len(answer) == 1 and _is_error(answer[0]):
            [answer] = answer  # geth's way to refuse a batch
        if isinstance(answer, list):
            if len(answer) != len(part) or len({entry["id"] for entry in answer}) != len(part):
                if reply.status >= 300:
                    raise self._bad_status(reply)
                raise ValueError(f"{len(answer)} answers to {len(part)} requests")
            self._take_more(part)
            ordered = sorted(answer, key=lambda entry: cast(int, entry["id"]))
            return [_result(request, entry, reply) for request, entry in zip(part, ordered, strict=True)]
        found = _result(part[0], answer, reply)
        limited = is_rate_limited(found)
        if single:
            if not limited:
                self._take_more(part)
            return [found]
        if limited:  # of the batch as a whole
            raise found
        if isinstance(found, NodeError) and not found.refuses_batch:  # of this one alone, as far as is known
            return []
        return self._take_fewer(part, found.requests if isinstance(found, NodeError) else None)

    def _decoded(self, reply: Reply, single: bool) -> Any:
        """A JSON-RPC body, whatever the status; BadStatus where there is none."""
        try:
            answer: Any = json.loads(reply.body)
            said = isinstance(answer, list) or _is_error(answer) or (isinstance(answer, dict) and "result" in answer)
            if reply.status < 300 or said:
                return answer
        except (ValueError, RecursionError):
            if reply.status < 300:
                raise
        if reply.status == 413 and not single:
            return {"error": {"code": reply.status, "message": "the batch is too large"}}
        raise self._bad_status(reply)

    def _bad_status(self, reply: Reply) -> BadStatus:
        target = urlsplit(reply.headers.get("Location", "")) if reply.status < 400 else None
        elsewhere = f"{target.scheme}://{target.netloc.rpartition('@')[2]}" if target and target.netloc else ""
        return BadStatus(self.shown, reply.status, retry_after=retry_after(reply.headers), elsewhere=elsewhere)

    def _take_more(self, part: Sequence[Request]) -> None:
        """After a rest, where it answered as many as it is asked at once."""
        if len(part) == self._batch < BATCH and time.monotonic() > self._shrunk + BATCH_REST:
            self._batch = min(BATCH, 2 * self._batch)

    def _take_fewer(self, part: Sequence[Request], stated: int | None) -> list[Any]:
        half = len(part) // 2
        self._batch = stated if stated is not None and stated < half else half
        self._shrunk = time.monotonic()
        return []

    def _failed(self, error: Exception) -> ChainUnavailable:
        if isinstance(error, TooManyBytes):
            return TooLong(f"{self.shown} sends too much", cause=f"an answer of more than {ANSWER_BYTES} bytes")
        what = f"{self.shown} does not answer"
        match error:
            case ConnectTimeout():
                return ChainUnavailable(what, cause=f"no connection within {CONNECT_SECONDS:.0f} s")
            case TimeoutError():
                return TooSlow(what, cause=f"no whole answer came in {ANSWER_SECONDS:.0f} s")
            case ssl.SSLError():
                return ChainUnavailable(what, cause="its TLS certificate is not accepted, or it speaks no TLS")
            case ProxyRefused():
                return ChainUnavailable(what, cause="the proxy of this machine does not let it through")
            case socket.gaierror():
                return ChainUnavailable(what, cause="no host of that name is known")
            case ConnectionRefusedError():
                return ChainUnavailable(what, cause="nothing listens there", next_step=START if self.local else None)
        return ChainUnavailable(what, cause=type(error).__name__)


def _is_error(answer: object) -> bool:
    return isinstance(answer, dict) and answer.get("error") is not None


def _result(request: Request, answer: Any, reply: Reply) -> Any:
    if not isinstance(answer, dict):
        raise ValueError(f"an answer that is no object: {str(answer)[:60]}")
    error = answer.get("error")
    if error is None:
        return answer["result"]
    if not isinstance(error, dict):
        error = {"message": error}
    elif (reverted := _revert_data(error)) is not None:
        return contract_error(reverted)
    code, message = error.get("code"), str(error.get("message", ""))[:200]
    asked = retry_after(reply.headers)
    return NodeError(request[0], code if isinstance(code, int) else 0, message, status=reply.status, retry_after=asked)


def _revert_data(error: Mapping[str, Any]) -> bytes | None:
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
