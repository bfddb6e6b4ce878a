"""Several endpoints, a WebSocket, and servers that are no node at all."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from worlds import World

from hansa.devnet.anvil import Anvil, free_port, start_anvil
from hansa.protocol.errors import ChainUnavailable, WrongChain
from hansa.runtime.chain.client import Chain
from hansa.runtime.transactions.sender import Mined

ANSWERS = {
    "html": (200, b"<html>welcome</html>"),
    "error": (502, b"bad gateway"),
    "empty": (200, b""),
    "list": (200, b"[]"),
    "number": (200, b"7"),
    "no result": (200, b'{"jsonrpc": "2.0", "id": 0}'),
    "strange error": (200, b'{"jsonrpc": "2.0", "id": 0, "error": 7}'),
    "deep": (200, b"[" * 100_000),
    "invalid": (200, b"\xff\xfe{"),
}


class Server(ThreadingHTTPServer):
    answer: tuple[int, bytes] = (200, b"")
    batches = True
    behind: str = ""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        code, data = self.server.answer
        if self.server.behind:
            code, data = self._forward(body)
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _forward(self, body: bytes) -> tuple[int, bytes]:
        from urllib.request import Request, urlopen

        if not self.server.batches and isinstance(json.loads(body), list):
            return 200, b'{"jsonrpc": "2.0", "id": null, "error": {"code": -32600, "message": "no batches"}}'
        request = Request(self.server.behind, body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=10) as response:
            return 200, response.read()

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()


def url_of(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


@pytest.mark.parametrize("kind", ANSWERS)
def test_not_a_node__is_chain_unavailable(server: Server, kind: str) -> None:
    server.answer = ANSWERS[kind]
    with pytest.raises(ChainUnavailable) as caught:
        Chain([url_of(server)], 31337).head()
    assert "\n" not in str(caught.value)
    with pytest.raises(ChainUnavailable):
        Chain([url_of(server)], 31337).rpc.ask([("eth_chainId", []), ("eth_blockNumber", [])])


def test_nobody_there__the_next_endpoint_is_asked(anvil: Anvil, server: Server) -> None:
    server.answer = ANSWERS["html"]
    chain = Chain([f"http://127.0.0.1:{free_port()}", url_of(server), anvil.url], 31337)
    assert chain.head().number >= 0


def test_a_node_without_batches_is_asked_one_by_one(world: World, server: Server) -> None:
    server.behind, server.batches = world.anvil.url, False
    job = world.post()
    chain = Chain([url_of(server)], 31337, first_block=world.chain.first_block)
    from hansa.runtime.chain.federation import Federation
    from hansa.runtime.history.reader import HistoryReader

    assert HistoryReader(Federation(chain, world.deployment), job).read() == world.history(job)
    assert isinstance(world.another("alice", chain).poke(), Mined)


def test_endpoints_of_two_chains__are_refused(anvil: Anvil, server: Server) -> None:
    server.answer = (200, b'{"jsonrpc": "2.0", "id": 0, "result": "0x1"}')
    chain = Chain([anvil.url, url_of(server)], None)
    with pytest.raises(WrongChain, match="is chain 1, not 31337"):
        chain.rpc.check_all()


def test_chain_was_reset__federation_is_not_there(world: World) -> None:
    world.rpc("anvil_reset")
    with pytest.raises(WrongChain, match="chain was reset.*deploy again"):
        world.federation.check()
    with pytest.raises(WrongChain, match="chain was reset"):
        world.federation.state(world.federation.job_count())


def test_websocket__wakes_without_asking(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hansa.runtime.chain.client.LISTENING", 60.0)
    world.rpc("evm_setIntervalMining", 0)
    chain = Chain([world.anvil.url], ws=world.anvil.ws)
    try:
        for _ in range(600):
            chain.wait(0.1)
            if chain._alarm.alive:
                break
        monkeypatch.setattr(chain, "_look", lambda: pytest.fail("it asked the node"))
        for _ in range(3):
            chain.head()
            timer = threading.Timer(0.2, world.rpc, ["evm_mine"])
            timer.start()
            assert chain.wait(30)
            timer.join()
    finally:
        chain.close()


def test_websocket__gone__polling_takes_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.rpc("evm_setIntervalMining", 0)
    chain = Chain([world.anvil.url], ws=f"ws://127.0.0.1:{free_port()}")
    look, looks = chain._look, list[int]()
    monkeypatch.setattr(chain, "_look", lambda: looks.append(look()) or looks[-1])
    try:
        head = chain.head().number
        timer = threading.Timer(0.3, lambda: world.rpc("evm_mine"))
        timer.start()
        assert chain.wait(30)
        timer.join()
        assert looks[-1] == head + 1 and set(looks[:-1]) <= {head}
    finally:
        chain.close()


def test_node_restarts__the_daemon_goes_on(world: World, tmp_path: Any) -> None:
    port = int(world.anvil.url.rsplit(":", 1)[1])
    head = world.chain.head()
    world.anvil.stop()
    with pytest.raises(ChainUnavailable):
        world.chain.head()
    again = start_anvil(tmp_path / "again.log", accounts=1, port=port)
    try:
        assert world.chain.head().number <= head.number
        with pytest.raises(WrongChain):
            world.federation.check()
    finally:
        again.stop()
