"""JSON-RPC nodes of a kind: a server of one's own in front of a chain, that edits, delays, limits or floods."""

from __future__ import annotations

import functools
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.request import Request, urlopen

from worlds import World

from benchmarks.serving import serving
from hansa.protocol.types import JobId
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.federation import Federation
from hansa.runtime.history.reader import HistoryReader, JobHistory

Answer = Callable[[dict[str, Any]], dict[str, Any] | None]  # a request → what is told; None: what the node says
Whole = Callable[["Handler", Any], bool]  # the connection and its body → whether it was answered


class Proxy(ThreadingHTTPServer):
    """`answer` edits single requests, `whole` takes a connection over; `asked`: every request, in order."""

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behind = behind
        self.answer: Answer = lambda request: None
        self.whole: Whole = lambda handler, body: False
        self.status = 200
        self.asked: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def methods(self) -> list[str]:
        return [request["method"] for request in self.asked]

    def forward(self, request: dict[str, Any]) -> dict[str, Any]:
        """What the node behind says."""
        sent = Request(self.behind, json.dumps(request).encode(), {"Content-Type": "application/json"})
        with urlopen(sent, timeout=10) as response:
            found: dict[str, Any] = json.loads(response.read())
        return found


class Handler(BaseHTTPRequestHandler):
    server: Proxy

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        requests = body if isinstance(body, list) else [body]
        self.server.asked += requests
        if self.server.whole(self, body):
            return
        answers = []
        for request in requests:
            told = self.server.answer(request)
            answers.append(self.server.forward(request) if told is None else {**told, "id": request["id"]})
        self.say(self.server.status, answers if isinstance(body, list) else answers[0])

    def say(self, status: int, answer: Any, **headers: str) -> None:
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        return


def failing(code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "error": {"code": code, "message": message}}


def giving(result: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "result": result}


@functools.cache
def bomb() -> bytes:
    """Half a gibibyte of zeros, packed to two mebibytes."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(512)), packer.flush()])


@contextmanager
def proxy(behind: str) -> Iterator[Proxy]:
    with serving(Proxy(behind)) as running:
        yield running


def over(world: World, *urls: str) -> Chain:
    return Chain(urls, world.chain.chain_id, first_block=world.chain.first_block)


def read(world: World, job: JobId, *urls: str) -> JobHistory:
    return HistoryReader(Federation(over(world, *urls), world.deployment), job).read()
