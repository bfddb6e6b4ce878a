"""Whether what is deployed is what the committed artifacts compile to; immutables and libraries are looked at too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hansa.protocol.errors import WrongChain
from hansa.protocol.types import Address
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.structs import address

ADDRESS, WORD = 20, 32  # bytes of a gap: a library's address, an immutable's value


def runtime_code(name: str, values: Mapping[str, bytes]) -> bytes:
    """The code of a contract on chain. values: of its immutables and libraries, by name. KeyError where one is missing.

    A library's own address, which its code holds, is called library_deploy_address."""
    made = artifact(name)
    code = bytearray(bytes.fromhex(made.bytecode)[made.runtime_start :][: made.runtime_size])
    for gap, places, size in _gaps(name):
        for place in places:
            code[place : place + size] = values[gap].rjust(size, b"\0")
    return bytes(code)


def filled(name: str, code: bytes) -> Mapping[str, bytes] | None:
    """The addresses in a contract's gaps, by name; None where `code` is not the runtime code of the artifact `name`."""
    values = {gap: code[places[0] : places[0] + size] for gap, places, size in _gaps(name)}
    if len(code) != artifact(name).runtime_size or runtime_code(name, values) != code:
        return None
    return {gap: value[-ADDRESS:] for gap, value in values.items()}


def check_genuine(chain: Chain, federation: Address, vault: Address) -> Address:
    """The address of the federation's library. WrongChain unless federation, vault and library are our contracts, and
    each names the others."""
    inside = _filled(chain, "Federation", federation)
    library = address("0x" + inside["Terms"].hex())
    if inside["vault"] != _bytes(vault):
        raise _strange("Federation", federation, "it names another vault")
    if _filled(chain, "Vault", vault)["_federation"] != _bytes(federation):
        raise _strange("Vault", vault, "it serves another federation")
    if _filled(chain, "Terms", library)["library_deploy_address"] != _bytes(library):
        raise _strange("Terms", library, "it names another address than its own")
    return library


def require_contract(chain: Chain, at: Address, what: str) -> None:
    """WrongChain where there is no contract."""
    if not chain.code(at):
        raise WrongChain(
            f"there is no {what} at {at} on chain {chain.chain_id}",
            cause="the chain was reset, or deployment.json belongs to another one",
            next_step="use that chain's own deployment.json, or deploy again into a new directory",
        )


def is_ours(chain: Chain, name: str, at: Address) -> bool:
    """Whether a contract that may be anybody's is one of ours."""
    return filled(name, chain.code(at)) is not None


def _gaps(name: str) -> Iterator[tuple[str, Sequence[int], int]]:
    """Each immutable and library: its name, where it stands in the runtime code, and how many bytes it has there."""
    made = artifact(name)
    for immutable, places in made.immutables.items():
        yield immutable, places, WORD
    for library, places in made.links.items():
        yield library, [place - made.runtime_start for place in places if place >= made.runtime_start], ADDRESS


def _filled(chain: Chain, name: str, at: Address) -> Mapping[str, bytes]:
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
