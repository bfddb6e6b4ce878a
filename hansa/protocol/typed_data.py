"""What an account signs instead of sending it (EIP-712): acts of a trainer, and a token's permit (ERC-2612).

A signature is 65 bytes: r, s, and 27 or 28.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coincurve import PublicKey
from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from hansa.protocol.types import Address

ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # of secp256k1
DOMAIN: Final = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
NAME, VERSION = "Hansa", "1"
ENROL: Final = "Enrol(uint256 job,bytes32 termsHash,uint96 bond,bytes data,uint256 deadline)"
SUBMIT: Final = "Submit(uint256 job,uint64 cycle,bytes32 seed,bytes32 digest)"
REJOIN: Final = "Rejoin(uint256 job,uint64 cycle)"
PERMIT: Final = "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
SIGNED_CALLS: Final[Mapping[str, tuple[str, str]]] = {
    "enrolFor": ("enrol", ENROL),
    "submitFor": ("submit", SUBMIT),
    "rejoinFor": ("rejoin", REJOIN),
}
"""The calls that carry another account's signature, in their arguments `account` and `signature`: the call that they do
for it, and the type that it signs, whose fields are arguments of the same names."""


class BadSignature(ValueError):
    """A signature that is none, or the other form of one (EIP-2)."""


def domain(chain_id: int, contract: Address, name: str = NAME, version: str = VERSION) -> bytes:
    """The separator of what counts on one chain, for one contract."""
    types = ["bytes32", "bytes32", "bytes32", "uint256", "address"]
    values = [keccak(text=DOMAIN), keccak(text=name), keccak(text=version), chain_id, contract]
    return keccak(encode(types, values))


def digest(separator: bytes, kind: str, values: Mapping[str, Any]) -> bytes:
    """What is signed: a struct by its type, like `SUBMIT`, and its fields by name; others in `values` are left out."""
    fields = [field.split(" ") for field in kind.partition("(")[2].rstrip(")").split(",")]
    types = ["bytes32" if type_ == "bytes" else type_ for type_, _ in fields]
    words = [keccak(values[name]) if type_ == "bytes" else values[name] for type_, name in fields]
    return keccak(b"\x19\x01" + separator + keccak(encode(["bytes32", *types], [keccak(text=kind), *words])))


def signer_of(hashed: bytes, signature: bytes) -> Address:
    """Who signed a digest. BadSignature for what the contracts take for none: other lengths, high s, nobody's."""
    if len(signature) != 65:
        raise BadSignature(f"a signature of {len(signature)} bytes")
    r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
    return recover(hashed, r, s, signature[64] - 27)


def recover(hashed: bytes, r: int, s: int, odd: int) -> Address:
    """Who signed a digest. BadSignature for a signature that is none, or the other form of one (EIP-2)."""
    if not 0 < r < ORDER or not 0 < s <= ORDER // 2 or odd not in (0, 1):
        raise BadSignature("a signature out of bounds")
    try:
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([odd])
        key = PublicKey.from_signature_and_message(signature, hashed, hasher=None)
    except ValueError as error:
        raise BadSignature("a signature of nobody") from error
    return Address(to_checksum_address(keccak(key.format(compressed=False)[1:])[12:]))
