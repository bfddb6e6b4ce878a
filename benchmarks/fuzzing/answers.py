"""Decoders of what nodes of a chain answer: bodies, numbers, blocks, events, what contracts say."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from email.message import Message
from functools import cache
from typing import Any, Final, cast

from eth_abi.abi import decode as decode_any
from eth_abi.abi import encode

from benchmarks.fuzzing.mutate import json_text, octets, words
from benchmarks.fuzzing.recorded import FEDERATION, as_json, kinds, log_of, recorded
from benchmarks.fuzzing.shapes import after, either, hexadecimal
from benchmarks.fuzzing.target import Target
from hansa.protocol.errors import ChainUnavailable, WrongChain
from hansa.protocol.types import Address
from hansa.runtime.chain.abi import BadEncoding, artifact, contract_error, decode_exactly
from hansa.runtime.chain.blocks import Log, read_block, read_log
from hansa.runtime.chain.endpoint import BATCH, Endpoint
from hansa.runtime.chain.logs import checked_logs
from hansa.runtime.chain.node_errors import NodeError, is_behind, is_rate_limited
from hansa.runtime.chain.readings import decoded
from hansa.runtime.chain.rpc import octets as rpc_octets
from hansa.runtime.chain.rpc import quantity
from hansa.runtime.chain.structs import Books, JobState, JobTerms, from_tuple
from hansa.runtime.chain.words import Unusual, decode_words
from hansa.runtime.http import Reply

STATUSES: Final = (200, 200, 200, 429, 413, 500, 302, 404, 401)


TYPES: Final = (
    ["uint256", "address", "bool"],
    ["bytes"],
    ["bytes[]"],
    ["int64", "bytes4", "uint8"],
    ["(uint8,(bytes,address[]))[]", "int256"],
    ["address[]", "bytes32[]"],
)


class _Posted:
    reply = Reply(200, Message(), b"")

    def post(self, data: bytes, *, seconds: float) -> Reply:
        return self.reply


@cache
def _endpoint() -> Endpoint:
    return Endpoint("http://127.0.0.1:1/")


def _ask(data: bytes) -> list[Any]:
    """data: a byte for the status, one for the number of requests, a Retry-After, a line break, the body."""
    endpoint, posted = cast(Any, _endpoint()), _Posted()
    head, _, body = data[2:].partition(b"\n")
    headers = Message()
    headers["Retry-After"] = "".join(sign for sign in head.decode("latin-1") if sign.isprintable())
    headers["Location"] = headers["Retry-After"]
    posted.reply = Reply(STATUSES[data[0] % len(STATUSES)] if data else 200, headers, body)
    endpoint._poster, endpoint._ids, endpoint._batch = posted, itertools.count(), BATCH
    method = "eth_getLogs" if data[1:2] > b"\x80" else "eth_call"
    answers = endpoint.ask([(method, [])] * (1 + (data[1] % 2 if len(data) > 1 else 0)))
    for answer in answers:
        if isinstance(answer, NodeError):
            _ = answer.blocks, answer.requests, is_rate_limited(answer), is_behind(answer), str(answer)
    return cast(list[Any], answers)


def _answers() -> Iterable[bytes]:
    data = "0x08c379a0" + encode(["string"], ["no"]).hex()
    errors: list[Any] = [
        {"code": -32005, "message": "rate limit of 10 requests per second"},
        {"code": -32000, "message": "block range limited to 10,000 blocks"},
        {"code": 3, "message": "execution reverted", "data": data},
        {"code": -32000, "message": "revert", "data": {"result": data}},
        {"code": -1, "message": "batch of more than 50 requests", "data": "Reverted 0x"},
        "no",
    ]
    single = [{"jsonrpc": "2.0", "id": 0, "result": "0x1"}, *({"id": 0, "error": error} for error in errors)]
    two = [[{"id": 1, "result": None}, {"id": 0, "result": "0x2"}], {"id": None, "error": errors[4]}]
    said = [b"\0\0\n" + json.dumps(one).encode() for one in single] + [
        b"\0\1\n" + json.dumps(one).encode() for one in two
    ]
    return [
        *said,
        b"\3\0120\n{}",
        b"\6\0https://user:password@elsewhere/x\n",
        b"\3\0Fri, 27 Nov 2026 21:00:00 GMT\n<html>",
    ]


def _block(data: bytes) -> Any:
    return read_block(as_json(data), "0x5"), read_block(as_json(data), "latest")


BLOCK: Final = {"number": "0x5", "timestamp": "0x65", "hash": "0x" + "ab" * 32, "parentHash": "0x" + "cd" * 32}


def _logs(data: bytes) -> list[Log]:
    address = Address(kinds()[0]["address"])
    return checked_logs(as_json(data), address, [None, [bytes(31) + b"\1", bytes(31) + b"\2"]], 0, 10**9)


def _told_log(log: Log) -> str:
    topics = ",".join("0x" + topic.hex() for topic in log.topics)
    return f"{log.block} {log.index} {log.address} {topics} 0x{log.data.hex()} 0x{log.transaction.hex()}"


def _event(data: bytes) -> tuple[str, dict[str, Any]] | None:
    """data: JSON of topics and data, as an event of federation or vault."""
    log = log_of(data)
    for name in ("Federation", "Vault"):
        event = artifact(name).events.get(log.topics[0]) if log.topics else None
        if event is not None:
            return event.name, event.decode(log.topics, log.data)
    return None


def _told_event(value: tuple[str, dict[str, Any]] | None) -> str:
    return (
        "unknown"
        if value is None
        else " ".join([value[0], *(f"{name}={_flat(part)}" for name, part in sorted(value[1].items()))])
    )


def _flat(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{','.join(map(_flat, value))}]"
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return str(value).lower()


def _events() -> Iterable[bytes]:
    return [json.dumps({"topics": log["topics"], "data": log["data"]}).encode() for log in kinds()]


READINGS: Final[Mapping[int, tuple[str, str, Any]]] = dict(
    enumerate(
        [
            ("Federation", "stateAt", JobState),
            ("Federation", "termsOf", JobTerms),
            ("Vault", "booksOf", Books),
            ("RewardToken", "symbol", None),
            ("Credentials", "credentialOf", None),
            ("Credentials", "eip712Domain", None),
            ("DidRegistry", "identityOwner", None),
        ]
    )
)


def _reading(data: bytes) -> Any:
    contract, name, kind = READINGS[data[0] % len(READINGS) if data else 0]
    values = decoded(artifact(contract).functions[name], "0x" + data[1:].hex())
    try:
        return values if kind is None else from_tuple(kind, values[0])
    except ValueError as error:
        raise BadEncoding(f"{name}: {error}") from error


def _readings() -> Iterable[bytes]:
    answers = [answer for _, answer in recorded()["answers"] if isinstance(answer, str)]
    for place, (contract, name, _) in READINGS.items():
        function = artifact(contract).functions[name]
        sizes = {len(bytes.fromhex(answer[2:])) for answer in answers}
        for answer in {answer for answer in answers if len(answer) // 2 - 1 in sizes}:
            try:
                function.decode(bytes.fromhex(answer[2:]))
            except BadEncoding:
                continue
            yield bytes([place]) + bytes.fromhex(answer[2:])
            break
    yield b"\3" + encode(["string"], ["HANSA"])
    yield b"\4" + encode(
        ["(bytes32,address,uint48,uint48,address,uint48,bytes)"], [(bytes(32), FEDERATION, 1, 2, FEDERATION, 0, b"abc")]
    )


def _words(data: bytes) -> tuple[Any, ...]:
    """What the quick reader takes, the general one takes for the same."""
    types, body = TYPES[data[0] % len(TYPES)] if data else TYPES[0], data[1:]
    try:
        quick = decode_words(types, body)
    except Unusual:
        return decode_exactly(types, body)
    assert quick == decode_any(types, body), "the two readers differ"
    assert encode(types, quick) == body, "it is not the usual encoding"
    return quick


def _encoded() -> Iterable[bytes]:
    values: list[list[Any]] = [
        [1, FEDERATION, True],
        [b"abc"],
        [[b"", b"a" * 33, b"b"]],
        [-5, b"\1\2\3\4", 255],
        [[(1, (b"x", [FEDERATION]))], -1],
        [[FEDERATION], [bytes(32)] * 2],
    ]
    return [
        bytes([place]) + encode(types, value) for place, (types, value) in enumerate(zip(TYPES, values, strict=True))
    ]


def _reverts() -> Iterable[bytes]:
    yield b""
    yield bytes.fromhex("08c379a0") + encode(["string"], ["no\n\x1b"])
    yield bytes.fromhex("4e487b71") + encode(["uint256"], [17])
    for error in list(artifact("Refusals").errors.values())[:12]:
        yield error.selector + encode(
            [field.type for field in error.inputs], [_zero(field.type) for field in error.inputs]
        )


def _zero(kind: str) -> Any:
    if kind.startswith(("uint", "int")):
        return 0
    return FEDERATION if kind == "address" else False if kind == "bool" else b"" if kind.startswith("bytes") else ""


def _scalars(data: bytes) -> Any:
    value = as_json(data)
    return quantity(value, "a number"), rpc_octets(value, "bytes")


NODES = (ChainUnavailable,)


TARGETS: Final = (
    Target("rpc", "a node's HTTP answer", _ask, NODES, _answers, "127.0.0.1|eth_", after(3, json_text)),
    Target(
        "rpc-values",
        "a number, and bytes",
        _scalars,
        NODES,
        lambda: [b'"0x1f"', b'"0x"', b'"0x' + b"f" * 64 + b'"'],
        "node's answer",
        json_text,
    ),
    Target("block", "a block of a node", _block, NODES, lambda: [json.dumps(BLOCK).encode()], "block", json_text),
    Target(
        "logs",
        "events of a node",
        _logs,
        NODES,
        lambda: [json.dumps(kinds()[at : at + 3]).encode() for at in range(0, len(kinds()), 3)],
        "event|eth_getLogs",
        json_text,
    ),
    Target(
        "log",
        "one event of a node",
        lambda data: read_log(as_json(data)),
        NODES,
        lambda: [json.dumps(log).encode() for log in kinds()[:6]],
        "event",
        json_text,
        told=_told_log,
    ),
    Target("event", "an event's fields", _event, (BadEncoding, *NODES), _events, mutate=hexadecimal, told=_told_event),
    Target(
        "reading",
        "what a contract answers",
        _reading,
        (BadEncoding, WrongChain, *NODES),
        _readings,
        r"\w",
        after(1, words),
    ),
    Target("abi", "the ABI's encoding", _words, (BadEncoding,), _encoded, "", after(1, words)),
    Target(
        "revert",
        "why a contract refused",
        lambda data: str(contract_error(data)),
        (),
        _reverts,
        mutate=either(after(4, words), octets),
    ),
)
