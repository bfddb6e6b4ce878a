"""Kubo nodes of our own: one for each daemon, on free loopback ports, connected to each other and to nobody else."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hansa.devnet.anvil import end, spawn
from hansa.protocol.errors import FatalError, StoreUnavailable
from hansa.runtime.files import private_folder

START_SECONDS = 60.0


@dataclass
class KuboNode:
    """One `ipfs daemon` with a repository of its own."""

    path: Path
    process: subprocess.Popen[bytes]
    api: str = ""  # multiaddress, as ipfshttpclient wants it
    peer: str = ""  # loopback multiaddress with the peer's id

    def call(self, command: str, **arguments: str) -> Any:
        """One call of the node's HTTP API."""
        port = self.api.rsplit("/", 1)[1]
        url = f"http://127.0.0.1:{port}/api/v0/{command}?{urllib.parse.urlencode(arguments)}"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=20) as response:
                return json.load(response)
        except (OSError, ValueError) as error:
            raise StoreUnavailable(
                f"the Kubo node in {self.path} doesn't answer {command}", cause=str(error)
            ) from error

    def stop(self) -> None:
        end(self.process)


def find_ipfs() -> str:
    """The `ipfs` binary on PATH."""
    found = shutil.which("ipfs")
    if found is None:
        raise FatalError(
            "ipfs is not installed", cause="PATH has no Kubo binary", next_step="install Kubo, or use --store local"
        )
    return found


def start_nodes(directory: Path, names: Sequence[str], *, orphan: bool = False) -> dict[str, KuboNode]:
    """Starts a node for each name and connects them all; none stays behind when one fails.

    orphan: they outlive this process.
    """
    ipfs = find_ipfs()
    nodes: dict[str, KuboNode] = {}
    try:
        for name in names:
            nodes[name] = _start(ipfs, directory / name, orphan)
        for node in nodes.values():
            _wait_until_up(node)
        _connect(list(nodes.values()))
    except BaseException:
        for node in nodes.values():
            node.stop()
        raise
    return nodes


def _start(ipfs: str, path: Path, orphan: bool) -> KuboNode:
    private_folder(path)  # the node's own key is in it
    environment = {**os.environ, "IPFS_PATH": str(path), "IPFS_TELEMETRY": "off"}
    if not (path / "config").exists():
        done = subprocess.run([ipfs, "init", "--profile=test"], env=environment, capture_output=True, text=True)
        if done.returncode:
            raise FatalError(f"`ipfs init` failed in {path}", cause=done.stderr.strip().splitlines()[-1])
        _configure(path / "config")
    (path / "api").unlink(missing_ok=True)
    return KuboNode(path, spawn([ipfs, "daemon"], path / "log", orphan=orphan, environment=environment))


def _configure(file: Path) -> None:
    """Loopback only, ports of the system's choice, no routing: a node asks only those that it is connected to."""
    config = json.loads(file.read_text())
    config["Routing"] = {"Type": "none"}
    config["Bootstrap"] = []
    config["Addresses"].update(
        API="/ip4/127.0.0.1/tcp/0", Gateway="/ip4/127.0.0.1/tcp/0", Swarm=["/ip4/127.0.0.1/tcp/0"]
    )
    config.setdefault("AutoConf", {})["Enabled"] = False
    config.setdefault("AutoTLS", {})["Enabled"] = False
    file.write_text(json.dumps(config, indent=2))


def _wait_until_up(node: KuboNode) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and node.process.poll() is None:
        with contextlib.suppress(FileNotFoundError, StoreUnavailable):
            node.api = (node.path / "api").read_text().strip()
            if node.api:
                addresses = node.call("id")["Addresses"] or []
                node.peer = next((address for address in addresses if address.startswith("/ip4/127.0.0.1/tcp/")), "")
                if node.peer:
                    return
        time.sleep(0.05)
    raise FatalError(f"the Kubo node in {node.path} did not start", next_step=f"look into {node.path / 'log'}")


def _connect(nodes: Sequence[KuboNode]) -> None:
    pairs = [(first, second) for i, first in enumerate(nodes) for second in nodes[i + 1 :]]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda pair: pair[0].call("swarm/connect", arg=pair[1].peer), pairs))
