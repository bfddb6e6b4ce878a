"""Decoders of what nodes of a chain give: answers, blocks, events, calls, transactions, proofs."""

from __future__ import annotations

import itertools
import json
import pickle
from collections.abc import Iterable, Mapping
from email.message import Message
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from eth_abi.abi import decode as decode_any
from eth_abi.abi import encode
from eth_account import Account

from benchmarks.fuzzing.mutate import json_text, octets, words
from benchmarks.fuzzing.shapes import after, either, hexadecimal, rlp, rlp_list, rlp_string
from benchmarks.fuzzing.target import Target
from hansa.audit.archive import Archive
from hansa.audit.facts import Facts, read_facts
from hansa.audit.proof.export import _take
from hansa.audit.proof.header import header_bytes, read_header
from hansa.audit.proof.state import State
from hansa.audit.proof.trie import BadProof, Nodes
from hansa.protocol.did import Change, Did, document_of, encryption_keys, signers_of
from hansa.protocol.errors import ChainUnavailable, HistoryMismatch, Malformed, WrongChain
from hansa.protocol.types import Address, CycleId, Digest, JobId
from hansa.runtime.chain.abi import Artifact, BadEncoding, artifact, contract_error, decode_exactly
from hansa.runtime.chain.blocks import Log, read_block, read_log
from hansa.runtime.chain.calls import Calls
from hansa.runtime.chain.endpoint import BATCH, Endpoint
from hansa.runtime.chain.logs import checked_logs
from hansa.runtime.chain.node_errors import NodeError, is_behind, is_rate_limited
from hansa.runtime.chain.readings import decoded
from hansa.runtime.chain.rpc import octets as rpc_octets
from hansa.runtime.chain.rpc import quantity
from hansa.runtime.chain.structs import Books, JobState, JobTerms, from_tuple
from hansa.runtime.chain.words import Unusual, decode_words
from hansa.runtime.history.builder import HistoryBuilder
from hansa.runtime.history.cycle import HistoryError
from hansa.runtime.http import Reply
from hansa.runtime.identity.registry import _change_in
from hansa.runtime.signed_calls import signed_call
from hansa.runtime.transactions.asked import read_calls, signed_calls
from hansa.runtime.transactions.signed import BadTransaction, read_transaction, transaction_bytes
from hansa.runtime.transactions.strict_rlp import BadRlp
from hansa.runtime.transactions.strict_rlp import decode as decode_rlp
from hansa.runtime.transactions.strict_rlp import encode as encode_rlp

ROOT: Final = Path(__file__).parents[2]
ARCHIVE: Final = ROOT / "tests" / "vectors" / "job-1.hansa"
RECORDED: Final = ROOT / "dashboard" / "test" / "jobs"
ALICE: Final = Account.from_key("0x" + "a1" * 32)
FEDERATION: Final = Address("0x" + "22" * 20)
STATUSES: Final = (200, 200, 200, 429, 413, 500, 302, 404, 401)
TYPES: Final = (
    ["uint256", "address", "bool"], ["bytes"], ["bytes[]"], ["int64", "bytes4", "uint8"], ["(uint8,(bytes,address[]))[]", "int256"], ["address[]", "bytes32[]"],
)  # fmt: skip


def _json(data: bytes) -> Any:
    """What a node's answer is before anybody looks at it; what is no JSON is the endpoint's to refuse."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


# --- answers


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
        {"code": -32005, "message": "rate limit of 10 requests per second"}, {"code": -32000, "message": "block range limited to 10,000 blocks"},
        {"code": 3, "message": "execution reverted", "data": data}, {"code": -32000, "message": "revert", "data": {"result": data}},
        {"code": -1, "message": "batch of more than 50 requests", "data": "Reverted 0x"}, "no",
    ]  # fmt: skip
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
    return read_block(_json(data), "0x5"), read_block(_json(data), "latest")


BLOCK: Final = {"number": "0x5", "timestamp": "0x65", "hash": "0x" + "ab" * 32, "parentHash": "0x" + "cd" * 32}


@cache
def _recorded(name: str = "demo") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_text())
    return found


def _node_logs() -> list[dict[str, Any]]:
    names = ("blockNumber", "logIndex", "address", "topics", "data")
    events = [
        dict(zip(names, event[:5], strict=True)) for job in ("demo", "shares") for event in _recorded(job)["events"]
    ]
    return [
        {
            **one,
            "blockNumber": hex(one["blockNumber"]),
            "logIndex": hex(one["logIndex"]),
            "transactionHash": "0x" + "ef" * 32,
        }
        for one in events
    ]


def _kinds() -> list[dict[str, Any]]:
    """One event of each kind."""
    return list({log["topics"][0]: log for log in _node_logs()}.values())


def _logs(data: bytes) -> list[Log]:
    address = Address(_node_logs_of()[0]["address"])
    return checked_logs(_json(data), address, [None, [bytes(31) + b"\1", bytes(31) + b"\2"]], 0, 10**9)


@cache
def _node_logs_of() -> list[dict[str, Any]]:
    return _node_logs()


def _told_log(log: Log) -> str:
    topics = ",".join("0x" + topic.hex() for topic in log.topics)
    return f"{log.block} {log.index} {log.address} {topics} 0x{log.data.hex()} 0x{log.transaction.hex()}"


def _event(data: bytes) -> tuple[str, dict[str, Any]] | None:
    """data: JSON of topics and data, as an event of federation or vault."""
    log = _of_json(data)
    for name in ("Federation", "Vault"):
        event = artifact(name).events.get(log.topics[0]) if log.topics else None
        if event is not None:
            return event.name, event.decode(log.topics, log.data)
    return None


def _of_json(data: bytes) -> Log:
    said = _json(data)
    if not isinstance(said, dict):
        raise BadEncoding("no event")
    return read_log({"blockNumber": "0x1", "logIndex": "0x0", "address": FEDERATION, **said})


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
    return [json.dumps({"topics": log["topics"], "data": log["data"]}).encode() for log in _kinds()]


READINGS: Final[Mapping[int, tuple[str, str, Any]]] = dict(
    enumerate(
        [("Federation", "stateAt", JobState), ("Federation", "termsOf", JobTerms), ("Vault", "booksOf", Books), ("RewardToken", "symbol", None),
         ("Credentials", "credentialOf", None), ("Credentials", "eip712Domain", None), ("DidRegistry", "identityOwner", None)]
    )
)  # fmt: skip


def _reading(data: bytes) -> Any:
    contract, name, kind = READINGS[data[0] % len(READINGS) if data else 0]
    values = decoded(artifact(contract).functions[name], "0x" + data[1:].hex())
    try:
        return values if kind is None else from_tuple(kind, values[0])
    except ValueError as error:
        raise BadEncoding(f"{name}: {error}") from error


def _readings() -> Iterable[bytes]:
    answers = [answer for _, answer in _recorded()["answers"] if isinstance(answer, str)]
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
        [1, FEDERATION, True], [b"abc"], [[b"", b"a" * 33, b"b"]], [-5, b"\1\2\3\4", 255], [[(1, (b"x", [FEDERATION]))], -1], [[FEDERATION], [bytes(32)] * 2],
    ]  # fmt: skip
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


# --- calls and transactions


class _Somewhere(Calls):
    address = FEDERATION
    vault = Address("0x" + "33" * 20)


def call_data() -> list[bytes]:
    """Calls of a federation, plain, signed and in bundles."""
    calls, bundle = _Somewhere(), artifact("Federation").functions["multicall"]
    submit = calls.submit_call(JobId(7), CycleId(9), b"\1" * 32, Digest(b"\2" * 32))
    enrol = calls.enrol_call(JobId(7), b"\3" * 32, 100, b"proof")
    plain = [submit.data, enrol.data, *(signed_call(call, ALICE, 31337, 99).data for call in (submit, enrol))]
    two = bundle.encode(plain[:2])
    return [*plain, two, bundle.encode([plain[2], two, two])]


def _calls(data: bytes) -> list[Any]:
    contract: Artifact = artifact("Federation")
    told = list(signed_calls(contract, data))
    return [told, list(read_calls(contract, data))]


def _transaction(kind: int, **changes: Any) -> bytes:
    fields: dict[str, Any] = {
        "to": FEDERATION,
        "value": 1,
        "gas": 21_000,
        "nonce": 3,
        "data": b"\1\2",
        "chainId": 31337,
    }
    if kind == 2:
        fields |= {"maxFeePerGas": 5, "maxPriorityFeePerGas": 1, "type": 2}
    else:
        fields |= {"gasPrice": 5} | (
            {"type": 1, "accessList": [{"address": FEDERATION, "storageKeys": ["0x" + "01" * 32]}]} if kind else {}
        )
    return bytes(Account.sign_transaction({**fields, **changes}, ALICE.key).raw_transaction)


def _sent() -> Iterable[bytes]:
    return [*map(_transaction, (0, 1, 2)), _transaction(0, chainId=None), _transaction(2, to=b"")]


def _answered_transactions() -> Iterable[bytes]:
    for kind in (0, 2):
        signed = Account.sign_transaction(
            {"to": FEDERATION, "value": 1, "gas": 21_000, "nonce": 3, "data": b"\1", "chainId": 31337, "gasPrice": 5}
            if not kind
            else {"to": FEDERATION, "value": 1, "gas": 21_000, "nonce": 3, "data": b"\1", "chainId": 31337, "maxFeePerGas": 5, "maxPriorityFeePerGas": 1},
            ALICE.key,
        )  # fmt: skip
        common = {
            "hash": "0x" + signed.hash.hex(),
            "nonce": "0x3",
            "gas": "0x5208",
            "to": FEDERATION,
            "value": "0x1",
            "input": "0x01",
            "accessList": [],
        }
        prices = (
            {"maxFeePerGas": "0x5", "maxPriorityFeePerGas": "0x1", "chainId": "0x7a69", "yParity": hex(signed.v)}
            if kind
            else {"gasPrice": "0x5"}
        )
        said = {**common, **prices, "type": hex(kind), "v": hex(signed.v), "r": hex(signed.r), "s": hex(signed.s)}
        yield json.dumps(said).encode()


def _rebuilt(data: bytes) -> bytes | None:
    said = _json(data)
    return transaction_bytes(said) if isinstance(said, Mapping) else None


def _header_of(data: bytes) -> bytes | None:
    said = _json(data)
    return header_bytes(said) if isinstance(said, Mapping) else None


# --- proofs and archives


@cache
def _facts() -> Facts:
    with Archive.open(ARCHIVE) as archive:
        return archive.facts


def _all_facts(data: bytes) -> Facts:
    """Lists that are read later are gone through."""
    facts = read_facts(data)
    for part in (facts.events, facts.transactions, facts.proof.nodes if facts.proof else ()):
        _ = list(part)
    return facts


def _small_facts() -> Iterable[bytes]:
    """Of the recorded job, with fewer nodes, events and transactions."""
    facts = _facts()
    assert facts.proof is not None
    parts: list[Any] = [list(part)[:3] for part in (facts.proof.nodes, facts.events, facts.transactions)]
    proof = type(facts.proof)(facts.proof.header, parts[0])
    named = {name: getattr(facts, name) for name in ("chain_id", "federation", "vault", "library", "job", "at")}
    return [
        Facts(**named, proof=proof, events=parts[1], transactions=parts[2]).encode(),
        Facts(**named, proof=None, events=(), transactions=()).encode(),
    ]


def _nodes(data: bytes) -> list[bytes | None]:
    """data: a list of nodes, of which the first is the root."""
    items = decode_rlp(data, 1)
    nodes = [node for node in items if isinstance(node, bytes)] if isinstance(items, list) else []
    if not nodes:
        raise BadProof("no nodes")
    known = Nodes(nodes)
    from_root = next(iter(known._nodes))
    return [
        known.look_up(from_root, bytes.fromhex(address[2:]))
        for address in (_facts().federation, _facts().vault, FEDERATION)
    ]


def _node_lists() -> Iterable[bytes]:
    facts = _facts()
    assert facts.proof is not None
    nodes, root = list(facts.proof.nodes), State(facts.proof.header)._root
    from eth_utils.crypto import keccak

    ordered = sorted(nodes, key=lambda node: keccak(node) != root)
    return [
        rlp_list(b"".join(map(rlp_string, ordered[:12]))),
        rlp_list(rlp_string(encode_rlp([b"\x20" + b"\1" * 32, b"\5"]))),
    ]


def _proof(data: bytes) -> int:
    facts, said = _facts(), _json(data)
    assert facts.proof is not None
    _take(State(facts.proof.header), [(("eth_getProof", []), (facts.federation, []))], [said])
    return 1


def _proofs() -> Iterable[bytes]:
    facts = _facts()
    assert facts.proof is not None
    state = State(facts.proof.header, facts.proof.nodes)
    state.account(facts.federation)
    used = ["0x" + node.hex() for node in state.proof().nodes]
    return [json.dumps({"accountProof": used, "storageProof": [{"key": "0x0", "proof": used[:1]}]}).encode()]


# --- events that follow one another


@cache
def _prefixes() -> list[bytes]:
    """A job's history after each of its events, pickled: a copy is made for each input."""
    recorded = _recorded("shares")
    builder = HistoryBuilder(recorded["chainId"], Address(_checksummed(recorded["federation"])), JobId(1))
    found = [pickle.dumps(builder)]
    for log in _of_job():
        builder.apply(log)
        found.append(pickle.dumps(builder))
    return found


def _checksummed(address: str) -> str:
    from eth_utils.address import to_checksum_address

    return to_checksum_address(address)


@cache
def _of_job() -> list[Log]:
    logs, of_job = [read_log(log) for log in _shares()], (1).to_bytes(32, "big")
    return [
        log for log in logs if log.address == _recorded("shares")["federation"].lower() and log.topics[1:2] == (of_job,)
    ]


@cache
def _shares() -> list[dict[str, Any]]:
    return _node_logs()[len(_recorded("demo")["events"]) :]


def _history(data: bytes) -> Any:
    """data: JSON of an event's place in the job, its topics and data."""
    said = _json(data)
    place = said.get("place") if isinstance(said, dict) else None
    builder: HistoryBuilder = pickle.loads(_prefixes()[place % len(_prefixes()) if type(place) is int else 0])
    builder.apply(_of_json(data))
    _ = builder.history
    return builder.word


def _histories() -> Iterable[bytes]:
    for place, log in enumerate(_of_job()):
        topics = ["0x" + topic.hex() for topic in log.topics]
        yield json.dumps({"place": place, "topics": topics, "data": "0x" + log.data.hex()}).encode()


WHO: Final = Address(ALICE.address)


def _did_events(data: bytes) -> Any:
    """data: a JSON list of the registry's events about one identity."""
    said = _json(data)
    changes: list[Change] = []
    for each in said if isinstance(said, list) else []:
        log = _of_json(json.dumps(each).encode())
        if (
            log.topics
            and log.topics[0] in artifact("DidRegistry").events
            and artifact("DidRegistry").events[log.topics[0]].name.startswith("DID")
        ):
            changes.append(_change_in(log)[0])
    document = document_of(Did(f"did:ethr:0x7a69:{WHO}", 31337, WHO), changes, 1000)
    json.dumps(document).encode()
    return document, encryption_keys(document), signers_of(document, 31337)


def _did_logs() -> Iterable[bytes]:
    registry, who = artifact("DidRegistry"), "0x" + bytes.fromhex(WHO[2:]).rjust(32, b"\0").hex()

    def log(name: str, types: list[str], *values: Any) -> dict[str, Any]:
        return {"topics": ["0x" + registry.event(name).topic.hex(), who], "data": "0x" + encode(types, values).hex()}

    names = [
        b"did/pub/X25519/enc/base64",
        b"did/svc/Hub",
        b"did/pub/Secp256k1/veriKey/hex",
        b"did/pub/RSA/sigAuth/pem",
        b"did/pub/Ed25519/enc/base58",
    ]
    values = [b"\5" * 32, b'{"a": [1]}', b"\2" * 33, b"-----BEGIN", b"\0\1\2"]
    kinds = ["bytes32", "bytes", "uint256", "uint256"]
    attributes = [
        log("DIDAttributeChanged", kinds, name.ljust(32, b"\0"), value, 2**40, 0)
        for name, value in zip(names, values, strict=True)
    ]
    delegate = [
        log(
            "DIDDelegateChanged",
            ["bytes32", "address", "uint256", "uint256"],
            b"sigAuth".ljust(32, b"\0"),
            FEDERATION,
            until,
            0,
        )
        for until in (9, 2**50)
    ]
    yield json.dumps([*attributes, *delegate]).encode()
    yield json.dumps(
        [*delegate, log("DIDOwnerChanged", ["address", "uint256"], FEDERATION, 0), *attributes[:1]]
    ).encode()


def _scalars(data: bytes) -> Any:
    value = _json(data)
    return quantity(value, "a number"), rpc_octets(value, "bytes")


NODES = (ChainUnavailable,)
TARGETS: Final = (
    Target("rpc", "a node's HTTP answer", _ask, NODES, _answers, "127.0.0.1|eth_", after(3, json_text)),
    Target("rpc-values", "a number, and bytes", _scalars, NODES, lambda: [b'"0x1f"', b'"0x"', b'"0x' + b"f" * 64 + b'"'], "node's answer", json_text),
    Target("block", "a block of a node", _block, NODES, lambda: [json.dumps(BLOCK).encode()], "block", json_text),
    Target("logs", "events of a node", _logs, NODES, lambda: [json.dumps(_kinds()[at : at + 3]).encode() for at in range(0, len(_kinds()), 3)], "event|eth_getLogs", json_text),
    Target("log", "one event of a node", lambda data: read_log(_json(data)), NODES, lambda: [json.dumps(log).encode() for log in _kinds()[:6]], "event",
           json_text, told=_told_log),
    Target("event", "an event's fields", _event, (BadEncoding, *NODES), _events, mutate=hexadecimal, told=_told_event),
    Target("reading", "what a contract answers", _reading, (BadEncoding, WrongChain, *NODES), _readings, r"\w", after(1, words)),
    Target("abi", "the ABI's encoding", _words, (BadEncoding,), _encoded, "", after(1, words)),
    Target("revert", "why a contract refused", lambda data: str(contract_error(data)), (), _reverts, mutate=either(after(4, words), octets)),
    Target("calls", "calls, and bundles of calls", _calls, (BadEncoding,), call_data, mutate=after(4, words)),
    Target("rlp", "RLP in one form", lambda data: decode_rlp(data, 4), (BadRlp,), lambda: [encode_rlp([b"a", [b"", [b"b" * 60]], b"\0"]), b"\x80", b"\xc0"],
           mutate=rlp, encode=encode_rlp),
    Target("transaction", "a signed transaction", read_transaction, (BadTransaction,), _sent, mutate=either(rlp, after(1, rlp))),
    Target("node-transaction", "a node's transaction, by its fields", _rebuilt, (), _answered_transactions, mutate=json_text),
    Target("header", "a block's header", read_header, (BadRlp,), lambda: [_facts().proof.header] if _facts().proof else [], mutate=rlp),
    Target("node-header", "a node's block, by its fields", _header_of, (), lambda: [json.dumps(_fields_of_header()).encode()], mutate=json_text),
    Target("trie", "nodes of a state's tree", _nodes, (BadRlp, BadProof), _node_lists, mutate=rlp),
    Target("proof", "what a node proves", _proof, NODES, _proofs, "eth_getProof|proof", hexadecimal),
    Target("facts", "an archive's facts", _all_facts, (BadRlp,), _small_facts, mutate=rlp, encode=Facts.encode),
    Target("history", "a job's events, one after another", _history, (HistoryError, BadEncoding, *NODES), _histories, mutate=hexadecimal),
    Target("did-events", "an identity's events, and its document", _did_events, (HistoryMismatch, Malformed, BadEncoding, *NODES), _did_logs, mutate=hexadecimal),
)  # fmt: skip


def _fields_of_header() -> dict[str, Any]:
    """A recorded header as a node tells it."""
    from eth_utils.crypto import keccak

    from hansa.audit.proof.header import FIELDS, QUANTITIES

    proof = _facts().proof
    assert proof is not None
    items = cast(list[bytes], decode_rlp(proof.header, 1))
    told = {
        name: hex(int.from_bytes(item, "big")) if name in QUANTITIES else "0x" + item.hex()
        for name, item in zip(FIELDS, items, strict=False)
    }
    return {**told, "hash": "0x" + keccak(proof.header).hex(), "transactions": []}
