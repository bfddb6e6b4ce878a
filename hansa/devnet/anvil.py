"""A local chain: finds anvil, starts it on a free loopback port, makes sure that it is ours, stops it."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gzip
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.hdaccount import key_from_seed, seed_from_mnemonic

from hansa.protocol.errors import ChainUnavailable, FatalError, check_range
from hansa.protocol.types import Address
from hansa.runtime.files import write_file
from hansa.runtime.ports import why_taken

CHAIN_ID = 31337
LOCAL_CHAINS = frozenset({31337, 1337})  # where the published accounts may be used
MNEMONIC = "test test test test test test test test test test test junk"  # anvil's, published: worth nothing elsewhere
OWN_PORTS = range(20_000, 32_768)
ATTEMPTS = 3
START_SECONDS = 15.0


@dataclass
class Anvil:
    """A running anvil."""

    url: str
    process: subprocess.Popen[bytes]
    gas_limit: int = 0  # of its first block: no other chain's is the same

    def save(self, state: Path) -> None:
        """Writes all blocks, and the state after the last one, to a file that `start_anvil` goes on from.

        ChainUnavailable where it doesn't answer, FatalError where the file can't be written.
        """
        write_file(state, gzip.decompress(bytes.fromhex(rpc(self.url, "anvil_dumpState").removeprefix("0x"))))

    def stop(self) -> None:
        end(self.process)

    @property
    def urls(self) -> list[str]:
        """Its endpoints, the first one first."""
        return [self.url]

    @property
    def confirmations(self) -> int:
        """Blocks after which nothing of it changes any more."""
        return 0

    @property
    def pids(self) -> list[int]:
        return [self.process.pid]

    @property
    def ws(self) -> str:
        return self.url.replace("http://", "ws://", 1)


def find_anvil() -> Path:
    """The project's own anvil, or the one on PATH."""
    for root in (Path(__file__).resolve().parents[2], Path.cwd()):
        candidate = root / "node_modules" / ".bin" / "anvil"
        if os.access(candidate, os.X_OK):
            return _binary(candidate)
    found = shutil.which("anvil")
    if found is None:
        raise FatalError(
            "anvil is not installed", cause="neither node_modules/.bin nor PATH has it", next_step="run `make setup`"
        )
    return Path(found)


def _binary(launcher: Path) -> Path:
    """The platform's executable behind npm's launcher script: one process less, and signals reach it."""
    packages = launcher.parent.parent / "@foundry-rs"
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    native = packages / f"anvil-{sys.platform}-{machine}" / "bin" / "anvil"
    return native if os.access(native, os.X_OK) else launcher


def free_port() -> int:
    """Not of those that the system gives to outgoing connections: one of them would often have it before its node."""
    for _ in range(1000):
        port = secrets.choice(OWN_PORTS)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise FatalError(f"no port from {OWN_PORTS[0]} to {OWN_PORTS[-1]} is free", next_step="end what holds them")


def require_free(port: int) -> None:
    """FatalError where nothing can listen on a port of this machine."""
    check_range("--port", port, 1, 65535)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise FatalError(
                f"port {port} can't be had", cause=why_taken(port, error), next_step="name another one with --port"
            ) from error


def start_anvil(
    log: Path,
    *,
    accounts: int,
    port: int | None = None,
    orphan: bool = False,
    idle: bool = False,
    state: Path | None = None,
    gas_limit: int | None = None,
) -> Anvil:
    """Starts anvil with `accounts` funded accounts; FatalError when it doesn't come up.

    `orphan`: it outlives this process. `idle`: no block without a transaction. Another chain may already answer
    on a port, so the chain's gas limit carries a number that only this call knows.
    `state`: the file of a chain that was saved, which goes on; `gas_limit` is that chain's.
    """
    anvil = find_anvil()
    for _ in range(ATTEMPTS if port is None else 1):
        chosen = port or free_port()
        require_free(chosen)
        mark = gas_limit or 200_000_000 + secrets.randbelow(10**7)
        process = spawn(_command(anvil, chosen, accounts, mark, idle, state), log, orphan=orphan)
        started = Anvil(f"http://127.0.0.1:{chosen}", process, mark)
        if _is_ours(started, mark):
            return started
        started.stop()
    raise FatalError(
        f"anvil did not start on port {chosen}",
        cause=f"{log} ends with {last_line(log)!r}",
        next_step="look into that log" if state is None else "start a new chain with --fresh",
    )


def _command(anvil: Path, port: int, accounts: int, mark: int, idle: bool, state: Path | None) -> list[str]:
    options = {
        "--host": "127.0.0.1",
        "--port": port,
        "--chain-id": CHAIN_ID,
        "--accounts": accounts,
        "--gas-limit": mark,
        **({} if state is None else {"--load-state": state}),
    }
    mining = [] if idle else ["--block-time", "1", "--mixed-mining"]
    flat = [str(part) for option in options.items() for part in option]
    return [str(anvil), *flat, *mining, "--mnemonic", MNEMONIC, "--quiet"]


def _is_ours(anvil: Anvil, mark: int) -> bool:
    """Whether our process, and nobody else's, answers at its address."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if anvil.process.poll() is not None:
            return False
        try:
            block = rpc(anvil.url, "eth_getBlockByNumber", "0x0", False)
            return int(block["gasLimit"], 16) == mark and int(rpc(anvil.url, "eth_chainId"), 16) == CHAIN_ID
        except ChainUnavailable:
            time.sleep(0.03)
    return False


def rpc(url: str, method: str, *parameters: Any) -> Any:
    """One JSON-RPC call with the standard library alone. ChainUnavailable when nobody answers or the node refuses."""
    return rpc_batch(url, [(method, parameters)])[0]


def rpc_batch(url: str, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
    """Several calls in one request; their results in order. Errors as `rpc`."""
    if not calls:
        return []
    asked = [{"jsonrpc": "2.0", "id": i, "method": method, "params": p} for i, (method, p) in enumerate(calls)]
    request = urllib.request.Request(url, json.dumps(asked).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            answers = {answer["id"]: answer for answer in json.load(response)}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ChainUnavailable(f"no chain answers at {url}", cause=str(error)) from error
    for (method, _), answer in zip(calls, (answers.get(i, {}) for i in range(len(calls))), strict=True):
        if "result" not in answer:
            raise ChainUnavailable(f"the node at {url} refuses {method}", cause=str(answer.get("error")))
    return [answers[i]["result"] for i in range(len(calls))]


def spawn(
    command: Sequence[str], log: Path, *, orphan: bool, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """A process in a session of its own, what it says appended to `log`. orphan: it outlives this process."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=None if orphan else _die_with_parent,
        )


def end(process: subprocess.Popen[bytes], timeout: float = 5.0) -> None:
    """SIGTERM, and SIGKILL for what does not listen; idempotent."""
    process.terminate()
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _die_with_parent() -> None:
    """Linux: a chain whose command was killed must not stay behind (PR_SET_PDEATHSIG)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def last_line(log: Path) -> str:
    """The last thing that a process wrote into its log."""
    lines = log.read_text(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "nothing")


@functools.cache
def published_key(index: int) -> bytes:
    """The private key of the published mnemonic's account `index` (m/44'/60'/0'/0/index)."""
    return bytes(key_from_seed(seed_from_mnemonic(MNEMONIC, ""), f"m/44'/60'/0'/0/{index}"))


def published_address(index: int) -> Address:
    return Address(Account.from_key(published_key(index)).address)


def require_local(chain_id: int) -> None:
    """FatalError unless the chain is a local test chain: the published keys belong to everybody."""
    if chain_id not in LOCAL_CHAINS:
        raise FatalError(
            f"chain {chain_id} is not a local test chain",
            cause="anvil's published accounts belong to everybody",
            next_step="make a keystore with `hansa wallet new` and name it with --account",
        )
