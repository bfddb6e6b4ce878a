"""Decoders of what strangers hand over: tokens, DIDs, signed calls, what is said to a relay and by one, options."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from eth_account import Account

from benchmarks.fuzzing.mutate import json_text, words
from benchmarks.fuzzing.shapes import after, hexadecimal, token
from benchmarks.fuzzing.target import Target
from hansa.protocol import jwt
from hansa.protocol.credential import Credential, claims_of, read_claims, schema_of
from hansa.protocol.did import account_of_key, did_of, parse_did
from hansa.protocol.errors import FatalError, Malformed
from hansa.protocol.typed_data import BadSignature, signer_of
from hansa.protocol.types import Address, CycleId, Digest, JobId
from hansa.runtime.amounts import Token
from hansa.runtime.chain.calls import Calls
from hansa.runtime.http import checked_url
from hansa.runtime.metrics_server import parse_address
from hansa.runtime.relay.messages import RelayAnswer, RelayRequest, act_of
from hansa.runtime.relay.permits import Permit
from hansa.runtime.signed_calls import read_signed_call, signed_call
from hansa.runtime.store.kubo import authorization
from hansa.tasks.frozen import parse_frozen
from hansa.tasks.settings import Settings, parse_settings

CHAIN: Final = 31337
ALICE: Final = Account.from_key("0x" + "a1" * 32)
WHO: Final = Address(ALICE.address)


class _Somewhere(Calls):
    address = Address("0x" + "22" * 20)
    vault = Address("0x" + "33" * 20)


CALLS: Final = _Somewhere()
SUBMIT: Final = CALLS.submit_call(JobId(7), CycleId(9), b"\1" * 32, Digest(b"\2" * 32))
ENROL: Final = CALLS.enrol_call(JobId(7), b"\3" * 32, 100, b"proof")
REJOIN: Final = CALLS.rejoin_call(JobId(7), CycleId(9))
CREDENTIAL: Final = Credential(b"\4" * 32, schema_of("participant"), WHO, CALLS.vault, 100, 2**33)
CLAIMS: Final = claims_of(CREDENTIAL, CHAIN, CALLS.address, "participant")


def text_of(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _object(data: bytes) -> Any:
    """JSON that something else has read; what is none is that one's to refuse."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return {}


def _claim(data: bytes) -> Any:
    claims = _object(data)
    return read_claims(claims if isinstance(claims, dict) else {})


def _calls() -> list[bytes]:
    claims = [CALLS.claim_bond_call(JobId(7), WHO).data]
    return [signed_call(call, ALICE, CHAIN, 99).data for call in (SUBMIT, ENROL, REJOIN)] + claims


def _requests() -> Iterable[bytes]:
    permit = Permit(2**256 - 1, 9, b"\1" * 65)
    for data in _calls():
        to = CALLS.vault if data == _calls()[-1] else CALLS.address
        yield RelayRequest(CHAIN, to, data, permit).encode()
    yield RelayRequest(5, CALLS.address, b"\1\2").encode()


def _act(data: bytes) -> RelayRequest:
    request = RelayRequest.decode(data)
    try:
        act_of(request, CHAIN, CALLS.address, CALLS.vault)
    except Malformed as error:
        str(error).encode()
    return RelayRequest.decode(request.encode())


def _answer(data: bytes) -> RelayAnswer:
    answer = RelayAnswer.decode(200, data)
    answer.encode()
    return answer


def _signature(data: bytes) -> Address:
    """data: a digest and a signature."""
    return signer_of(data[:32].ljust(32, b"\0"), data[32:])


def _signatures() -> Iterable[bytes]:
    return [bytes([place]) * 32 + bytes(ALICE.unsafe_sign_hash(bytes([place]) * 32).signature) for place in range(2)]


def _settings(data: bytes) -> dict[str, Any]:
    values = parse_settings(text_of(data).split("\n"))
    settings = Settings("heart", values)
    for read in (
        lambda: settings.integer("batch", 4, low=1, high=1000),
        lambda: settings.decimal("rate", "0.01"),
        lambda: settings.table("table"),
        lambda: settings.choice("metric", ("accuracy", "likelihood")),
        settings.done,
    ):
        try:
            read()
        except FatalError as error:
            str(error).encode()
    json.dumps(values, allow_nan=False)
    return values


def _options(data: bytes) -> list[Any]:
    """What stands behind several options of the command line, each refused by itself."""
    text, found = text_of(data), []
    for read in (
        Token(str(CALLS.vault)).units,
        parse_address,
        lambda one: parse_frozen([one]),
        schema_of,
        authorization,
        lambda one: checked_url(one, ("http", "https"), "an address"),
        parse_did,
    ):
        try:
            found.append(read(text))
        except (FatalError, Malformed) as error:
            found.append(str(error).encode())
    return found


TARGETS: Final = (
    Target(
        "token",
        "a JSON web token",
        lambda data: jwt.read(text_of(data)),
        (Malformed,),
        lambda: [jwt.sign(CLAIMS, b"\1" * 32).encode()],
        "token",
        token,
    ),
    Target(
        "credential",
        "a credential's claims",
        _claim,
        (Malformed,),
        lambda: [json.dumps(CLAIMS).encode()],
        "token",
        json_text,
    ),
    Target(
        "did",
        "a DID",
        lambda data: parse_did(text_of(data)),
        (Malformed,),
        lambda: [
            did_of(CHAIN, WHO).encode(),
            b"did:ethr:0x02" + b"79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        ],
        "did:ethr|public key",
        encode=lambda did: did.text.encode(),
    ),
    Target(
        "public-key",
        "a public key",
        account_of_key,
        (Malformed,),
        lambda: [b"\2" + bytes.fromhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")],
        "public key",
    ),
    Target(
        "signature", "a signature over typed data", _signature, (BadSignature,), _signatures, "signature", after(32)
    ),
    Target(
        "signed-call",
        "a call that somebody signed",
        lambda data: read_signed_call(data, CHAIN, CALLS.address),
        (Malformed,),
        _calls,
        "call|arguments|signature",
        after(4, words),
    ),
    Target(
        "relay-request",
        "what is asked of a relay",
        _act,
        (Malformed,),
        _requests,
        "request|permit|number|hexadecimal|address",
        hexadecimal,
    ),
    Target(
        "relay-answer",
        "what a relay says",
        _answer,
        (Malformed,),
        lambda: [RelayAnswer(200, "0x12").encode(), RelayAnswer(409, error="no").encode()],
        "relay's answer",
        json_text,
    ),
    Target(
        "settings",
        "a task's settings",
        _settings,
        (FatalError,),
        lambda: [b'batch=8\nrate="0.1"', b'table={"a":[1,"b"]}\nmetric=accuracy', b"rate=0.5"],
        "--set",
    ),
    Target(
        "options",
        "values of options",
        _options,
        (),
        lambda: [
            b"12.5",
            b"127.0.0.1:9464",
            b"name=" + b"ab" * 32,
            b"https://example.org/x",
            b"basic:a:b",
            b"1_000.000",
            b"1e-18",
        ],
    ),
)
