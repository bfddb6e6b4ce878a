"""The RPC nodes that daemons ask: one server in front of the chain, two addresses for each daemon, of which the one
that it prefers can be made to lie, break and hang."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.chaos.lies import BROKEN, GARBAGE, LIMITED, told
from benchmarks.serving import serving

SECONDS: Final = 30.0
RECENT: Final = 20  # requests by which it is told which node a daemon prefers
TRICKLE: Final = 0.05  # seconds between two bytes


@dataclass
class Lie:
    """One that is told now. head: number of the newest block when it began. over: ends what hangs."""

    name: str
    head: int
    over: threading.Event = field(default_factory=threading.Event)
    met: int = 0  # requests


class Nodes(ThreadingHTTPServer):
    """The nodes of daemon NAME are at URL/NAME/0 and URL/NAME/1."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = urlsplit(behind).netloc
        self._lies: dict[str, tuple[str, Lie]] = {}  # by daemon: at which path
        self._asked: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=RECENT))  # by daemon: paths
        self._gate, self._passing, self._is_shut = threading.Condition(), 0, False

    def urls(self, name: str) -> list[str]:
        return [f"http://127.0.0.1:{self.server_address[1]}/{name}/{number}" for number in range(2)]

    def lie(self, name: str, lie: str, head: int) -> None:
        """The node that the daemon has asked most of late begins to."""
        self.be_honest(name)
        recent = Counter(self._asked[name]).most_common(1)
        self._lies[name] = (recent[0][0] if recent else f"/{name}/0", Lie(lie, head))

    def be_honest(self, name: str) -> int:
        """Requests that met the lie which ends."""
        if (found := self._lies.pop(name, None)) is None:
            return 0
        found[1].over.set()
        return found[1].met

    def lie_at(self, path: str) -> Lie | None:
        """What is told at a path now; notes that it was asked."""
        name = path.split("/")[1]
        self._asked[name].append(path)
        where, lie = self._lies.get(name, ("", None))
        return lie if where == path else None

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Around what is asked of the chain; waits while it is to be still."""
        with self._gate:
            self._gate.wait_for(lambda: not self._is_shut)
            self._passing += 1
        try:
            yield
        finally:
            with self._gate:
                self._passing -= 1
                self._gate.notify_all()

    @contextmanager
    def still(self) -> Iterator[None]:
        """Nobody asks anything of the chain meanwhile: anvil loses blocks that it makes while it reorganises."""
        with self._gate:
            self._is_shut = True
            self._gate.wait_for(lambda: self._passing == 0, SECONDS)
        try:
            yield
        finally:
            with self._gate:
                self._is_shut = False
                self._gate.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        return  # a daemon that was killed


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Nodes

    def setup(self) -> None:
        super().setup()
        self._line = http.client.HTTPConnection(self.server.behind, timeout=SECONDS)

    def finish(self) -> None:
        self._line.close()
        with contextlib.suppress(OSError):
            super().finish()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        lie = self.server.lie_at(self.path)
        if lie is None:
            self._say(*self._ask(body))
            return
        lie.met += 1
        if lie.name in BROKEN:
            self._break(lie, body)
            return
        asked = json.loads(body)
        batch = asked if isinstance(asked, list) else [asked]
        answers = [told(lie.name, lie.head, one, self._forward) for one in batch]
        self._say(200, json.dumps(answers if isinstance(asked, list) else answers[0]).encode())

    def _break(self, lie: Lie, body: bytes) -> None:
        match lie.name:
            case "limits":
                self._say(429, LIMITED)
            case "fails":
                self._say(500, b"internal error")
            case "speaks garbage":
                self._say(200, GARBAGE)
            case "hangs":
                lie.over.wait(SECONDS)
                self.close_connection = True
            case "cuts":
                self._say(200, self._ask(body)[1], cut=True)
            case "trickles":
                self._trickle(lie, self._ask(body)[1])

    def _trickle(self, lie: Lie, data: bytes) -> None:
        self._head(200, len(data))
        for place in range(len(data)):
            if lie.over.wait(TRICKLE):
                self.wfile.write(data[place:])
                return
            self.wfile.write(data[place : place + 1])
            self.wfile.flush()

    def _forward(self, request: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._ask(json.dumps(request).encode())[1])
        return found

    def _ask(self, body: bytes) -> tuple[int, bytes]:
        with self.server.passing():
            self._line.request("POST", "/", body, {"Content-Type": "application/json"})
            answer = self._line.getresponse()
            return answer.status, answer.read()

    def _say(self, status: int, data: bytes, *, cut: bool = False) -> None:
        self._head(status, len(data))
        self.wfile.write(data[: len(data) // 2] if cut else data)
        self.wfile.flush()
        self.close_connection = self.close_connection or cut

    def _head(self, status: int, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        return


@contextmanager
def nodes_before(url: str) -> Iterator[Nodes]:
    """Runs while it is entered."""
    with serving(Nodes(url)) as running:
        yield running
