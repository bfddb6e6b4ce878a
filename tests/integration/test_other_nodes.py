"""A whole job on nodes other than anvil: Ganache, and go-ethereum with a proof-of-authority chain."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from eth_account import Account
from local_chain import furnished
from worlds import NAMES, World

from hansa.devnet.anvil import MNEMONIC, Anvil, free_port, published_key, rpc
from hansa.protocol.errors import ChainUnavailable
from hansa.protocol.types import Phase
from hansa.runtime.chain.abi import ContractError
from hansa.runtime.chain.calls import approve_call
from hansa.runtime.chain.node_errors import NodeError, TooSlow
from hansa.runtime.chain.rpc import Request
from hansa.runtime.history.records import Finalized
from hansa.runtime.transactions.gas_price import NO_CAPS
from hansa.runtime.transactions.mempool import CALL_SHARE, Mempool
from hansa.runtime.transactions.outcome import Sent
from hansa.runtime.transactions.sender import Refused

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def running(command: list[str], url: str, log: Path) -> Iterator[Anvil]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                rpc(url, "eth_chainId")
                break
            except ChainUnavailable:
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"{command[0]} did not start: {log.read_text()[-400:]}")
                time.sleep(0.1)
        yield Anvil(url, process)
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def ganache(path: Path) -> Iterator[Anvil]:
    binary = ROOT / "node_modules" / ".bin" / "ganache"
    if not binary.exists():
        pytest.skip("ganache is not installed: run `make setup`")
    port = free_port()
    command = [str(binary), "--server.port", str(port), "--wallet.mnemonic", MNEMONIC, "--logging.quiet"]
    with running(command, f"http://127.0.0.1:{port}", path / "ganache.log") as node:
        yield node


@contextmanager
def geth(path: Path) -> Iterator[Anvil]:
    binary = shutil.which("geth")
    if binary is None:
        pytest.skip("geth is not on PATH")
    port = free_port()
    command = [binary, "--dev", "--http", "--http.port", str(port), "--ws", "--ws.port", str(port)]
    command += ["--datadir", str(path / "geth"), "--ipcdisable", "--authrpc.port", str(free_port()), "--nodiscover"]
    with running(command, f"http://127.0.0.1:{port}", path / "geth.log") as node:
        [rich] = rpc(node.url, "eth_accounts")
        for index in range(len(NAMES)):
            to = Account.from_key(published_key(index)).address
            rpc(node.url, "eth_sendTransaction", {"from": rich, "to": to, "value": hex(10**20)})
        time.sleep(1.5)
        yield node


@pytest.mark.parametrize("start", [ganache, geth], ids=["ganache", "geth"])
def test_a_job__start_to_end(start: object, tmp_path: Path) -> None:
    with start(tmp_path) as node, furnished(node, tmp_path) as world:  # type: ignore[operator]
        job = world.post(max_rounds=1)
        world.enrol(job)
        refused = world.senders["alice"].send(world.federation.enrol_call(job, bytes(32), 100, b""), key=("x",))
        assert isinstance(refused, Refused) and refused.error.name == "Federation_WrongPhase", refused
        world.round(job)
        history = world.history(job)
        assert isinstance(history.cycles[0].outcome, Finalized) and history.ended == Phase.COMPLETED
        assert world.federation.books(job).booked == 1030


def test_a_local_node_that_estimates_too_slowly__is_asked_by_plain_calls(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Ganache does on a busy machine: each retry of an estimate made the next one slower still."""
    job = world.post()
    asked, raw = [], world.chain.rpc.raw

    def slow(batch: Sequence[Request], **more: Any) -> list[Any]:
        asked.append(batch[0][0])
        if batch[0][0] == "eth_estimateGas":
            raise TooSlow("a node")
        return raw(batch, **more)

    monkeypatch.setattr(world.chain.rpc, "raw", slow)
    way = Mempool(world.chain, world.address("alice"), NO_CAPS)
    refused = way.prepare(world.federation.enrol_call(job, bytes(32), 100, b""))
    assert isinstance(refused, ContractError) and refused.name == "Federation_WrongTerms"
    found = way.prepare(approve_call(world.deployment.token, world.deployment.vault, 100))
    assert not isinstance(found, ContractError) and found[0] == found[1].gas_limit // CALL_SHARE
    assert asked.count("eth_estimateGas") == 1, "it is not asked again"


def test_a_replacement__that_comes_while_ganache_mines_the_first__is_no_failure(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = "transaction can't be replaced, mining has already started."
    said = NodeError("eth_sendRawTransaction", -32003, reason)
    monkeypatch.setattr(world.chain.rpc, "raw", lambda batch, check: check([said]))
    sent = cast(Sent, SimpleNamespace(raw=b"x", hash=bytes(32)))
    assert Mempool(world.chain, world.address("alice"), NO_CAPS).broadcast(sent), "its receipt is looked for"
