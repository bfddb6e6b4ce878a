"""The store that all daemons use: a Kubo node, or a server of our own that answers as one does, behind one that can
lose files, change them and be slow."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from benchmarks.serving import serving
from hansa.devnet.anvil import free_port
from hansa.devnet.kubo import KuboNode, start_nodes
from hansa.devnet.processes import Worker, warm_up
from hansa.protocol.cid import from_cid, to_cid
from hansa.protocol.errors import FatalError, NotFound
from hansa.runtime.store.local import LocalStore

DELAY: Final = 0.5  # seconds
LARGEST: Final = 1 << 26  # bytes
SECONDS: Final = 20.0


@dataclass
class StoreNode:
    """What keeps the files, as a process that can be killed and started again."""

    folder: Path
    port: int = 0
    kubo: KuboNode | None = None
    worker: Worker | None = None

    def start(self) -> None:
        if shutil.which("ipfs") is not None:
            self.kubo = start_nodes(self.folder, ["store"])["store"]
            self.port = int(self.kubo.api.rsplit("/", 1)[1])
            return
        self.port = self.port or free_port()
        self.worker = Worker("store", serve_store, (self.folder, self.port), self.folder.with_suffix(".log"))
        self.worker.start()
        _wait_for(self.port)

    def kill(self) -> None:
        """SIGKILL."""
        if self.kubo is not None:
            self.kubo.process.kill()
            self.kubo.process.wait()
        if self.worker is not None:
            self.worker.kill()

    @property
    def kind(self) -> str:
        return "Kubo" if self.kubo is not None else "a server of files"


@contextmanager
def start_store(folder: Path) -> Iterator[StoreNode]:
    warm_up()
    folder.mkdir(parents=True)
    node = StoreNode(folder)
    node.start()
    try:
        yield node
    finally:
        node.kill()


def serve_store(folder: Path, port: int) -> None:
    """Answers as a Kubo node does to what our stores ask of one."""
    server = _Server(("127.0.0.1", port), _Files)
    server.files = LocalStore(folder)
    server.serve_forever()


def _wait_for(port: int) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        with contextlib.suppress(OSError):
            line.connect()
            line.close()
            return
        time.sleep(0.02)
    raise FatalError(f"the store did not start on port {port}")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    files: LocalStore

    def handle_error(self, request: Any, client_address: Any) -> None:
        return  # a daemon that was killed


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        data = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def say(self, status: int, data: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        return


class _Files(_Answering):
    server: _Server

    def do_POST(self) -> None:
        parts, body = urlsplit(self.path), self.body()
        argument = parse_qs(parts.query).get("arg", [""])[0]
        try:
            self._answer(parts.path.removeprefix("/api/v0/"), argument, body)
        except NotFound:
            refusal = {"Message": f"merkledag: {argument} not found", "Code": 0, "Type": "error"}
            self.say(500, json.dumps(refusal).encode())

    def _answer(self, command: str, argument: str, body: bytes) -> None:
        files = self.server.files
        match command:
            case "add":
                cid = to_cid(files.put(_file_of(body)))
                self.say(200, json.dumps({"Name": cid, "Hash": cid, "Size": str(len(body))}).encode())
            case "cat":
                self.say(200, files.get(from_cid(argument), limit=LARGEST, timeout=SECONDS), "text/plain")
            case "block/stat" | "pin/add":
                files.pin(from_cid(argument))
                self.say(200, json.dumps({"Key": argument, "Size": 1, "Pins": [argument]}).encode())
            case _:
                self.say(200, json.dumps({"Pins": [argument]}).encode())


def _file_of(body: bytes) -> bytes:
    """The one file of a multipart body."""
    mark = body[: body.index(b"\r\n")]
    _, _, rest = body.partition(b"\r\n\r\n")
    return rest[: rest.rindex(b"\r\n" + mark)]


class Stores(_Server):
    """The address that daemons know. fault: what is wrong with it: '', 'loses', 'corrupts' or 'delays'."""

    def __init__(self, node: StoreNode) -> None:
        super().__init__(("127.0.0.1", 0), _Before)
        self.node, self.fault, self.met = node, "", 0

    @property
    def api(self) -> str:
        return f"/ip4/127.0.0.1/tcp/{self.server_address[1]}"


class _Before(_Answering):
    server: Stores

    def do_POST(self) -> None:
        body, fault = self.body(), self.server.fault
        is_cat = urlsplit(self.path).path.endswith("/cat")
        self.server.met += bool(fault)
        if fault == "delays":
            time.sleep(DELAY)
        if fault == "loses" and is_cat:
            self.say(500, b'{"Message": "merkledag: not found", "Code": 0, "Type": "error"}')
            return
        try:
            status, kind, data = self._ask(body)
        except (OSError, http.client.HTTPException):  # it was killed
            self.close_connection = True
            return
        if fault == "corrupts" and is_cat and data:
            data = bytes([*data[:-1], data[-1] ^ 1])
        self.say(status, data, kind)

    def _ask(self, body: bytes) -> tuple[int, str, bytes]:
        line = http.client.HTTPConnection("127.0.0.1", self.server.node.port, timeout=SECONDS)
        try:
            line.request("POST", self.path, body, {"Content-Type": self.headers.get("Content-Type", "")})
            answer = line.getresponse()
            return answer.status, answer.headers.get("Content-Type", ""), answer.read()
        finally:
            line.close()


@contextmanager
def stores_before(node: StoreNode) -> Iterator[Stores]:
    """Runs while it is entered."""
    with serving(Stores(node)) as running:
        yield running
