"""What an RPC node can do wrong, each by a name: a table of edits of its answers, and one of broken answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from eth_utils.crypto import keccak

Json = dict[str, Any]
Edit = Callable[[Json, Json], Json]  # a request, its true answer → what is told
OTHER_CHAIN: Final = "0x1"
DEAR: Final = hex(10**17)  # wei a unit of gas


def of(*methods: str) -> Callable[[Callable[[Any], Any]], Edit]:
    """An edit of what these methods give, null left as it is."""

    def made(change: Callable[[Any], Any]) -> Edit:
        def edit(request: Json, answer: Json) -> Json:
            is_one = request["method"] in methods and answer.get("result") is not None
            return {**answer, "result": change(answer["result"])} if is_one else answer

        return edit

    return made


def _without_last(logs: Any) -> Any:
    return logs[:-1] if isinstance(logs, list) else logs


def _with_another(logs: Any) -> Any:
    """The last event once more, of another job's number."""
    return [*logs, {**logs[-1], "data": "0x" + "11" * (len(logs[-1]["data"]) // 2 - 1)}] if logs else logs


def _failed(receipt: Any) -> Any:
    return {**receipt, "status": "0x0", "logs": []}


def _no_funds(request: Json, answer: Json) -> Json:
    if request["method"] != "eth_estimateGas":
        return answer
    refusal = {"code": -32000, "message": "insufficient funds for gas * price + value"}
    return {"jsonrpc": "2.0", "id": answer["id"], "error": refusal}


EDITS: Final[Mapping[str, Edit]] = {
    "hides a log": of("eth_getLogs")(_without_last),
    "invents a log": of("eth_getLogs")(_with_another),
    "denies a receipt": of("eth_getTransactionReceipt")(lambda receipt: None),
    "tells of failure": of("eth_getTransactionReceipt")(_failed),
    "counts too many": of("eth_getTransactionCount")(lambda count: hex(int(count, 16) + 1000)),
    "asks dear tips": of("eth_maxPriorityFeePerGas", "eth_gasPrice")(lambda price: DEAR),
    "denies the contracts": of("eth_call", "eth_getCode")(lambda data: "0x"),
    "says no funds": _no_funds,
    "is another chain": of("eth_chainId")(lambda number: OTHER_CHAIN),
    "answers null": lambda request, answer: {"jsonrpc": "2.0", "id": answer["id"], "result": None},
    "answers another": lambda request, answer: {**answer, "id": 10**9 + int(answer["id"])},
}
LAGS, STALE, LOSES = "lags", "gives a stale block", "loses a transaction"
BROKEN: Final = ("limits", "fails", "speaks garbage", "hangs", "trickles", "cuts")
LIES: Final = (*EDITS, LAGS, STALE, LOSES, *BROKEN)

LIMITED: Final = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"too many requests"}}'
GARBAGE: Final = b"<html>welcome to the portal of this network</html>"


def asked_at(request: Json, head: int) -> Json:
    """What is asked of a node whose newest block has this number."""
    tags = {"latest": hex(head), "pending": hex(head)}
    params = [tags.get(part, part) if isinstance(part, str) else part for part in request.get("params", [])]
    params = [
        {**part, "toBlock": hex(head)} if isinstance(part, dict) and "toBlock" in part else part for part in params
    ]
    return {**request, "params": params}


def told(lie: str, head: int, request: Json, forward: Callable[[Json], Json]) -> Json:
    """A node's answer to one request, under one of the lies that leave the connection alone. head: number of the block
    that was the newest when the lie began."""
    method = request["method"]
    if lie == LOSES and method == "eth_sendRawTransaction":
        return {"jsonrpc": "2.0", "id": request["id"], "result": _hash(request)}
    if lie == LAGS and method == "eth_blockNumber":
        return {"jsonrpc": "2.0", "id": request["id"], "result": hex(head)}
    is_old = lie == LAGS or (lie == STALE and method == "eth_getBlockByNumber")
    answer = forward(asked_at(request, head) if is_old else request)
    return EDITS[lie](request, answer) if lie in EDITS else answer


def _hash(request: Json) -> str:
    return "0x" + keccak(hexstr=request["params"][0]).hex()
