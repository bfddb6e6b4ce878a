"""Where a relay is asked: HTTP with JSON, bounded in everything that strangers choose."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from hansa.protocol.errors import FatalError, Malformed
from hansa.runtime.metrics_server import parse_address
from hansa.runtime.ports import why_taken
from hansa.runtime.relay.messages import MOST_BODY, Act, RelayAnswer, RelayRequest

MOST_CONNECTIONS = 64  # at once; others are told to come again
MOST_WAITING = 64  # acts that were taken in and not looked at yet
CLIENT_SECONDS = 10.0  # for a client's next bytes
WHOLE_SECONDS = 30.0  # for all of a connection, however slowly its bytes come
ANSWER_SECONDS = 15.0  # for which one is waited for an answer
WORK_SECONDS = 1.0  # after which whoever answers looks after its own work, however much waits
BUSY = RelayAnswer(503, error="this relay is busy; ask again, or another one")


class RelayServer:
    """Takes requests in from threads of its own; whoever owns the relay's account answers them: see `serve`.

    read: what a request asks for, Malformed for none; called in any thread. wake: called when something has come.
    """

    def __init__(
        self, where: str, read: Callable[[RelayRequest], Act], wake: Callable[[], None] = lambda: None
    ) -> None:
        self._waiting: queue.Queue[tuple[Act, Future[RelayAnswer]]] = queue.Queue(MOST_WAITING)
        self._read, self._wake = read, wake
        host, port = parse_address(where, "--relay")
        try:
            self._server = _Server((host, port), self.ask)
        except OSError as error:
            raise FatalError(
                f"--relay {where} can't be listened on",
                cause=why_taken(port, error),
                next_step="name another port, or 0 for any that is free",
            ) from error
        self.url = f"http://{host}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, name="relay", daemon=True).start()

    def ask(self, body: bytes) -> RelayAnswer:
        """What is answered to a request's body, once the relay has looked at it."""
        try:
            act = self._read(RelayRequest.decode(body))
        except Malformed as error:
            return RelayAnswer(400, error=str(error))
        answer: Future[RelayAnswer] = Future()
        try:
            self._waiting.put_nowait((act, answer))
        except queue.Full:
            return BUSY
        self._wake()
        try:
            return answer.result(ANSWER_SECONDS)
        except TimeoutError:
            answer.cancel()
            return BUSY

    def serve(self, answer: Callable[[Act], RelayAnswer], seconds: float = 0.0) -> None:
        """Answers what waits, and what comes within so many seconds. Strangers ask as fast as they like: what is left
        after WORK_SECONDS wakes whoever answers, and is answered the next time."""
        begun = time.monotonic()
        end = begun + seconds
        while True:
            left = end - time.monotonic()
            try:
                act, given = self._waiting.get(left > 0, left if left > 0 else None)
            except queue.Empty:
                return
            if given.set_running_or_notify_cancel():
                given.set_result(answer(act))
            if time.monotonic() >= begun + max(seconds, WORK_SECONDS):
                break
        if not self._waiting.empty():
            self._wake()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, place: tuple[str, int], ask: Callable[[bytes], RelayAnswer]) -> None:
        self.ask = ask
        self._room = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__(place, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        end = threading.Timer(WHOLE_SECONDS, _cut, (request,))
        end.daemon = True
        end.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            end.cancel()
            self._room.release()

    def handle_error(self, *_: object) -> None:
        """A client that goes away, or says nothing, is no news."""


def _cut(connection: socket.socket) -> None:
    """Ends it in both directions: whoever reads from it reads no more. To close it would wait for that reader."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    timeout = CLIENT_SECONDS
    server: _Server

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            self._say(RelayAnswer(411, error="the request has no Content-Length"))
        elif len(length) > 9 or int(length) > MOST_BODY:
            self._say(RelayAnswer(413, error=f"the request is larger than {MOST_BODY} bytes"))
        else:
            self._say(self.server.ask(self.rfile.read(int(length))))

    def do_GET(self) -> None:
        self._say(RelayAnswer(405, error="post a signed call: chain, to, data, permit"))

    def _say(self, answer: RelayAnswer) -> None:
        body = answer.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Requests are no news."""
