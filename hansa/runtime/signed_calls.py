"""Calls that an account signs and anybody sends: made of those that it would send itself, read by who sends them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from eth_account.signers.local import LocalAccount
from eth_typing import Hash32

from hansa.protocol.errors import Malformed
from hansa.protocol.typed_data import SIGNED_CALLS, BadSignature, digest, domain, signer_of
from hansa.protocol.types import Address, JobId
from hansa.runtime.chain.abi import BadEncoding, Function, artifact
from hansa.runtime.chain.calls import Call
from hansa.runtime.chain.structs import address

_RELAYED: Final = {call: name for name, (call, _) in SIGNED_CALLS.items()}


@dataclass(frozen=True)
class SignedAct:
    """What somebody's signature in a call asks for. call: the one that its account would send itself."""

    account: Address
    job: JobId
    call: str
    arguments: dict[str, Any]


def can_be_signed(call: Call) -> bool:
    """Whether a call of the federation has a form that another account may send."""
    return _name(call.data) in _RELAYED


def signed_call(call: Call, account: LocalAccount, chain_id: int, deadline: int) -> Call:
    """A call as anybody may send it for `account`. deadline: of an enrolment; other acts end with their cycle."""
    assert call.to is not None
    function = artifact("Federation").functions[_RELAYED[_name(call.data)]]
    own = artifact("Federation").functions[_name(call.data)]
    values = dict(zip((field.name for field in own.inputs), own.read(call.data[4:]), strict=True))
    values["deadline"] = deadline
    hashed = digest(domain(chain_id, call.to), SIGNED_CALLS[function.name][1], values)
    values |= {"account": account.address, "signature": sign_digest(account, hashed)}
    return Call(call.to, function.encode(*(values[field.name] for field in function.inputs)), call.what)


def sign_digest(account: LocalAccount, hashed: bytes) -> bytes:
    """r, s, and 27 or 28."""
    return bytes(account.unsafe_sign_hash(Hash32(hashed)).signature)


def read_signed_call(data: bytes, chain_id: int, federation: Address) -> SignedAct:
    """What a call that somebody else signed asks for. Malformed where it is none, or its signature is another's."""
    name = _name(data)
    if name not in SIGNED_CALLS:
        raise Malformed("the call carries no signature that others may send", cause=f"it is {name or 'no function'}")
    function = artifact("Federation").functions[name]
    try:
        values = dict(zip((field.name for field in function.inputs), function.read(data[4:]), strict=True))
    except BadEncoding as error:
        raise Malformed(f"the arguments of {name} can't be read", cause=error) from error
    account, (call, kind) = address(values["account"]), SIGNED_CALLS[name]
    try:
        signer = signer_of(digest(domain(chain_id, federation), kind, values), values["signature"])
    except BadSignature as error:
        raise Malformed(f"the signature of {account} is none", cause=error) from error
    if signer != account:
        raise Malformed(
            f"the signature is not one of {account}",
            cause=f"for chain {chain_id} and federation {federation} it is one of {signer}",
            next_step="sign what is sent, with the account's own key",
        )
    return SignedAct(account, JobId(values["job"]), call, values)


def _name(data: bytes) -> str:
    return next((known.name for known in _functions() if known.selector == data[:4]), "")


def _functions() -> list[Function]:
    return list(artifact("Federation").functions.values())
