"""The Kubo store, against nodes of our own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from proxies import bomb

from hansa.devnet.kubo import KuboNode, find_ipfs, start_nodes
from hansa.protocol.cid import CHUNK, digest_of, to_cid
from hansa.protocol.errors import FatalError, NotFound, StoreUnavailable, TooLarge, WrongBytes
from hansa.runtime.store import LocalStore, open_store
from hansa.runtime.store.kubo import KuboStore


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[KuboNode]]:
    try:
        find_ipfs()
    except FatalError as error:
        pytest.skip(str(error))
    started = start_nodes(tmp_path_factory.mktemp("kubo"), ["one", "two"])
    try:
        yield list(started.values())
    finally:
        for node in started.values():
            node.stop()


def test_put__on_one__get_from_the_other(nodes: list[KuboNode], tmp_path: Path) -> None:
    one, two = (open_store({"kind": "kubo", "api": node.api}) for node in nodes)
    for size in (0, 1, 262_144, 262_145, 1_000_003):
        data = os.urandom(size)
        digest = one.put(data)
        assert digest == LocalStore(tmp_path).put(data)
        assert two.get(digest, limit=size, timeout=10) == data


def test_get__nobody_has_it__is_given_up(nodes: list[KuboNode]) -> None:
    with pytest.raises(
        NotFound, match=f"{to_cid(digest_of(b'nobody'))} did not arrive: no node that is reached has it"
    ):
        KuboStore(nodes[0].api).get(digest_of(b"nobody"), limit=10, timeout=1)


def test_get__over_the_limit(nodes: list[KuboNode]) -> None:
    store = KuboStore(nodes[0].api)
    digest = store.put(b"x" * 1000)
    with pytest.raises(TooLarge):
        store.get(digest, limit=999, timeout=5)
    assert len(store.get(digest, limit=1000, timeout=5)) == 1000


def test_pin__fetches__unpin__twice_is_fine(nodes: list[KuboNode]) -> None:
    one, two = KuboStore(nodes[0].api), KuboStore(nodes[1].api)
    digest = one.put(b"to be pinned elsewhere")
    assert not two.has(digest)
    two.pin(digest)
    assert two.has(digest)
    two.unpin(digest)
    two.unpin(digest)


def test_pin__a_directory_is_no_file(nodes: list[KuboNode]) -> None:
    store = KuboStore(nodes[0].api)
    from hansa.protocol.cid import from_cid

    empty_directory = from_cid("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn")
    with pytest.raises((NotFound, StoreUnavailable)):
        store.get(empty_directory, limit=1000, timeout=5)


def test_vectors__are_what_this_kubo_adds(nodes: list[KuboNode]) -> None:
    environment = {**os.environ, "IPFS_PATH": str(nodes[0].path)}
    for fact in json.loads((Path(__file__).parents[1] / "vectors" / "kubo.json").read_text())["cids"]:
        data = hashlib.shake_128(b"hansa").digest(fact["size"])
        command = [find_ipfs(), "add", "--only-hash", "--quieter"]
        if fact["chunk"] != CHUNK:
            command.append(f"--chunker=size-{fact['chunk']}")  # else what it makes by default
        added = subprocess.run(command, input=data, capture_output=True, env=environment, check=True)
        assert added.stdout.decode().strip() == fact["cid"]


def test_no_node__is_unavailable() -> None:
    store = KuboStore("/ip4/127.0.0.1/tcp/1")
    for action in (
        lambda: store.put(b"x"),
        lambda: store.has(digest_of(b"x")),
        lambda: store.get(digest_of(b"x"), limit=1, timeout=1),
    ):
        with pytest.raises(StoreUnavailable, match="no Kubo node answers at /ip4/127.0.0.1/tcp/1"):
            action()


# --- nodes that trickle, flood and pack


def trickling(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    trickle(handler)


def trickling_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    trickle(handler)


def trickle(handler: Handler) -> None:
    for _ in range(300):
        handler.wfile.write(b"x")
        time.sleep(0.1)


def flooding(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        handler.wfile.write(bytes(1 << 16))


def packed(handler: Handler) -> None:
    data = bomb()
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(data) + data)


def chunk(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n")
    while True:
        handler.wfile.write(bytes(1 << 16))


class Handler(BaseHTTPRequestHandler):
    how: Callable[[Any], None]

    def do_POST(self) -> None:
        with contextlib.suppress(OSError):
            type(self).how(self)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.mark.parametrize(
    "how, error",
    [
        (trickling, NotFound),
        (trickling_headers, NotFound),
        (flooding, TooLarge),
        (chunk, TooLarge),
        (packed, StoreUnavailable),
    ],
)
def test_a_node_that_trickles_or_floods__ends_in_time_and_memory(
    how: Callable[[Any], None], error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hansa.runtime.store.kubo.NODE_SECONDS", 1.0)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Its", (Handler,), {"how": how}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    store = KuboStore(f"/ip4/127.0.0.1/tcp/{server.server_address[1]}")
    bomb()
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        with pytest.raises(error):
            store.get(digest_of(b"x"), limit=10, timeout=1)
        with pytest.raises((StoreUnavailable, WrongBytes, NotFound)):
            monkeypatch.setattr("hansa.runtime.store.kubo.ADD_SECONDS", 1.0)
            store.put(b"x")
    finally:
        server.shutdown()
        server.server_close()
    assert time.monotonic() - start < 20, "seconds, generous"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 << 10, "KiB"
