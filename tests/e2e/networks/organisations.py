"""Organisations of docs/operate.md: each a host with a Kubo node, perhaps a sealer, a trainer, a validator."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from commands import ROOT
from hosts import Host

from hansa.devnet.anvil import rpc
from hansa.devnet.chains.geth import FORKS
from hansa.protocol.errors import ChainUnavailable
from hansa.protocol.types import Address
from hansa.runtime.accounts import address_of, load_account
from hansa.runtime.chain.calls import transfer_call
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.session import Session, connect
from hansa.runtime.transactions.signer import signing_with
from hansa.runtime.workspace import Workspace

CHAIN_ID = 4242
PASSWORD = "correct horse"
COINS = 10**22  # wei of each account
API = "/ip4/127.0.0.1/tcp/5001"
LOCAL = "http://127.0.0.1:8545"
TRAINER, VALIDATOR, SPONSOR = "trainer", "validator", "sponsor"


def until(reached: Callable[[], bool], what: str, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, f"no {what} in {seconds:.0f} s"
        time.sleep(0.2)


class Organisation:
    """One of them, and the commands that it types. `workspace`: the folder of its daemons."""

    def __init__(self, host: Host) -> None:
        self.host, self.name = host, host.name
        self.workspace = Workspace(host.folder / "hansa")
        self.sealer = ""
        self.enode = ""

    # --- commands

    def hansa(self, *words: str) -> str:
        return self.host.run(self._command(words), env=self._environment)

    def told(self, *words: str) -> Any:
        return json.loads(self.hansa(*words, "--json"))

    def start(self, name: str, *words: str) -> None:
        self.host.start(name, self._command(words), self._environment)

    def _command(self, words: Sequence[str]) -> list[str]:
        return [sys.executable, "-P", "-m", "hansa.cli.main", *words, "--dir", str(self.workspace.dir)]

    @property
    def _environment(self) -> Mapping[str, str]:
        return {"PYTHONPATH": str(ROOT), "HANSA_PASSWORD": PASSWORD, "OMP_NUM_THREADS": "1"}

    def new_key(self, name: str) -> str:
        return str(self.told("wallet", "new", name, "--light")["address"])

    def address(self, name: str) -> Address:
        return address_of(self.workspace, name)

    # --- Kubo

    def prepare_kubo(self) -> str:
        """Makes the node, which nobody outside can be asked by; the address that others reach it at."""
        self.host.run(["ipfs", "init", "--profile=test"], env=self._kubo)
        file = self.host.folder / "ipfs" / "config"
        config = json.loads(file.read_text())
        config |= {"Routing": {"Type": "none"}, "Bootstrap": [], "AutoConf": {"Enabled": False}}
        config["Addresses"] |= {"API": API, "Gateway": "/ip4/127.0.0.1/tcp/8080", "Swarm": ["/ip4/0.0.0.0/tcp/4001"]}
        file.write_text(json.dumps(config))
        return f"/ip4/{self.host.address}/tcp/4001/p2p/{config['Identity']['PeerID']}"

    def start_kubo(self) -> None:
        before = self.host.log("kubo").stat().st_size if self.host.log("kubo").exists() else 0
        self.host.start("kubo", ["ipfs", "daemon", "--enable-gc"], self._kubo)
        until(lambda: b"Daemon is ready" in self.host.log("kubo").read_bytes()[before:], f"Kubo of {self.name}")

    @property
    def _kubo(self) -> Mapping[str, str]:
        return {"IPFS_PATH": str(self.host.folder / "ipfs"), "IPFS_TELEMETRY": "off"}

    # --- a sealer

    def prepare_sealer(self) -> str:
        """Makes its key; the address, without 0x."""
        (self.host.folder / "sealer.password").write_text(PASSWORD)
        words = ["geth", "account", "new", "--lightkdf", "--datadir", "sealer", "--password", "sealer.password"]
        said = self.host.run(words)
        self.sealer = said.partition("Public address of the key:")[2].split()[0][2:].lower()
        return self.sealer

    def start_sealer(self, genesis: Mapping[str, Any]) -> None:
        if not (self.host.folder / "genesis.json").exists():
            (self.host.folder / "genesis.json").write_text(json.dumps(genesis))
            self._init_sealer()
        words = ["--mine", "--miner.threads", "1", "--miner.gaslimit", "30000000", "--miner.etherbase"]
        words += [f"0x{self.sealer}", "--unlock", f"0x{self.sealer}", "--password", "sealer.password"]
        words += ["--allow-insecure-unlock", "--http", "--ws", "--http.addr", "0.0.0.0", "--http.vhosts", "*"]
        self._start_geth(*words)
        until(lambda: self.height() >= 0, f"sealer of {self.name}")

    def refill_sealer(self, others: Sequence[Organisation]) -> None:
        """It has lost its disk but for its key: it fetches the chain, and answers nobody until it has it."""
        shutil.rmtree(self.host.folder / "sealer" / "geth")
        self._init_sealer()
        self._start_geth()
        self.meet_sealers(others)
        until(lambda: int(self._attach("eth.blockNumber")) >= others[0].height() - 1, f"chain of {self.name}")
        self.host.kill("sealer")
        self.start_sealer({})
        self.meet_sealers(others)

    def _init_sealer(self) -> None:
        self.host.run(["geth", "init", "--datadir", "sealer", "genesis.json"])

    def _start_geth(self, *words: str) -> None:
        usual = ["geth", "--datadir", "sealer", "--networkid", str(CHAIN_ID), "--syncmode", "full", "--nodiscover"]
        (self.host.folder / "sealer" / "geth.ipc").unlink(missing_ok=True)
        self.host.start("sealer", [*usual, "--nat", "none", "--verbosity", "2", *words])
        until((self.host.folder / "sealer" / "geth.ipc").exists, f"geth of {self.name}")
        self.enode = json.loads(self._attach("admin.nodeInfo.enode")).replace("127.0.0.1", self.host.address)

    def meet_sealers(self, others: Sequence[Organisation]) -> None:
        for other in others:
            if other is not self and other.enode:
                self._attach(f'admin.addPeer("{other.enode}")')

    def _attach(self, script: str) -> str:
        return self.host.run(["geth", "attach", "--exec", script, "sealer/geth.ipc"])

    @property
    def endpoint(self) -> str:
        return f"http://{self.host.address}:8545"

    def height(self) -> int:
        """Of its own sealer; −1 while that doesn't answer."""

        def ask() -> int:
            try:
                return int(rpc(LOCAL, "eth_blockNumber"), 16)
            except ChainUnavailable:
                return -1

        return self.host.inside(ask)

    # --- what is read and sent

    def look(self, read: Callable[[Session], Any]) -> Any:
        """What a reading of chain and store comes to, on this host."""

        def do() -> Any:
            session = connect(self.workspace)
            try:
                return read(session)
            finally:
                session.chain.close()

        return self.host.inside(do)

    def send_tokens(self, to: Sequence[Address], amount: int) -> None:
        """As any wallet does."""

        def send(session: Session) -> None:
            account = load_account(self.workspace, SPONSOR, self.host.folder / "sealer.password")
            with signing_with(session.chain, account, self.workspace.journal(account.address)) as signer:
                for address in to:
                    signer.do(transfer_call(session.deployment.token, address, amount))

        self.look(send)

    def take(self, deployment: Path, endpoints: Sequence[str]) -> None:
        """Puts deployment.json into its folder, its own endpoint first."""
        Deployment.load(deployment).updated(rpc=[*endpoints]).save(self.workspace.deployment_file)


def genesis(sealers: Sequence[str], funded: Sequence[str], period: int = 1) -> dict[str, Any]:
    """The first block of a chain of sealers. sealers: addresses without 0x."""
    return {
        "config": {
            "chainId": CHAIN_ID,
            **{f"{fork}Block": 0 for fork in FORKS},
            "clique": {"period": period, "epoch": 30_000},
        },
        "difficulty": "0x1",
        "gasLimit": "0x1c9c380",
        "extradata": "0x" + "00" * 32 + "".join(sorted(sealers)) + "00" * 65,
        "alloc": {address: {"balance": hex(COINS)} for address in funded},
    }
