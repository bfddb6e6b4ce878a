"""Ganache: a chain in one process, with anvil's published accounts."""

from __future__ import annotations

import os
from pathlib import Path

from hansa.devnet.anvil import CHAIN_ID, MNEMONIC, free_port, require_free
from hansa.devnet.chains.node import FOLDER, Network, find, is_ours, start, wait_for

WHERE = "run `make setup`, or `npm install --global ganache@7.9.2`"
BLOCK_SECONDS = 2  # it is slow: at one, seven daemons leave it no time


def start_ganache(directory: Path, *, accounts: int, port: int | None, orphan: bool, idle: bool) -> Network:
    """A block every two seconds; idle: one where there is a transaction."""
    chosen = port or free_port()
    require_free(chosen)
    home = directory / FOLDER / "ganache"
    home.mkdir(parents=True, exist_ok=True)
    options = {
        "--server.host": "127.0.0.1",
        "--server.port": chosen,
        "--chain.chainId": CHAIN_ID,
        "--chain.hardfork": "merge",
        "--wallet.mnemonic": MNEMONIC,
        "--wallet.totalAccounts": accounts,
        "--database.dbPath": home,
        **({} if idle else {"--miner.blockTime": BLOCK_SECONDS}),
    }
    flat = [str(part) for option in options.items() for part in option]
    command = [_program(), *flat, "--logging.quiet"]
    url, log = f"http://127.0.0.1:{chosen}", directory / FOLDER / "ganache.log"
    node = start("ganache", command, url, log, orphan=orphan)
    try:
        wait_for([node], lambda: is_ours(node.url))
    except BaseException:
        Network.of([node]).stop()
        raise
    return Network.of([node])


def _program() -> str:
    """The project's own, or the one on PATH."""
    for root in (Path(__file__).resolve().parents[3], Path.cwd()):
        own = root / "node_modules" / ".bin" / "ganache"
        if os.access(own, os.X_OK):
            return str(own)
    return find("ganache", WHERE)
