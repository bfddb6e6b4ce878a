"""Decoders of what nodes and archives give of transactions, headers, proofs and facts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from eth_account import Account
from eth_utils.crypto import keccak

from benchmarks.fuzzing.mutate import json_text, words
from benchmarks.fuzzing.recorded import ALICE, FEDERATION, as_json, facts
from benchmarks.fuzzing.shapes import after, either, hexadecimal, rlp, rlp_list, rlp_string
from benchmarks.fuzzing.target import Target
from hansa.audit.facts import Facts, read_facts
from hansa.audit.proof.export import _take
from hansa.audit.proof.header import FIELDS, QUANTITIES, header_bytes, read_header
from hansa.audit.proof.state import State
from hansa.audit.proof.trie import BadProof, Nodes
from hansa.protocol.errors import ChainUnavailable
from hansa.protocol.types import Address, CycleId, Digest, JobId
from hansa.runtime.chain.abi import BadEncoding, artifact
from hansa.runtime.chain.calls import Calls
from hansa.runtime.signed_calls import signed_call
from hansa.runtime.transactions.asked import read_calls, signed_calls
from hansa.runtime.transactions.signed import BadTransaction, read_transaction, transaction_bytes
from hansa.runtime.transactions.strict_rlp import BadRlp
from hansa.runtime.transactions.strict_rlp import decode as decode_rlp
from hansa.runtime.transactions.strict_rlp import encode as encode_rlp


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
    contract = artifact("Federation")
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
            else {
                "to": FEDERATION,
                "value": 1,
                "gas": 21_000,
                "nonce": 3,
                "data": b"\1",
                "chainId": 31337,
                "maxFeePerGas": 5,
                "maxPriorityFeePerGas": 1,
            },
            ALICE.key,
        )
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
    said = as_json(data)
    return transaction_bytes(said) if isinstance(said, Mapping) else None


def _header_of(data: bytes) -> bytes | None:
    said = as_json(data)
    return header_bytes(said) if isinstance(said, Mapping) else None


def _all_facts(data: bytes) -> Facts:
    """Lists that are read later are gone through."""
    facts = read_facts(data)
    for part in (facts.events, facts.transactions, facts.proof.nodes if facts.proof else ()):
        _ = list(part)
    return facts


def _small_facts() -> Iterable[bytes]:
    """Of the recorded job, with fewer nodes, events and transactions."""
    job = facts()
    assert job.proof is not None
    parts: list[Any] = [list(part)[:3] for part in (job.proof.nodes, job.events, job.transactions)]
    proof = type(job.proof)(job.proof.header, parts[0])
    named = {name: getattr(job, name) for name in ("chain_id", "federation", "vault", "library", "job", "at")}
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
        for address in (facts().federation, facts().vault, FEDERATION)
    ]


def _node_lists() -> Iterable[bytes]:
    job = facts()
    assert job.proof is not None
    nodes, root = list(job.proof.nodes), State(job.proof.header)._root
    ordered = sorted(nodes, key=lambda node: keccak(node) != root)
    return [
        rlp_list(b"".join(map(rlp_string, ordered[:12]))),
        rlp_list(rlp_string(encode_rlp([b"\x20" + b"\1" * 32, b"\5"]))),
    ]


def _proof(data: bytes) -> int:
    job, said = facts(), as_json(data)
    assert job.proof is not None
    _take(State(job.proof.header), [(("eth_getProof", []), (job.federation, []))], [said])
    return 1


def _proofs() -> Iterable[bytes]:
    job = facts()
    assert job.proof is not None
    state = State(job.proof.header, job.proof.nodes)
    state.account(job.federation)
    used = ["0x" + node.hex() for node in state.proof().nodes]
    return [json.dumps({"accountProof": used, "storageProof": [{"key": "0x0", "proof": used[:1]}]}).encode()]


def _headers() -> Iterable[bytes]:
    proof = facts().proof
    assert proof is not None
    return [proof.header]


def _header_fields() -> dict[str, Any]:
    """A recorded header as a node tells it."""
    proof = facts().proof
    assert proof is not None
    items = cast(list[bytes], decode_rlp(proof.header, 1))
    told = {
        name: hex(int.from_bytes(item, "big")) if name in QUANTITIES else "0x" + item.hex()
        for name, item in zip(FIELDS, items, strict=False)
    }
    return {**told, "hash": "0x" + keccak(proof.header).hex(), "transactions": []}


TARGETS: Final = (
    Target("calls", "calls, and bundles of calls", _calls, (BadEncoding,), call_data, mutate=after(4, words)),
    Target(
        "rlp",
        "RLP in one form",
        lambda data: decode_rlp(data, 4),
        (BadRlp,),
        lambda: [encode_rlp([b"a", [b"", [b"b" * 60]], b"\0"]), b"\x80", b"\xc0"],
        mutate=rlp,
        encode=encode_rlp,
    ),
    Target(
        "transaction",
        "a signed transaction",
        read_transaction,
        (BadTransaction,),
        _sent,
        mutate=either(rlp, after(1, rlp)),
    ),
    Target(
        "node-transaction",
        "a node's transaction, by its fields",
        _rebuilt,
        (),
        _answered_transactions,
        mutate=json_text,
    ),
    Target(
        "header",
        "a block's header",
        read_header,
        (BadRlp,),
        _headers,
        mutate=rlp,
    ),
    Target(
        "node-header",
        "a node's block, by its fields",
        _header_of,
        (),
        lambda: [json.dumps(_header_fields()).encode()],
        mutate=json_text,
    ),
    Target("trie", "nodes of a state's tree", _nodes, (BadRlp, BadProof), _node_lists, mutate=rlp),
    Target("proof", "what a node proves", _proof, (ChainUnavailable,), _proofs, "eth_getProof|proof", hexadecimal),
    Target("facts", "an archive's facts", _all_facts, (BadRlp,), _small_facts, mutate=rlp, encode=Facts.encode),
)
