"""`brownie run` as a brownie user types it, on the two chains that set-up brings. Compiles once, like brownie does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from web3 import HTTPProvider, Web3

from hansa.protocol.spec import JobSpec
from hansa.runtime.chain.deployment import Deployment

ROOT = Path(__file__).resolve().parents[2]
BROWNIE = Path(sys.executable).with_name("brownie")
CHAINS = {"anvil": ["anvil", "--quiet", "--port"], "ganache-cli": ["ganache-cli", "--quiet", "--server.port"]}
MEMBERS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8,0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"


class Project:
    """A brownie user's machine: a home and a chain of their own."""

    def __init__(self, home: Path, network: str, port: int) -> None:
        self.directory = home / ".hansa"
        self.network = network
        self.environment = os.environ | {
            "HOME": str(home),
            "HANSA_DIR": str(self.directory),
            "SOLCX_BINARY_PATH": str(Path.home() / ".solcx"),
            "PATH": f"{ROOT / 'node_modules/.bin'}:{os.environ['PATH']}",
        }
        self.brownie("networks", "modify", network, f"port={port}")

    def brownie(self, *arguments: str) -> str:
        command = [str(BROWNIE), *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=180, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, script: str, *arguments: str) -> str:
        return self.brownie("run", script, *arguments, "--network", self.network)


@pytest.fixture(params=CHAINS)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Project]:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    node = subprocess.Popen([*CHAINS[request.param], str(port)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield Project(tmp_path, request.param, port)
    finally:
        node.terminate()
        node.wait(10)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, "the chain did not start"
            time.sleep(0.1)


def test_deploy_and_post_job__leave_what_hansa_reads(project: Project) -> None:
    project.run("deploy")
    deployed = Deployment.load(project.directory / "deployment.json")
    chain = Web3(HTTPProvider(deployed.rpc[0]))
    assert chain.eth.chain_id == deployed.chain_id
    made = (deployed.federation, deployed.vault, deployed.token, deployed.registry, deployed.credentials)
    assert all(address is not None and chain.eth.get_code(address) for address in made)

    assert "Posted job 1" in project.run("post_job", "main", MEMBERS)
    allowed = Deployment.load(project.directory / "deployment.json").allowed.committees
    assert len(allowed) == 1 and chain.eth.get_code(allowed[0])
    stored = [path.read_bytes() for path in Path(deployed.store["path"]).rglob("*") if path.is_file()]
    assert [data for data in stored if data.startswith(b"{") and JobSpec.decode(data).task == "heart"]
