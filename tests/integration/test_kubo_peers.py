"""The other parties' Kubo nodes, named in deployment.json: two nodes that nobody else connects."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hansa.devnet import kubo
from hansa.devnet.kubo import KuboNode, find_ipfs
from hansa.protocol.cid import digest_of
from hansa.protocol.errors import FatalError, NotFound
from hansa.runtime.store import open_store
from hansa.runtime.store import peers as peering
from hansa.runtime.store.kubo import KuboStore


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[KuboNode]]:
    """Two nodes without a connection."""
    try:
        ipfs = find_ipfs()
    except FatalError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("kubo")
    nodes: list[KuboNode] = []
    try:
        for name in ("one", "two"):
            nodes.append(kubo._start(ipfs, folder / name, orphan=False))
        for node in nodes:
            kubo._wait_until_up(node)
        yield nodes
    finally:
        for node in nodes:
            node.stop()


def test_peers__are_connected_at_the_first_call__and_again_where_something_is_missed(
    strangers: list[KuboNode], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = strangers
    monkeypatch.setattr(peering, "AGAIN_SECONDS", 0.0)
    KuboStore(two.api).put(b"of the other")
    with pytest.raises(NotFound):
        KuboStore(one.api).get(digest_of(b"of the other"), limit=20, timeout=1)
    addresses = [one.peer, two.peer, f"/ip4/127.0.0.1/tcp/1/p2p/{unknown()}"]
    store = open_store({"kind": "kubo", "api": one.api}, peers=addresses)
    assert isinstance(store, KuboStore)
    assert store.get(digest_of(b"of the other"), limit=20, timeout=20) == b"of the other"
    assert store.peers.connected() == {two.peer: True, addresses[2]: False}, "its own is passed over"
    for address in store.peers.others():
        one.call("swarm/peering/rm", arg=peering.peer_of(address))  # as a node that started again
    one.call("swarm/disconnect", arg=two.peer)
    KuboStore(two.api).put(b"later")
    assert arrives(store, b"later"), "whoever misses a file asks for the connections again"


def arrives(store: KuboStore, data: bytes) -> bool:
    for _ in range(5):
        try:
            return store.get(digest_of(data), limit=len(data), timeout=5) == data
        except NotFound:
            continue
    return False


def unknown() -> str:
    return "12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5"
