"""Chains of go-ethereum 1.10: three sealers (proof of authority), or one miner (proof of work)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hansa.devnet.anvil import CHAIN_ID, free_port, published_address, published_key, require_free, rpc
from hansa.devnet.chains.dags import made_dags
from hansa.devnet.chains.node import FOLDER, Network, Node, done, find, is_ours, start, wait_for
from hansa.runtime.keystore import Keyfile

WHERE = "get it from geth.ethereum.org/downloads: go-ethereum 1.10.26 is of the last line with sealers and miners"
SEALERS = 3
FIRST_SEALER = 900  # index of its published account, beyond those of parties
PERIOD = 1  # seconds between blocks of the sealers
COINS = 10**22  # wei of every account
GAS_LIMIT = 30_000_000
PASSWORD = "hansa"  # of published keys
EASY = 0x20000  # the miner's first difficulty
POA_CONFIRMATIONS, POW_CONFIRMATIONS = 2, 4
FORKS = [
    "homestead",
    "eip150",
    "eip155",
    "eip158",
    "byzantium",
    "constantinople",
    "petersburg",
    "istanbul",
    "berlin",
    "london",
]


def start_sealers(directory: Path, *, accounts: int, port: int | None, orphan: bool, idle: bool) -> Network:
    """Three clique sealers that take turns, a block a second; each is an endpoint of its own."""
    geth, home = find("geth", WHERE), directory / FOLDER
    sealers = [FIRST_SEALER + place for place in range(SEALERS)]
    addresses = sorted(published_address(index)[2:].lower() for index in sealers)
    genesis = _genesis(accounts, {"clique": {"period": PERIOD, "epoch": 30_000}}, 1)
    genesis["extradata"] = "0x" + "00" * 32 + "".join(addresses) + "00" * 65
    nodes: list[Node] = []
    try:
        for place, index in enumerate(sealers, 1):
            own = home / f"sealer-{place}"
            key = _prepare(geth, own, genesis, index)
            etherbase = published_address(index)
            sealing = ["--unlock", etherbase, "--password", str(key), "--allow-insecure-unlock"]
            nodes.append(_start(geth, own, etherbase, sealing, port if place == 1 else None, orphan))
        wait_for(nodes, lambda: all(is_ours(node.url) for node in nodes))
        connect(nodes)
        wait_for(nodes, lambda: min(node.height for node in nodes) > 0)
    except BaseException:
        Network.of(nodes).stop() if nodes else None
        raise
    return Network.of(nodes, confirmations=POA_CONFIRMATIONS)


def start_miner(directory: Path, *, accounts: int, port: int | None, orphan: bool, idle: bool) -> Network:
    """One miner. What it mines with is made first, where this user's cache has none yet: it takes minutes."""
    geth, own = find("geth", WHERE), directory / FOLDER / "miner"
    _prepare(geth, own, _genesis(accounts, {"ethash": {}}, EASY), None)
    mining = ["--ethash.dagdir", str(made_dags(geth)), "--miner.threads", "1"]
    node = _start(geth, own, published_address(FIRST_SEALER), mining, port, orphan)
    try:
        wait_for([node], lambda: is_ours(node.url) and node.height > 0)
    except BaseException:
        Network.of([node]).stop()
        raise
    return Network.of([node], confirmations=POW_CONFIRMATIONS)


def connect(nodes: list[Node]) -> None:
    """Makes each a peer of all others."""
    for node in nodes:
        identity, _, rest = rpc(node.url, "admin_nodeInfo")["enode"].partition("@")
        at = rest.partition(":")[2]
        for other in nodes:
            if other is not node:
                rpc(other.url, "admin_addPeer", f"{identity}@127.0.0.1:{at}")


def _genesis(accounts: int, engine: dict[str, Any], difficulty: int) -> dict[str, Any]:
    return {
        "config": {"chainId": CHAIN_ID, **{f"{fork}Block": 0 for fork in FORKS}, **engine},
        "difficulty": hex(difficulty),
        "gasLimit": hex(GAS_LIMIT),
        "alloc": {published_address(index)[2:]: {"balance": hex(COINS)} for index in range(accounts)},
    }


def _prepare(geth: str, own: Path, genesis: dict[str, Any], key: int | None) -> Path:
    """Makes a node's folder, where there is none yet; the file of its key's password."""
    word = own / "password"
    if not (own / "geth").exists():
        own.mkdir(parents=True, exist_ok=True)
        word.write_text(PASSWORD)
        file = own / "genesis.json"
        file.write_text(json.dumps(genesis))
        done([geth, "init", "--datadir", str(own), str(file)])
        if key is not None:
            (own / "keystore").mkdir(exist_ok=True)
            Keyfile.create(own / "keystore" / "sealer.json", PASSWORD, private_key=published_key(key), light=True)
    return word


def _start(geth: str, own: Path, etherbase: str, more: list[str], port: int | None, orphan: bool) -> Node:
    chosen = port or free_port()
    require_free(chosen)
    options = {
        "--datadir": own,
        "--networkid": CHAIN_ID,
        "--miner.etherbase": etherbase,
        "--miner.gaslimit": GAS_LIMIT,
        "--nat": "none",
        "--netrestrict": "127.0.0.0/8",
        "--syncmode": "full",
        "--verbosity": 2,
        "--port": free_port(),
        "--authrpc.port": free_port(),
        "--http.port": chosen,
        "--ws.port": chosen,
        "--http.api": "eth,net,web3,admin",
    }
    flat = [str(part) for option in options.items() for part in option]
    command = [geth, *flat, "--mine", "--http", "--ws", "--nodiscover", "--ipcdisable", *more]
    return start(own.name, command, f"http://127.0.0.1:{chosen}", own / "log", orphan=orphan)
