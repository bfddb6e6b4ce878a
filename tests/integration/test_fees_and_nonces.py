"""What a node asks for gas, where it simulates, and nonces that are used elsewhere."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from proxies import Proxy, failing, giving, over
from test_sender import balance, count, payment
from worlds import World

from hansa.protocol.errors import FatalError
from hansa.runtime.chain.federation import Federation
from hansa.runtime.transactions.gas_price import GWEI, FeeCaps, TooDear
from hansa.runtime.transactions.sender import Mined, Pending, Refused, Sender
from hansa.runtime.transactions.signer import Signer

SOON = 60.0  # seconds, generous: what would hang takes 180


def capped(world: World, url: str, caps: FeeCaps) -> Sender:
    sender = world.another("alice", over(world, url))
    return Sender(sender._chain, sender._account, sender.journal, caps)


def paid(world: World, outcome: object) -> tuple[int, int]:
    """The tip and the fee that a mined transaction offered."""
    assert isinstance(outcome, Mined), outcome
    sent = world.rpc("eth_getTransactionByHash", outcome.hash)
    return int(sent["maxPriorityFeePerGas"], 16), int(sent["maxFeePerGas"], 16)


# --- what a node suggests


def suggests(tip: int) -> Any:
    def answer(request: dict[str, Any]) -> dict[str, Any] | None:
        if request["method"] == "eth_maxPriorityFeePerGas":
            return giving(hex(tip))
        return giving(hex(10 * tip)) if request["method"] == "eth_gasPrice" else None

    return answer


def test_a_tip_beyond_what_blocks_paid__is_not_offered(world: World, node: Proxy) -> None:
    node.answer = suggests(10**17)
    outcome = world.another("alice", over(world, node.url)).send(payment(world), key=("pay",))
    tip, fee = paid(world, outcome)
    assert tip <= 3 * GWEI and fee <= 100 * GWEI


@pytest.mark.parametrize("alone", [True, False])
def test_a_history_that_lies_too__is_bounded__and_an_honest_second_bounds_it_more(
    world: World, node: Proxy, alone: bool
) -> None:
    def lies(request: dict[str, Any]) -> dict[str, Any] | None:
        if request["method"] != "eth_feeHistory":
            told: dict[str, Any] | None = suggests(10**17)(request)
            return told
        history = {"oldestBlock": "0x1", "baseFeePerGas": [hex(10**17)] * 3, "reward": [[hex(10**17)]] * 2}
        return giving({**history, "gasUsedRatio": [0.5, 0.5]})

    node.answer = lies
    world.rpc("anvil_setBalance", world.address("alice"), hex(10**24))
    urls = [node.url] if alone else [node.url, world.anvil.url]
    tip, fee = paid(world, world.another("alice", over(world, *urls)).send(payment(world), key=("pay",)))
    assert (tip, fee) <= ((200 * GWEI, 2000 * GWEI) if alone else (3 * GWEI, 100 * GWEI))


def test_caps_of_ones_own__hold(world: World, node: Proxy) -> None:
    node.answer = suggests(10**17)
    outcome = capped(world, node.url, FeeCaps(fee=7 * GWEI, tip=1)).send(payment(world), key=("pay",))
    tip, fee = paid(world, outcome)
    assert tip == 1 and fee <= 7 * GWEI


def test_base_fee_above_the_cap__is_told(world: World) -> None:
    with pytest.raises(TooDear, match="the base fee that is asked for, .* gwei, is above the cap of 1e-09 gwei"):
        capped(world, world.anvil.url, FeeCaps(fee=1)).send(payment(world), key=("pay",))


# --- what a node refuses as too cheap


def wanting(node: Proxy, needed: int, message: str) -> Any:
    """Refuses every transaction whose tip is below what it needs."""
    from eth_account.typed_transactions import TypedTransaction
    from hexbytes import HexBytes

    def answer(request: dict[str, Any]) -> dict[str, Any] | None:
        if request["method"] != "eth_sendRawTransaction":
            return None
        offered = TypedTransaction.from_bytes(HexBytes(request["params"][0])).as_dict()["maxPriorityFeePerGas"]
        return failing(-32000, message.format(tip=offered)) if offered < needed else None

    return answer


REFUSALS = ["transaction underpriced: tip {tip}, minimum needed 25000000000", "transaction underpriced"]


@pytest.mark.parametrize("message", REFUSALS)
def test_underpriced__says_so__and_offers_what_is_asked(
    world: World, node: Proxy, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    node.answer = wanting(node, 25 * GWEI, message)
    alice = world.another("alice", over(world, node.url))
    told: list[str] = []
    alice.on_underpriced = lambda sent, reason: told.append(reason)
    nonce, before = count(world, "alice"), balance(world)
    tip, _ = paid(world, alice.send(payment(world), key=("pay",), wait=20))
    assert 25 * GWEI <= tip <= 30 * GWEI and "underpriced" in told[0]
    assert (count(world, "alice"), balance(world)) == (nonce + 1, before + 1)
    assert len(told) == 1 or "minimum" not in message


def test_underpriced__beyond_the_cap__is_an_error_that_names_both(world: World, node: Proxy) -> None:
    node.answer = wanting(node, 31 * GWEI, "transaction underpriced: tip {tip}, minimum needed 31000000000")
    sender = world.another("alice", over(world, node.url))
    signer = Signer(sender._chain, sender._account, sender.journal)
    start = time.monotonic()
    for _ in range(2):
        with pytest.raises(TooDear, match="the tip that is asked for, 31 gwei, is above the cap of 30 gwei"):
            signer.do(payment(world))
    assert time.monotonic() - start < SOON
    allowed = Signer(sender._chain, sender._account, sender.journal, FeeCaps(tip=31 * GWEI))
    before = balance(world)
    allowed.do(payment(world))
    assert balance(world) == before + 1


def test_underpriced__is_told_in_the_log_of_whoever_says_nothing_else(
    world: World, node: Proxy, capsys: pytest.CaptureFixture[str]
) -> None:
    node.answer = wanting(node, 3 * GWEI, "transaction underpriced: minimum needed 3000000000")
    assert isinstance(world.another("alice", over(world, node.url)).send(payment(world), key=("pay",)), Mined)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["underpriced"] and "3000000000" in lines[0]["reason"]


# --- nonces


def never(request: dict[str, Any]) -> dict[str, Any] | None:
    """A node that takes transactions and mines none of them."""
    if request["method"] != "eth_sendRawTransaction":
        return None
    from eth_utils.crypto import keccak

    return giving("0x" + keccak(hexstr=request["params"][0]).hex())


def test_nonce_used_elsewhere__is_seen__and_the_call_signed_anew(world: World, node: Proxy) -> None:
    node.answer = never
    chain = over(world, node.url)
    alice = world.another("alice", chain)
    signer = Signer(chain, alice._account, alice.journal)
    assert isinstance(signer._sender.send(payment(world), key=("cli", _same(world), 0), wait=0), Pending)
    elsewhere = world.senders["alice"]
    for number in range(2):
        assert isinstance(elsewhere.send(payment(world, 2), key=("elsewhere", number)), Mined)
    before, nonce, start = balance(world), count(world, "alice"), time.monotonic()
    Signer(over(world, world.anvil.url), alice._account, alice.journal).do(payment(world))
    assert time.monotonic() - start < SOON
    assert (balance(world), count(world, "alice")) == (before + 1, nonce + 1)
    kept = alice.journal.sent(key=("cli", _same(world), 0))
    assert len({at for _, at, _ in kept}) == 2, "both are in the journal"


def _same(world: World) -> str:
    import hashlib

    call = payment(world)
    return hashlib.sha256(f"{call.to}".encode() + call.data).hexdigest()


def test_nonce_seems_used__but_a_witness_has_the_receipt__nothing_is_signed_anew(world: World, node: Proxy) -> None:
    alice = world.another("alice", over(world, node.url, world.anvil.url))
    before = balance(world)
    first = alice.send(payment(world), key=("pay",), wait=10)
    assert isinstance(first, Mined)
    node.answer = lambda request: giving(None) if request["method"] == "eth_getTransactionReceipt" else None
    alice._chain.rpc._first = 0
    for _ in range(3):
        alice.send(payment(world), key=("pay",), wait=1.5)
    assert balance(world) == before + 1
    assert len(alice.journal.sent(key=("pay",))) == 1


def counting(node: Proxy, more: int) -> Any:
    """Counts so many transactions more than there are."""

    def answer(request: dict[str, Any]) -> dict[str, Any] | None:
        if request["method"] != "eth_getTransactionCount":
            return None
        return giving(hex(int(node.forward(request)["result"], 16) + more))

    return answer


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("more", [3, 1000, -1])
def test_count__that_one_endpoint_invents__opens_no_gap(world: World, node: Proxy, more: int, first: bool) -> None:
    urls = [node.url, world.anvil.url]
    alice = world.another("alice", over(world, *(urls if first else urls[::-1])))
    before, nonce = balance(world), count(world, "alice")
    assert isinstance(alice.send(payment(world), key=("pay", 0), wait=10), Mined)
    node.answer = counting(node, more)
    for number in (1, 2):
        assert isinstance(alice.send(payment(world), key=("pay", number), wait=10), Mined)
        alice.tend()
    assert (balance(world), count(world, "alice")) == (before + 3, nonce + 3)
    assert len(alice.journal.sent()) == 3, "nothing was signed to fill a gap"


@pytest.mark.parametrize("more", [3, 1000])
def test_count__that_one_endpoint_invents_from_the_start__opens_no_gap(world: World, node: Proxy, more: int) -> None:
    node.answer = counting(node, more)
    alice = world.another("alice", over(world, node.url, world.anvil.url))
    nonce = count(world, "alice")
    assert isinstance(alice.send(payment(world), key=("pay",), wait=10), Mined)
    assert count(world, "alice") == nonce + 1


# --- receipts


def with_receipts(world: World, status: str) -> Any:
    """A node that keeps what it is sent to itself, and says that it is mined."""
    block = world.rpc("eth_getBlockByNumber", "latest", False)

    def answer(request: dict[str, Any]) -> dict[str, Any] | None:
        if request["method"] != "eth_getTransactionReceipt":
            return never(request)
        place = {"blockNumber": block["number"], "blockHash": block["hash"], "gasUsed": "0x5208"}
        return giving({"transactionHash": request["params"][0], **place, "status": status, "logs": []})

    return answer


@pytest.mark.parametrize("status", ["0x1", "0x0"])
def test_receipt__that_one_endpoint_invents__is_not_believed(world: World, node: Proxy, status: str) -> None:
    node.answer = with_receipts(world, status)
    alice = world.another("alice", over(world, node.url, world.anvil.url))
    before, nonce = balance(world), count(world, "alice")
    outcome = alice.send(payment(world), key=("pay",), wait=0)
    assert isinstance(outcome, Pending) and balance(world) == before
    node.answer = never
    end = time.monotonic() + SOON
    while not isinstance(outcome, Mined) and time.monotonic() < end:
        outcome = alice.send(payment(world), key=("pay",), wait=1)
    node.answer = lambda request: None
    assert isinstance(alice.send(payment(world), key=("pay",), wait=10), Mined)
    assert (balance(world), count(world, "alice")) == (before + 1, nonce + 1), "it is mined once"


def test_receipt__that_tells_of_another_outcome__is_not_believed(world: World, node: Proxy) -> None:
    """It is mined, and one endpoint says that it failed: it is not signed anew."""

    def failed(request: dict[str, Any]) -> dict[str, Any] | None:
        if request["method"] != "eth_getTransactionReceipt":
            return None
        found = node.forward(request)["result"]
        return giving(found and {**found, "status": "0x0", "logs": []})

    node.answer = failed
    alice = world.another("alice", over(world, node.url, world.anvil.url))
    before = balance(world)
    for _ in range(4):
        assert isinstance(alice.send(payment(world), key=("pay",), wait=1), Pending)
    assert balance(world) == before + 1
    assert len(alice.journal.sent(key=("pay",))) == 1
    node.answer = lambda request: None
    assert isinstance(alice.send(payment(world), key=("pay",), wait=5), Mined)


# --- where it is simulated


def test_a_node_without_a_pending_block__is_asked_at_the_latest(world: World, node: Proxy) -> None:
    def refuses(request: dict[str, Any]) -> dict[str, Any] | None:
        return failing(-32000, "pending state is not available") if "pending" in request["params"] else None

    node.answer = refuses
    chain = over(world, node.url)
    alice = world.another("alice", chain)
    for number in range(2):
        assert isinstance(alice.send(payment(world), key=("pay", number), wait=10), Mined)
    job = world.post()
    refused = alice.send(Federation(chain, world.deployment).open_call(job), key=("open",))
    assert isinstance(refused, Refused) and refused.simulated and refused.error.name == "Federation_WrongPhase"
    asked = [request for request in node.asked if request["method"] == "eth_estimateGas"]
    assert sum("pending" in request["params"] for request in asked) == 1, "it is asked for once"


def test_no_funds__of_both__says_what_to_do(world: World, node: Proxy) -> None:
    world.rpc("anvil_setBalance", world.address("alice"), "0x0")
    alice = world.another("alice", over(world, node.url, world.anvil.url))
    with pytest.raises(FatalError, match="can't pay for gas"):
        alice.send(payment(world), key=("pay",))
