"""Proof of stake: three CometBFT validators with an EVM, as the program `injectived` runs them."""

from __future__ import annotations

import json
import re
from pathlib import Path

from hansa.devnet.anvil import CHAIN_ID, free_port, published_address, require_free
from hansa.devnet.chains.node import FOLDER, Network, Node, done, find, is_ours, start, wait_for

WHERE = "take it, and libwasmvm beside it, from the wheel injective-core 1.20.1 of PyPI, injective_core/bin"
STAKES = (1, 2, 3)  # of the validators, in STAKE
STAKE = 10**20
COINS = 10**24  # of each account, in the smallest unit
NETWORK = "hansa-1"  # as CometBFT calls the chain
KEYRING = ("--keyring-backend", "test")
GAS_LIMIT = 30_000_000
COMMIT = "1s"  # between two blocks
GAS_PRICE = "160000000inj"
NO_CODE = "xdJGAYb3IzySfn2y3McDwOUAtlPKgic7e/rYBF2FpHA="  # base64 of the hash of nothing
LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def start_validators(directory: Path, *, accounts: int, port: int | None, orphan: bool, idle: bool) -> Network:
    """Three validators with stakes 1:2:3. A block is final when it is there."""
    program, home = find("injectived", WHERE), directory / FOLDER
    homes = [home / f"validator-{place}" for place in range(1, len(STAKES) + 1)]
    command = Program(program)
    if not (home / "ready").exists():
        _found(command, homes, accounts)
        (home / "ready").touch()
    p2p = [free_port() for _ in homes]
    peers = [
        f"{command.run('comet', 'show-node-id', at=own).strip()}@127.0.0.1:{at}"
        for own, at in zip(homes, p2p, strict=True)
    ]
    chosen = port or free_port()
    require_free(chosen)
    nodes: list[Node] = []
    websockets = [free_port() for _ in homes]
    try:
        for place, own in enumerate(homes):
            others = ",".join(peer for peer in peers if peer is not peers[place])
            nodes.append(
                command.start(own, p2p[place], chosen if place == 0 else free_port(), websockets[place], others, orphan)
            )
        wait_for(nodes, lambda: all(is_ours(node.url) for node in nodes))
        wait_for(nodes, lambda: min(node.height for node in nodes) > 1)
    except BaseException:
        for node in nodes:
            node.process.kill()
        raise
    return Network.of(nodes, ws=f"ws://127.0.0.1:{websockets[0]}")


class Program:
    """`injectived`, with the library that lies beside it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._libraries = str(Path(path).resolve().parent)

    def run(self, *words: str, at: Path) -> str:
        """What a command says, with `at` for its home."""
        return done([self._path, *words, "--home", str(at)], path=self._libraries)

    def start(self, own: Path, p2p: int, rpc: int, ws: int, peers: str, orphan: bool) -> Node:
        """A validator. gRPC and REST must be on, or it never answers JSON-RPC."""
        here = "127.0.0.1"
        options = {
            "--home": own,
            "--p2p.laddr": f"tcp://{here}:{p2p}",
            "--p2p.persistent_peers": peers,
            "--rpc.laddr": f"tcp://{here}:{free_port()}",
            "--rpc.pprof_laddr": f"{here}:{free_port()}",
            "--grpc.address": f"{here}:{free_port()}",
            "--api.address": f"tcp://{here}:{free_port()}",
            "--json-rpc.address": f"{here}:{rpc}",
            "--json-rpc.ws-address": f"{here}:{ws}",
            "--json-rpc.api": "eth,net,web3",
            "--minimum-gas-prices": GAS_PRICE,
            "--log-level": "error",
        }
        flat = [str(part) for option in options.items() for part in option]
        command = [self._path, "start", *flat, "--api.enable", "--json-rpc.enable"]
        return start(own.name, command, f"http://{here}:{rpc}", own / "log", orphan=orphan, path=self._libraries)


def _found(command: Program, homes: list[Path], accounts: int) -> None:
    """Makes the chain: its first block, and every validator's keys."""
    first = homes[0]
    for own in homes:
        own.mkdir(parents=True, exist_ok=True)
        command.run("init", own.name, "--chain-id", NETWORK, at=own)
        command.run("keys", "add", "own", *KEYRING, at=own)
    genesis = first / "config" / "genesis.json"
    _set_rules(genesis)
    owners = [command.run("keys", "show", "own", "--address", *KEYRING, at=own).strip() for own in homes]
    _fund(genesis, [*owners, *(bech32("inj", bytes.fromhex(published_address(n)[2:])) for n in range(accounts))])
    for own, stake in zip(homes, STAKES, strict=True):
        if own is not first:
            (own / "config" / "genesis.json").write_bytes(genesis.read_bytes())
        amount = f"{stake * STAKE}inj"
        command.run("genesis", "gentx", "own", amount, "--chain-id", NETWORK, *KEYRING, at=own)
        for file in (own / "config" / "gentx").glob("*.json") if own is not first else ():
            (first / "config" / "gentx" / file.name).write_bytes(file.read_bytes())
    command.run("genesis", "collect-gentxs", at=first)
    for own in homes:
        if own is not first:
            (own / "config" / "genesis.json").write_bytes(genesis.read_bytes())
        _configure(own / "config" / "config.toml")


def _fund(genesis: Path, addresses: list[str]) -> None:
    made = json.loads(genesis.read_text())
    made["app_state"]["auth"]["accounts"] = [
        {
            "@type": "/injective.types.v1beta1.EthAccount",
            "base_account": {"address": address, "pub_key": None, "account_number": str(number), "sequence": "0"},
            "code_hash": NO_CODE,
        }
        for number, address in enumerate(addresses)
    ]
    made["app_state"]["bank"] |= {
        "balances": [{"address": each, "coins": [{"denom": "inj", "amount": str(COINS)}]} for each in addresses],
        "supply": [{"denom": "inj", "amount": str(COINS * len(addresses))}],
    }
    genesis.write_text(json.dumps(made))


def _set_rules(genesis: Path) -> None:
    """One coin, our chain's id for contracts, blocks that hold our contracts."""
    made = json.loads(genesis.read_text().replace('"stake"', '"inj"'))
    made["app_state"]["evm"]["params"]["chain_config"]["eip155_chain_id"] = str(CHAIN_ID)
    made["consensus"]["params"]["block"]["max_gas"] = str(GAS_LIMIT)
    genesis.write_text(json.dumps(made))


def _configure(file: Path) -> None:
    """Peers on this machine alone, and a pause between blocks."""
    text = re.sub(r"(?m)^timeout_commit = .*$", f'timeout_commit = "{COMMIT}"', file.read_text())
    text = re.sub(r"(?m)^addr_book_strict = .*$", "addr_book_strict = false", text)
    file.write_text(re.sub(r"(?m)^allow_duplicate_ip = .*$", "allow_duplicate_ip = true", text))


def bech32(prefix: str, data: bytes) -> str:
    """An address as Cosmos chains write it (BIP 173)."""
    number, bits = int.from_bytes(data, "big"), 8 * len(data)
    words = [number >> shift & 31 for shift in range(bits - 5, -1, -5)]
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = _polymod([*expanded, *words, *[0] * 6]) ^ 1
    words += [check >> 5 * (5 - place) & 31 for place in range(6)]
    return prefix + "1" + "".join(LETTERS[word] for word in words)


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(GENERATORS):
            check ^= generator if top >> place & 1 else 0
    return check
