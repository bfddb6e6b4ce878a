"""A node of a local chain: found on PATH or refused with where to get it, started, waited for, ended."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hansa.devnet.anvil import CHAIN_ID, Anvil, end, last_line, rpc, spawn
from hansa.protocol.errors import ChainUnavailable, FatalError

START_SECONDS = 60.0
FOLDER = "chain"  # of a directory: what the nodes of its chain keep


@dataclass
class Node:
    """One process of a chain, and where it answers."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def height(self) -> int:
        """Its newest block; −1 while it doesn't answer."""
        try:
            return int(rpc(self.url, "eth_blockNumber"), 16)
        except ChainUnavailable:
            return -1


@dataclass
class Network(Anvil):
    """A running chain of one node or several, which keep its blocks; `process` and `url` are the first one's."""

    nodes: list[Node] = field(default_factory=list)
    ws_url: str = ""
    depth: int = 0

    @classmethod
    def of(cls, nodes: Sequence[Node], *, ws: str = "", confirmations: int = 0) -> Network:
        first = nodes[0]
        return cls(first.url, first.process, 0, list(nodes), ws, confirmations)

    @property
    def urls(self) -> list[str]:
        return [node.url for node in self.nodes]

    @property
    def ws(self) -> str:
        return self.ws_url or super().ws

    @property
    def confirmations(self) -> int:
        return self.depth

    @property
    def pids(self) -> list[int]:
        return [node.process.pid for node in self.nodes]

    def save(self, state: Path) -> None:
        """Its nodes have written it down."""

    def stop(self) -> None:
        for node in self.nodes:
            node.process.terminate()
        for node in self.nodes:
            end(node.process, 20.0)


def find(program: str, where: str) -> str:
    """A program on PATH. where: how to get it."""
    found = shutil.which(program)
    if found is None:
        raise FatalError(f"{program} is not installed", cause=f"PATH has no {program}", next_step=where)
    return found


def start(name: str, command: Sequence[str], url: str, log: Path, *, orphan: bool, path: str | None = None) -> Node:
    """A node's process. path: where its libraries are."""
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = None if path is None else {**os.environ, "LD_LIBRARY_PATH": path}
    return Node(name, url, spawn(command, log, orphan=orphan, environment=environment), log)


def done(command: Sequence[str], *, path: str | None = None, given: str | None = None) -> str:
    """What a command that ends prints; FatalError with its last line where it fails."""
    environment = None if path is None else {**os.environ, "LD_LIBRARY_PATH": path}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, input=given, check=False)
    if ran.returncode:
        said = (ran.stderr.strip() or ran.stdout.strip() or "nothing").splitlines()[-1]
        raise FatalError(f"`{Path(command[0]).name} {command[1]}` failed", cause=said)
    return ran.stdout or ran.stderr


def wait_for(nodes: Sequence[Node], ready: Callable[[], bool], seconds: float = START_SECONDS) -> None:
    """FatalError where a node ends, or they are not `ready` in time."""
    deadline = time.monotonic() + seconds
    while True:
        for node in nodes:
            if node.process.poll() is not None:
                raise FatalError(
                    f"{node.name} ended",
                    cause=f"{node.log} ends with {last_line(node.log)!r}",
                    next_step="look into it",
                )
        try:
            if ready():
                return
        except ChainUnavailable:
            pass
        if time.monotonic() > deadline:
            raise FatalError(
                f"the chain did not start in {seconds:.0f} s", next_step=f"look into {nodes[0].log.parent}"
            )
        time.sleep(0.1)


def is_ours(url: str) -> bool:
    """Whether a node answers there, of a chain with our id."""
    return int(rpc(url, "eth_chainId"), 16) == CHAIN_ID
