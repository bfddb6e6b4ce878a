"""A Kubo node over the months of its operator: garbage, large files, a new start, what `hansa doctor` says of it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hansa.cli.doctor import store as doctor
from hansa.devnet import kubo
from hansa.devnet.kubo import KuboNode, find_ipfs, start_nodes
from hansa.protocol.cid import digest_of
from hansa.protocol.errors import FatalError, StoreUnavailable
from hansa.runtime.store.kubo import KuboStore, NodeFacts


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


def until(reached: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_garbage__is_collected__and_what_is_pinned_stays(nodes: list[KuboNode]) -> None:
    one, two = KuboStore(nodes[0].api), KuboStore(nodes[1].api)
    kept, fetched, dropped = (os.urandom(300_000) for _ in range(3))
    for data in (kept, dropped):
        one.put(data)
    one.unpin(digest_of(dropped))
    two.pin(two.put(fetched))
    one.pin(digest_of(fetched))  # as a member pins an update
    one._client.repo.gc(quiet=True)
    assert [one.has(digest_of(data)) for data in (kept, fetched, dropped)] == [True, True, False]


@pytest.mark.parametrize(
    "data", [bytes(100_000_000), hashlib.shake_128(b"large").digest(46_000_000)], ids=["0", "random"]
)
def test_a_large_file__has_the_cid_that_the_node_gives_it(nodes: list[KuboNode], data: bytes) -> None:
    """Over 45,613,056 bytes a file has a layer more: 174 links of 262,144 bytes."""
    store = KuboStore(nodes[0].api)
    assert store.put(data) == digest_of(data)
    assert store.get(digest_of(data), limit=len(data), timeout=60) == data
    store.unpin(digest_of(data))


def test_a_node_that_starts_again__has_what_it_had__and_is_asked_as_before(
    nodes: list[KuboNode], tmp_path: Path
) -> None:
    found = start_nodes(tmp_path, ["one"])["one"]
    store = KuboStore(found.api)
    digest = store.put(b"before")
    found.stop()
    with pytest.raises(StoreUnavailable, match="no Kubo node answers at .*; start it: ipfs daemon"):
        store.get(digest, limit=10, timeout=5)
    config = json.loads((found.path / "config").read_text())
    config["Addresses"]["API"] = found.api  # as an operator's, who has chosen a port
    (found.path / "config").write_text(json.dumps(config))
    again = kubo._start(find_ipfs(), found.path, orphan=False)
    try:
        until(lambda: (found.path / "api").exists() and again.process.poll() is None)
        assert store.get(digest, limit=10, timeout=5) == b"before"
    finally:
        again.stop()


@pytest.mark.parametrize(
    ("facts", "state", "said"),
    [
        (None, "ok", r"gave back Qm\w+; Kubo 0\.\d+\.\d+, 0\.\d of"),
        (NodeFacts("0.34.1", 1, 100), "warning", "before 0.35 files over 45 MB can get other CIDs; update it"),
        (NodeFacts("0.43.0", 91, 100), "warning", "its repository is full; start it with `ipfs daemon --enable-gc`"),
    ],
)
def test_doctor__says_what_would_stop_a_node(
    nodes: list[KuboNode], monkeypatch: pytest.MonkeyPatch, facts: NodeFacts | None, state: str, said: str
) -> None:
    if facts is not None:
        monkeypatch.setattr(KuboStore, "facts", lambda store: facts)
    found = KuboStore(nodes[0].api, peers=[nodes[1].peer, nodes[0].peer])
    assert doctor._of_node(found, "kubo, gave back Qmx")[0] == state
    assert re.search(said, doctor._of_node(found, "kubo, gave back Qmx")[1])
    assert doctor._peers(found) == ("ok", "1 node of the other parties, all connected")


def test_doctor__names_the_nodes_that_are_not_reached(nodes: list[KuboNode]) -> None:
    away = "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5"
    state, said = doctor._peers(KuboStore(nodes[0].api, peers=[away]))
    assert state == "warning" and f"1 node of 1 not connected: {away}; ask whether it runs" in said
