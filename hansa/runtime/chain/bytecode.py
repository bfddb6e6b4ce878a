"""Whether what is deployed is what the committed artifacts compile to; immutables and libraries are looked at too."""

from __future__ import annotations

from hansa.protocol.errors import WrongChain
from hansa.protocol.types import Address
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.structs import address

PUSH1, PUSH20, PUSH32 = 0x60, 0x73, 0x7F  # EVM opcodes; PUSHn carries the n bytes after it
HOLES = (PUSH20, PUSH32)  # an address of a library, a value of an immutable: zeros in the artifact
TAIL = 32  # bytes of a runtime's end that find it in the code that creates it


def filled(name: str, code: bytes) -> set[bytes] | None:
    """The values in a contract's holes; None where `code` is not the runtime code of the artifact `name`."""
    made = artifact(name)
    creation = bytes.fromhex(made.bytecode)
    start = creation.find(code[-TAIL:]) + TAIL - len(code)
    if len(code) != made.runtime_size or start < 0:
        return None
    template = creation[start : start + len(code)]
    values, at = set(), 0
    while at < len(code):
        operation = template[at]
        size = operation - PUSH1 + 1 if PUSH1 <= operation <= PUSH32 else 0
        ours, theirs = (text[at + 1 : at + 1 + size] for text in (template, code))
        if operation != code[at]:
            return None
        if ours != theirs:
            if operation not in HOLES or any(ours):
                return None
            values.add(theirs[-20:])
        at += 1 + size
    return values


def check_genuine(chain: Chain, federation: Address, vault: Address) -> Address:
    """The address of the federation's library. WrongChain unless federation, vault and library are our contracts, and
    each names the others."""
    inside = _filled(chain, "Federation", federation)
    others = [value for value in inside if value != _bytes(vault)]
    library = address("0x" + others[0].hex()) if len(others) == 1 else None
    if library is None or _bytes(vault) not in inside:
        raise _strange("Federation", federation, "it names another vault or library")
    if _filled(chain, "Vault", vault) - {_bytes(federation)}:
        raise _strange("Vault", vault, "it serves another federation")
    if _filled(chain, "Terms", library) - {_bytes(library)}:
        raise _strange("Terms", library, "it names another address than its own")
    return library


def is_ours(chain: Chain, name: str, at: Address) -> bool:
    """Whether a contract that may be anybody's is one of ours."""
    return filled(name, chain.code(at)) is not None


def _filled(chain: Chain, name: str, at: Address) -> set[bytes]:
    found = filled(name, chain.code(at))
    if found is None:
        raise _strange(name, at, "its code differs from what this version compiles to")
    return found


def _bytes(of: Address) -> bytes:
    return bytes.fromhex(of[2:])


def _strange(name: str, at: Address, cause: str) -> WrongChain:
    return WrongChain(
        f"{at} is not our {name}",
        cause=cause,
        next_step="do not send it tokens; ask whoever deployed it which version it is, and run that one",
    )
