"""What a relay is asked, as JSON: a call that somebody signed, or that needs no signature; and what it says to that."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hansa.protocol.errors import Malformed
from hansa.protocol.types import Address, JobId
from hansa.runtime.chain.abi import BadEncoding, artifact
from hansa.runtime.chain.calls import Call
from hansa.runtime.chain.structs import address
from hansa.runtime.relay.permits import Permit
from hansa.runtime.signed_calls import read_signed_call

MOST_DATA: Final = 2**16  # bytes of a call
MOST_BODY: Final = 2 * MOST_DATA + 2**12
LONGEST_SAID: Final = 300  # characters of what a relay says
HEXADECIMAL: Final = re.compile(r"0x[0-9a-fA-F]*")
CLAIMS: Final = ("claim", "claimBond")  # the vault's calls that anybody may send for a trainer


@dataclass(frozen=True)
class RelayRequest:
    """A call to `to`, and what lets the vault take the bond that it asks for."""

    chain_id: int
    to: Address
    data: bytes
    permit: Permit | None = None

    def encode(self) -> bytes:
        permit = self.permit
        told = None if permit is None else {**vars(permit), "signature": "0x" + permit.signature.hex()}
        said = {"chain": self.chain_id, "to": self.to, "data": "0x" + self.data.hex(), "permit": told}
        return json.dumps(said).encode()

    @classmethod
    def decode(cls, body: bytes) -> RelayRequest:
        """Malformed for what is none."""
        try:
            said = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise Malformed("the request is not JSON", cause=error, next_step="send one object") from error
        fields = _fields(said, {"chain", "to", "data"}, {"permit"}, "the request")
        told, permit = fields.get("permit"), None
        if told is not None:
            parts = _fields(told, {"value", "deadline", "signature"}, set(), "the permit")
            signature = _octets(parts["signature"], "the permit's signature", 65)
            if len(signature) != 65:
                raise Malformed(f"the permit's signature has {len(signature)} bytes", next_step="give r, s and v: 65")
            permit = Permit(_number(parts["value"], "value"), _number(parts["deadline"], "deadline"), signature)
        data = _octets(fields["data"], "data", MOST_DATA)
        return cls(_number(fields["chain"], "chain"), _address(fields["to"]), data, permit)


@dataclass(frozen=True)
class Act:
    """What a request asks for, for whom. call: `enrol`, `submit`, `rejoin`, `claim` or `claimBond`. sent: what a relay
    sends for it."""

    account: Address
    job: JobId
    call: str
    arguments: Mapping[str, Any]
    sent: Call
    permit: Permit | None


def act_of(request: RelayRequest, chain_id: int, federation: Address, vault: Address) -> Act:
    """What a request asks for on one chain, of one federation. Malformed where it is not for these, is no call that a
    relay sends, or what it needs is not signed by its account."""
    if request.chain_id != chain_id:
        raise Malformed(f"the call is for chain {request.chain_id}", cause=f"this relay is on chain {chain_id}")
    if request.to == federation:
        act = read_signed_call(request.data, chain_id, federation)
        sent = Call(request.to, request.data, f"{act.call} for {act.account} in job {act.job}")
        return Act(act.account, act.job, act.call, act.arguments, sent, request.permit)
    if request.to != vault:
        raise Malformed(f"the call is for {request.to}", cause=f"this relay serves {federation} and its vault {vault}")
    functions = artifact("Vault").functions
    name = next((name for name in CLAIMS if functions[name].selector == request.data[:4]), None)
    if name is None:
        raise Malformed("the call is none that anybody sends for a trainer", cause="it is neither claim nor claimBond")
    try:
        values = functions[name].read(request.data[4:])
    except BadEncoding as error:
        raise Malformed(f"the arguments of {name} can't be read", cause=error) from error
    arguments = dict(zip((field.name for field in functions[name].inputs), values, strict=True))
    trainer, job = address(arguments["trainer"]), JobId(arguments["job"])
    return Act(trainer, job, name, arguments, Call(request.to, request.data, f"{name} for {trainer}"), None)


@dataclass(frozen=True)
class RelayAnswer:
    """What became of a request. status: as HTTP's. transaction: hash of what was sent. error: a sentence."""

    status: int
    transaction: str | None = None
    error: str | None = None

    @property
    def is_taken(self) -> bool:
        """Whether it was sent, or had been."""
        return self.status in (200, 202)

    def encode(self) -> bytes:
        said = {"transaction": self.transaction, "error": self.error}
        return json.dumps({name: value for name, value in said.items() if value is not None}).encode() + b"\n"

    @classmethod
    def decode(cls, status: int, body: bytes) -> RelayAnswer:
        """What a relay said; none of it is believed. Malformed for no answer of a relay."""
        try:
            said = json.loads(body)
            transaction, error = said.get("transaction"), said.get("error")
        except (ValueError, RecursionError, AttributeError) as problem:
            raise Malformed("a relay's answer is not JSON", cause=problem) from problem
        return cls(status, *(None if one is None else str(one)[:LONGEST_SAID] for one in (transaction, error)))


def _fields(said: Any, needed: set[str], others: set[str], what: str) -> dict[str, Any]:
    if not isinstance(said, dict) or not needed <= said.keys() <= needed | others:
        names = ", ".join(sorted(needed))
        raise Malformed(f"{what} has other fields than it must", next_step=f"give an object with {names}")
    return said


def _number(value: Any, what: str) -> int:
    if type(value) is not int or not 0 <= value < 2**256:
        raise Malformed(f"{what} is no number that fits", next_step="give a JSON integer, from 0 to 2^256 − 1")
    return value


def _octets(value: Any, what: str, most: int) -> bytes:
    try:
        if not isinstance(value, str) or len(value) > 2 + 2 * most or not HEXADECIMAL.fullmatch(value):
            raise ValueError
        return bytes.fromhex(value[2:])  # takes spaces too: hence the pattern
    except ValueError:
        raise Malformed(f"{what} is not hexadecimal, or longer than {most} bytes", next_step="write it 0x…") from None


def _address(value: Any) -> Address:
    if not isinstance(value, str) or len(value) != 42:
        raise Malformed("to is no address", next_step="name the federation, or its vault")
    return address("0x" + _octets(value, "to", 20).hex())
