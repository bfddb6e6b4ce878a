"""Events that follow one another: a job's history, and an identity's document."""

from __future__ import annotations

import json
from collections.abc import Iterable
from copy import deepcopy
from functools import cache
from typing import Any, Final

from eth_abi.abi import encode
from eth_utils.address import to_checksum_address

from benchmarks.fuzzing.recorded import ALICE, FEDERATION, as_json, log_of, of_shares, recorded
from benchmarks.fuzzing.shapes import hexadecimal
from benchmarks.fuzzing.target import Target
from hansa.protocol.did import Change, Did, document_of, encryption_keys, signers_of
from hansa.protocol.errors import ChainUnavailable, HistoryMismatch, Malformed
from hansa.protocol.types import Address, JobId
from hansa.runtime.chain.abi import BadEncoding, artifact
from hansa.runtime.chain.blocks import Log, read_log
from hansa.runtime.history.builder import HistoryBuilder
from hansa.runtime.history.cycle import HistoryError
from hansa.runtime.identity.registry import _change_in


@cache
def _prefixes() -> list[HistoryBuilder]:
    """A job's history after each of its events: a copy is made for each input."""
    job = recorded("shares")
    builder = HistoryBuilder(job["chainId"], Address(to_checksum_address(job["federation"])), JobId(1))
    found = [deepcopy(builder)]
    for log in _of_job():
        builder.apply(log)
        found.append(deepcopy(builder))
    return found


@cache
def _of_job() -> list[Log]:
    logs, of_job = [read_log(log) for log in of_shares()], (1).to_bytes(32, "big")
    return [
        log for log in logs if log.address == recorded("shares")["federation"].lower() and log.topics[1:2] == (of_job,)
    ]


def _history(data: bytes) -> Any:
    """data: JSON of an event's place in the job, its topics and data."""
    said = as_json(data)
    place = said.get("place") if isinstance(said, dict) else None
    builder: HistoryBuilder = deepcopy(_prefixes()[place % len(_prefixes()) if type(place) is int else 0])
    builder.apply(log_of(data))
    _ = builder.history
    return builder.word


def _histories() -> Iterable[bytes]:
    for place, log in enumerate(_of_job()):
        topics = ["0x" + topic.hex() for topic in log.topics]
        yield json.dumps({"place": place, "topics": topics, "data": "0x" + log.data.hex()}).encode()


WHO: Final = Address(ALICE.address)


def _did_events(data: bytes) -> Any:
    """data: a JSON list of the registry's events about one identity."""
    said = as_json(data)
    changes: list[Change] = []
    for each in said if isinstance(said, list) else []:
        log = log_of(json.dumps(each).encode())
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


TARGETS: Final = (
    Target(
        "history",
        "a job's events, one after another",
        _history,
        (HistoryError, BadEncoding, ChainUnavailable),
        _histories,
        mutate=hexadecimal,
    ),
    Target(
        "did-events",
        "an identity's events, and its document",
        _did_events,
        (HistoryMismatch, Malformed, BadEncoding, ChainUnavailable),
        _did_logs,
        mutate=hexadecimal,
    ),
)
