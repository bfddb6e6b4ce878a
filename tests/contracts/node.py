"""The chain under test: its time, its blocks, its refusals."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Collection, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import brownie
import requests
from brownie import chain, web3
from brownie.network.account import Account
from eth_utils.crypto import keccak
from web3.middleware import Web3Middleware
from web3.types import RPCEndpoint, RPCResponse

from hansa.protocol.types import Phase

SEND = "eth_sendTransactionSync"  # anvil's: answers with the receipt
SETTLED = {"eth_sendTransaction": SEND, "eth_sendRawTransaction": "eth_sendRawTransactionSync"}


def word(text: str) -> bytes:
    """32 bytes that stand for a digest, a salt, a model…"""
    return keccak(text=text)


def now() -> int:
    return int(head()["timestamp"], 16)


def head() -> Any:
    """The last block; asked for again when something was asked of the node that may have changed it."""
    if not _heads:
        _heads.append(rpc("eth_getBlockByNumber", "latest", False))
    return _heads[0]


_heads: list[Any] = []


def note(method: str) -> None:
    if method != "eth_call" and not method.startswith("eth_get"):
        _heads.clear()


class Line:
    """One kept HTTP connection to a node of this machine. http.client would take longer over headers than the node over
    its answers."""

    def __init__(self, uri: str) -> None:
        host = urlsplit(uri)
        self._socket = socket.create_connection((host.hostname, host.port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = self._socket.makefile("rb")
        self._head = f"POST / HTTP/1.1\r\nHost: {host.netloc}\r\nContent-Type: application/json\r\nContent-Length: "

    def ask(self, body: bytes) -> bytes:
        self._socket.sendall(f"{self._head}{len(body)}\r\n\r\n".encode() + body)
        status, length = self._answers.readline(), None
        while (line := self._answers.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert b" 200 " in status and length is not None, status
        return self._answers.read(length)


_line = cache(Line)


def rpc(method: str, *arguments: Any) -> Any:
    """Asks the node itself, on a connection of its own: several times as fast as by way of brownie."""
    return rpc_all((method, *arguments))[0]


def rpc_all(*questions: tuple[Any, ...]) -> list[Any]:
    """Asks (method, arguments…) all at once: the node answers them in any order."""
    asked = [
        {"jsonrpc": "2.0", "id": place, "method": method, "params": arguments}
        for place, (method, *arguments) in enumerate(questions)
    ]
    answers = json.loads(_line(web3.provider.endpoint_uri).ask(json.dumps(asked).encode()))
    for method, *_ in questions:
        note(method)
    answers.sort(key=lambda answer: int(answer["id"]))
    for (method, *_), answer in zip(questions, answers, strict=True):
        assert "error" not in answer, f"{method}: {answer.get('error')}"
    return [answer["result"] for answer in answers]


def call(method: Any, *arguments: Any) -> Any:
    """What a view of brownie's returns."""
    data = rpc("eth_call", {"to": method._address, "data": method.encode_input(*arguments)}, "latest")
    return method.decode_output(data)


def send(method: Any, *arguments: Any) -> None:
    """A transaction that must succeed, and of which nobody asks anything; brownie's calls end with its options."""
    *values, options = arguments
    to, data = method._address, method.encode_input(*values)
    receipt = rpc(SEND, {"from": str(options["from"]), "to": to, "data": data, "gas": hex(8_000_000)})
    assert receipt["status"] == "0x1", f"{method} by {options['from']} failed"


def quicken() -> None:
    """Takes out of brownie what costs a third of the time and serves nobody here: a snapshot after every transaction,
    for `chain.undo`; reading the source of every caller to see who asks for a snapshot; and looking, at every request,
    for a proxy or a password in the environment. What brownie asks of the node is noted."""
    request = web3.provider.make_request

    def noted(method: str, parameters: Any) -> Any:
        try:
            return request(method, parameters)
        finally:
            note(method)

    web3.provider.make_request = noted

    def stack() -> list[Any]:
        return [None, SimpleNamespace(frame=sys._getframe(2))]  # brownie looks at the frame of its caller alone

    sys.modules["brownie.network.rpc"].inspect = SimpleNamespace(stack=stack)  # type: ignore[attr-defined]
    chain._add_to_undo_buffer = lambda *_: None
    requests.sessions.get_environ_proxies = lambda *_, **__: {}
    requests.sessions.get_netrc_auth = lambda *_: None


def keep_only(lasting: Collection[str]) -> None:
    """A revert makes brownie forget all contracts but those at these addresses, and those that were deployed by the
    block that it goes back to. It would ask the chain, each time, which of them have code."""

    def is_there(contract: Any, height: int) -> bool:
        deployed_by = contract.tx is not None and contract.tx.block_number <= height
        return contract.address in lasting or deployed_by

    def forget(container: Any, height: int) -> None:
        for contract in [each for each in container if not is_there(each, height)]:
            container.remove(contract)
            contract._reverted = True

    sys.modules["brownie.network.contract"].ContractContainer._revert = forget  # type: ignore[attr-defined]


class Settled(Web3Middleware):
    """Lets brownie ask for a receipt when it is there; it would sleep for a second, or call the transaction dropped."""

    def request_processor(self, method: RPCEndpoint, params: Any) -> Any:
        return RPCEndpoint(SETTLED.get(method, method)), params

    def response_processor(self, method: RPCEndpoint, response: RPCResponse) -> RPCResponse:
        if method in SETTLED.values() and "result" in response:
            return {**response, "result": response["result"]["transactionHash"]}  # type: ignore[typeddict-item]
        return response


def at(time: int) -> None:
    """The next block has this time."""
    rpc("evm_setNextBlockTimestamp", time)


def skip_to(time: int) -> None:
    """A block at this time, or none where it has passed."""
    if time > now():
        at(time)
        rpc("evm_mine")


def refused(error: str, *arguments: Any) -> Any:
    """Expects a custom error; with its arguments where they are given."""
    if not arguments:
        return brownie.reverts(revert_pattern=f"^{error}(: .*)?$")
    return brownie.reverts(f"{error}: {', '.join(map(_shown, arguments))}")


def wrong_phase(job: Any, expected: Phase, actual: Phase) -> Any:
    return refused("Federation_WrongPhase", job.id, expected, actual)


def _shown(value: Any) -> str:
    if hasattr(value, "address"):
        value = value.address
    if isinstance(value, str) and value.startswith("0x"):
        return value.lower()
    return str(int(value)) if isinstance(value, int) else str(value)


def together(time: int, *calls: tuple[Any, Sequence[Any], Account]) -> list[Any]:
    """Sends (method, arguments, sender) in this order into one block at `time`; the receipts of brownie."""
    rpc("evm_setAutomine", False)
    nonces: dict[str, int] = {}
    hashes_sent = []
    try:
        for place, (method, arguments, sender) in enumerate(calls):
            nonce = nonces.get(sender.address, sender.nonce)
            nonces[sender.address] = nonce + 1
            tip = web3.to_wei(100 - place, "gwei")
            sending = {
                "from": sender.address,
                "to": method._address,
                "data": method.encode_input(*arguments),
                "gas": hex(4_000_000),
                "nonce": hex(nonce),
                "maxFeePerGas": hex(tip + web3.to_wei(10, "gwei")),
                "maxPriorityFeePerGas": hex(tip),
            }
            hashes_sent.append(rpc("eth_sendTransaction", sending))
        at(time)
        rpc("evm_mine")
    finally:
        rpc("evm_setAutomine", True)
    receipts = [chain.get_transaction(sent) for sent in hashes_sent]
    assert len({receipt.block_number for receipt in receipts}) == 1, "one block"
    assert [receipt.txindex for receipt in receipts] == list(range(len(calls))), "in order"
    return receipts
