"""The Kubo store, against nodes of our own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
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

from hansa.devnet import kubo
from hansa.devnet.kubo import KuboNode, find_ipfs, start_nodes
from hansa.protocol.cid import CHUNK, digest_of, to_cid
from hansa.protocol.errors import FatalError, NotFound, StoreUnavailable, TooLarge, WrongBytes
from hansa.runtime.store import LocalStore, open_store
from hansa.runtime.store.kubo import PROFILE, KuboStore


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


# --- nodes that are set up in another way


@pytest.fixture(scope="module")
def other_node(nodes: list[KuboNode], tmp_path_factory: pytest.TempPathFactory) -> Iterator[KuboNode]:
    """One of the profile unixfs-v1-2025, whose API asks for credentials."""
    folder = tmp_path_factory.mktemp("other")
    path = folder / "one"
    path.mkdir()
    environment = {**os.environ, "IPFS_PATH": str(path)}
    command = [find_ipfs(), "init", "--profile=test,unixfs-v1-2025"]
    subprocess.run(command, env=environment, capture_output=True, check=True)
    kubo._configure(path / "config")
    config = json.loads((path / "config").read_text())
    config["API"] = {
        "Authorizations": {
            "ann": {"AuthSecret": "basic:ann:word", "AllowedPaths": ["/api/v0"]},
            "bob": {"AuthSecret": "bearer:token", "AllowedPaths": ["/api/v0"]},
            "eve": {"AuthSecret": "bearer:reader", "AllowedPaths": ["/api/v0/cat"]},
        }
    }
    (path / "config").write_text(json.dumps(config))
    node = kubo._start(find_ipfs(), path, orphan=False)
    try:
        until(lambda: (path / "api").exists() and "Daemon is ready" in (path / "log").read_text())
        node.api = (path / "api").read_text().strip()
        yield node
    finally:
        node.stop()


def until(reached: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("size", [1, 262_145, 174 * 262_144 + 1])
def test_put__on_a_node_of_another_profile__has_our_cid(other_node: KuboNode, size: int) -> None:
    """The last is the first size whose DAG has one more layer: 50 MB and a node of 1024 links would not."""
    data = hashlib.shake_128(b"profile").digest(size)
    store = KuboStore(other_node.api, "basic:ann:word")
    assert store.put(data) == digest_of(data)
    assert store.get(digest_of(data), limit=size, timeout=20) == data


@pytest.mark.parametrize("secret", ["basic:ann:word", "bearer:token"])
def test_credentials__by_name__are_those_of_the_nodes_configuration(
    other_node: KuboNode, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("KUBO", secret)
    store = open_store({"kind": "kubo", "api": other_node.api, "auth": "${KUBO}"})
    digest = store.put(b"for those who may")
    assert store.has(digest) and store.get(digest, limit=20, timeout=5) == b"for those who may"


@pytest.mark.parametrize(
    ("auth", "said"),
    [
        (None, r"refuses who gives no credentials: status 403; write \"auth\": \"\$\{NAME\}\" into the store"),
        ("basic:ann:wrong", "refuses these credentials: status 403; compare them with API.Authorizations"),
        ("bearer:wrong", "refuses these credentials: status 403"),
        ("bearer:reader", "refuses these credentials: status 403; .*AllowedPaths too"),
    ],
)
def test_credentials__that_a_node_refuses__are_called_that(other_node: KuboNode, auth: str | None, said: str) -> None:
    store = KuboStore(other_node.api, auth)
    for action in (lambda: store.put(b"x"), lambda: store.has(digest_of(b"x")), lambda: store.pin(digest_of(b"x"))):
        with pytest.raises(StoreUnavailable, match=said) as refused:
            action()
        assert "wrong" not in str(refused.value) and "reader" not in str(refused.value)


def test_gateway__given_as_the_api__is_called_that(other_node: KuboNode) -> None:
    said = re.findall(r"Gateway server listening on (\S+)", (other_node.path / "log").read_text())
    store = KuboStore(said[0])
    for action in (
        lambda: store.put(b"x"),
        lambda: store.has(digest_of(b"x")),
        lambda: store.get(digest_of(b"x"), limit=1, timeout=5),
    ):
        with pytest.raises(StoreUnavailable, match="no Kubo API answers at .*, as of a gateway's port; name the API's"):
            action()


def test_put__where_the_node_cuts_files_in_another_way__says_what_to_do(
    nodes: list[KuboNode], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROFILE, "chunker", "size-1048576")
    with pytest.raises(
        WrongBytes, match="stored Qm.* as Qm.*: it cuts files in another way.*update it, or run `ipfs config"
    ):
        KuboStore(nodes[0].api).put(bytes(300_000))


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
