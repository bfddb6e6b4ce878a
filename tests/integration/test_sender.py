"""One transaction for one intent, whatever happens to the daemon, its node or the chain."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from worlds import NAMES, World

from hansa.devnet.anvil import published_key
from hansa.protocol.errors import ChainUnavailable, FatalError, Locked, WrongChain
from hansa.protocol.types import Address
from hansa.runtime.chain.calls import transfer_call
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.rpc import Request
from hansa.runtime.journal import Journal
from hansa.runtime.transactions.sender import Call, Mined, Pending, Refused, Sender

ROOT = Path(__file__).resolve().parents[2]


def payment(world: World, amount: int = 1) -> Call:
    return transfer_call(world.deployment.token, world.address("bob"), amount)


def balance(world: World) -> int:
    return world.federation.token_balance(world.deployment.token, world.address("bob"))


@pytest.fixture
def paused(world: World) -> Iterator[World]:
    """Mining stops; `evm_mine` makes a block."""
    world.rpc("evm_setIntervalMining", 0)
    world.rpc("evm_setAutomine", False)
    yield world


def count(world: World, name: str) -> int:
    return int(world.rpc("eth_getTransactionCount", world.address(name), "latest"), 16)


def test_send__again__is_the_same_transaction(world: World) -> None:
    before = balance(world)
    first = world.senders["alice"].send(payment(world), key=("pay",))
    second = world.senders["alice"].send(payment(world), key=("pay",))
    assert isinstance(first, Mined) and isinstance(second, Mined)
    assert first.receipt["transactionHash"] == second.receipt["transactionHash"]
    assert balance(world) == before + 1


def test_send__asks_the_node_once_before_it_broadcasts__and_then_for_the_receipt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = world.senders["alice"]
    assert isinstance(alice.send(payment(world), key=("pay", 0)), Mined)
    (endpoint,), batches = world.chain.rpc.endpoints, list[list[str]]()
    ask = endpoint.ask

    def counted(batch: Sequence[Request]) -> list[Any]:
        batches.append([method for method, _ in batch])
        return ask(batch)

    monkeypatch.setattr(endpoint, "ask", counted)
    assert isinstance(alice.send(payment(world), key=("pay", 1)), Mined)
    prepared, broadcast, *looks = batches
    assert prepared[0] == "eth_estimateGas" and broadcast == ["eth_sendRawTransaction"]
    assert looks and all(batch == ["eth_getTransactionReceipt"] for batch in looks)


def test_send__contract_refuses__names_the_error_and_sends_nothing(world: World) -> None:
    job = world.post()
    before = count(world, "alice")
    outcome = world.senders["alice"].send(world.federation.open_call(job), key=("open",))
    assert isinstance(outcome, Refused) and outcome.simulated
    assert outcome.error.name == "Federation_WrongPhase"
    assert outcome.error.arguments == {"jobId": job, "expected": 2, "actual": 1}
    assert count(world, "alice") == before


def test_send__fails_on_chain__says_why_and_may_be_tried_again(paused: World) -> None:
    world = paused
    job = world.federation.job_count() + 1
    everything = balance(world)
    drain = transfer_call(world.deployment.token, world.address("alice"), everything)
    bob = world.senders["bob"]
    assert isinstance(bob.send(drain, key=(1,), wait=0), Pending)
    other = world.another("bob")
    raw = other._sign(("x",), drain, count(world, "bob") + 1, 100_000, other._mempool.view().market)
    other._mempool.broadcast(raw)
    world.rpc("evm_mine")
    outcome = other.send(drain, key=("x",), wait=1)
    assert job and isinstance(outcome, Refused)
    assert outcome.error.name == "ERC20InsufficientBalance"


def test_crash__between_journal_and_broadcast__same_bytes_are_sent(world: World) -> None:
    alice = world.senders["alice"]
    broadcast = alice._mempool.broadcast
    alice._mempool.broadcast = lambda sent: (_ for _ in ()).throw(KeyboardInterrupt)  # type: ignore[method-assign]
    before = balance(world)
    with pytest.raises(KeyboardInterrupt):
        alice.send(payment(world), key=("pay",))
    alice._mempool.broadcast = broadcast  # type: ignore[method-assign]
    [(tx_hash, _, _)] = world.journals[NAMES.index("alice")].sent(key=("pay",))
    outcome = alice.send(payment(world), key=("pay",))
    assert isinstance(outcome, Mined) and outcome.receipt["transactionHash"] == "0x" + tx_hash.hex()
    assert balance(world) == before + 1


CHILD = """
import sys
from eth_account import Account
from hansa.runtime.chain.client import Chain
from hansa.runtime.transactions.sender import Sender
from hansa.runtime.chain.calls import transfer_call
from hansa.runtime.journal import Journal
url, path, key, token, to = sys.argv[1:]
chain = Chain([url])
with Journal(path) as journal:
    sender = Sender(chain, Account.from_key(key), journal)
    for number in range(40):
        sender.send(transfer_call(token, to, 1), key=("pay", number))
    print("done", flush=True)
"""


def test_crash__sigkill_at_any_moment__pays_each_once(world: World, tmp_path: Path) -> None:
    before = balance(world)
    command = [sys.executable, "-c", CHILD, world.anvil.url, str(tmp_path / "killed.sqlite")]
    command += [published_key(NAMES.index("alice")).hex(), world.deployment.token, world.address("bob")]
    for delay in (0.0, 0.013, 0.031, 0.052, 0.07):
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        while balance(world) == before and process.poll() is None and delay:
            time.sleep(0.005)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "done\n", done.stderr
    assert balance(world) == before + 40


def test_reorg__drops_it__same_bytes_are_sent_again(world: World) -> None:
    alice = world.senders["alice"]
    before = balance(world)
    first = alice.send(payment(world), key=("pay",))
    world.rpc("anvil_reorg", 2, [])
    assert balance(world) == before
    second = alice.send(payment(world), key=("pay",))
    assert isinstance(first, Mined) and isinstance(second, Mined)
    assert first.receipt["transactionHash"] == second.receipt["transactionHash"]
    assert balance(world) == before + 1


def test_reorg__drops_several__the_next_send_brings_them_back(world: World) -> None:
    alice = world.senders["alice"]
    before = balance(world)
    for number in range(3):
        alice.send(payment(world), key=("pay", number))
    world.rpc("anvil_reorg", 4, [])
    assert balance(world) == before
    assert isinstance(alice.send(payment(world), key=("pay", 3), wait=10), Mined)
    assert balance(world) == before + 4


def test_stuck__is_replaced_with_a_higher_offer_up_to_a_cap(paused: World) -> None:
    world, alice = paused, paused.senders["alice"]
    nonce, before = count(world, "alice"), balance(world)
    assert isinstance(alice.send(payment(world), key=("pay",), wait=0), Pending)
    for _ in range(20):
        highest = max(record["fee"] for _, _, record in world.journals[NAMES.index("alice")].sent(key=("pay",)))
        world.rpc("anvil_setNextBlockBaseFeePerGas", hex(highest + 1))
        world.rpc("evm_mine")
        alice.tend()
    versions = world.journals[NAMES.index("alice")].sent(key=("pay",))
    fees = sorted(record["fee"] for _, _, record in versions)
    assert {at for _, at, _ in versions} == {nonce}
    assert len(fees) > 1 and all(8 * high >= 9 * low for low, high in zip(fees, fees[1:], strict=False))
    assert fees[-1] == 5 * fees[0]
    for _ in range(6):  # the node has thrown it out of its pool by now
        world.rpc("anvil_setNextBlockBaseFeePerGas", hex(fees[0]))
        world.rpc("evm_mine")
        alice.tend()
    assert isinstance(alice.send(payment(world), key=("pay",), wait=3), Mined)
    assert count(world, "alice") == nonce + 1 and balance(world) == before + 1


def test_gap__an_older_transaction_was_dropped__is_sent_again(paused: World) -> None:
    world, alice = paused, paused.senders["alice"]
    before = balance(world)
    first = alice.send(payment(world), key=(1,), wait=0)
    second = alice.send(payment(world), key=(2,), wait=0)
    assert isinstance(first, Pending) and isinstance(second, Pending)
    world.rpc("anvil_dropTransaction", "0x" + first.hash.hex())
    for _ in range(6):
        world.rpc("evm_mine")
        alice.tend()
    world.rpc("evm_mine")
    assert balance(world) == before + 2


def test_gap__journal_lost_its_oldest__is_filled_with_an_empty_one(paused: World) -> None:
    world = paused
    alice = world.another("alice")
    nonce = count(world, "alice")
    before = balance(world)
    view = alice._mempool.view()
    alice._broadcast(alice._sign(("late",), payment(world), nonce + 1, 100_000, view.market), view)
    alice._flying = None
    alice.tend()
    world.rpc("evm_mine")
    world.rpc("evm_mine")
    assert (count(world, "alice"), balance(world)) == (nonce + 2, before + 1)


def test_dead_intent__its_nonce_goes_to_the_next_one(paused: World) -> None:
    world, alice = paused, paused.senders["alice"]
    nonce = count(world, "alice")
    before = balance(world)
    everything = world.federation.token_balance(world.deployment.token, world.address("alice"))
    dead = alice.send(payment(world, everything), key=("dead",), wait=0)
    assert isinstance(dead, Pending)
    world.rpc("anvil_dropTransaction", "0x" + dead.hash.hex())
    other = world.senders["sponsor"]
    world.rpc("anvil_impersonateAccount", world.address("alice"))
    world.rpc("anvil_setStorageAt", world.deployment.token, _slot(world.address("alice")), "0x" + "00" * 31 + "05")
    world.rpc("evm_mine")
    assert other
    outcome = alice.send(payment(world, 5), key=("next",), wait=0)
    world.rpc("evm_mine")
    outcome = alice.send(payment(world, 5), key=("next",), wait=5)
    assert isinstance(outcome, Mined), outcome
    assert (count(world, "alice"), balance(world)) == (nonce + 1, before + 5)
    alice.send(payment(world, everything), key=("dead",), wait=0)
    time.sleep(1.1)
    refused = alice.send(payment(world, everything), key=("dead",), wait=0)
    assert isinstance(refused, Refused) and refused.error.name == "ERC20InsufficientBalance"


def _slot(owner: Address) -> str:
    """Where the token keeps `owner`'s balance: mapping in slot 0."""
    from eth_abi.abi import encode
    from eth_utils.crypto import keccak

    return "0x" + keccak(encode(["address", "uint256"], [owner, 0])).hex()


def test_poke__makes_a_block(world: World) -> None:
    head = world.chain.head().number
    assert isinstance(world.senders["alice"].poke(), Mined)
    assert world.chain.head().number > head


def test_no_coin__says_what_to_do(world: World) -> None:
    world.rpc("anvil_setBalance", world.address("alice"), "0x0")
    with pytest.raises(FatalError, match="can't pay for gas"):
        world.senders["alice"].send(payment(world), key=("pay",))


def test_chain_was_reset__journal_is_refused(world: World, tmp_path: Path) -> None:
    world.senders["alice"].send(payment(world), key=("pay",))
    world.journals[NAMES.index("alice")].close()
    from hansa.devnet.anvil import start_anvil

    time.sleep(1.1)  # genesis blocks of two chains differ in their second
    other = start_anvil(tmp_path / "other.log", accounts=2)
    try:
        with Journal(tmp_path / "alice.sqlite") as journal:
            from eth_account import Account

            sender = Sender(Chain([other.url]), Account.from_key(published_key(1)), journal)
            with pytest.raises(WrongChain, match="the chain was reset"):
                sender.send(Call(world.address("bob"), b"", "x"), key=(1,))
    finally:
        other.stop()


def test_one_key_one_journal(world: World, tmp_path: Path) -> None:
    with pytest.raises(Locked, match=f"process {os.getpid()} holds it"):
        Journal(tmp_path / "alice.sqlite")


def test_node_gone__is_chain_unavailable(world: World) -> None:
    world.anvil.stop()
    with pytest.raises(ChainUnavailable):
        world.senders["alice"].send(payment(world), key=("pay",))
