"""The other parties' Kubo nodes, which the own node is kept connected to."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

CALL_SECONDS = 5.0
AGAIN_SECONDS = 30.0  # between two times that the node is asked for connections


class Api(Protocol):
    """One call of the node's HTTP API: its first JSON answer. Raises whatever the library raises."""

    def __call__(self, path: str, *arguments: str, timeout: float) -> Any: ...


class Peers:
    """Asks the node for connections to `addresses` (multiaddresses that end in /p2p/ID; the node's own is passed over).

    Kubo keeps a peering until it restarts, but waits up to ten minutes before it tries a peer again; whoever misses a
    file asks anew. Nothing is raised: a file that can't be had says what is wrong.
    """

    def __init__(self, addresses: Sequence[str], api: Api, failures: tuple[type[Exception], ...]) -> None:
        self._addresses, self._api, self._failures = addresses, api, failures
        self._due = bool(addresses)
        self._next = 0.0  # monotonic
        self._lock = threading.Lock()

    def missed(self) -> None:
        """Something was not to be had: it may be for want of a connection."""
        self._due = bool(self._addresses)

    def meet(self) -> None:
        """Asks for the connections where they are due."""
        with self._lock:
            if not self._due or time.monotonic() < self._next:
                return
            self._due, self._next = False, time.monotonic() + AGAIN_SECONDS
        with contextlib.suppress(*self._failures):
            others = self.others()
            self._api("/swarm/peering/add", *others, timeout=CALL_SECONDS)
            self.meet_these(others)

    def meet_these(self, addresses: Sequence[str]) -> None:
        """Asks for connections once, all at the same time."""
        if addresses:
            with ThreadPoolExecutor(len(addresses)) as pool:
                list(pool.map(self._connect, addresses))

    def others(self) -> list[str]:
        """The addresses that are not the node's own."""
        own = self._api("/id", timeout=CALL_SECONDS)["ID"]
        return [address for address in self._addresses if peer_of(address) != own]

    def connected(self) -> dict[str, bool]:
        """By address of another node, whether there is a connection."""
        there = {peer["Peer"] for peer in self._api("/swarm/peers", timeout=CALL_SECONDS)["Peers"] or ()}
        return {address: peer_of(address) in there for address in self.others()}

    def _connect(self, address: str) -> None:
        with contextlib.suppress(*self._failures):
            self._api("/swarm/connect", address, timeout=CALL_SECONDS)


def peer_of(address: str) -> str:
    """The peer's id in a multiaddress."""
    return address.rpartition("/p2p/")[2]
