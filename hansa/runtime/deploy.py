"""Putting the contracts on a chain from their committed bytecode: no compiler is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_utils.address import to_checksum_address

from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.calls import Call
from hansa.runtime.chain.deployment import Allowed, Deployment
from hansa.runtime.chain.federation import vault_of
from hansa.runtime.chain.rpc import octets
from hansa.runtime.deploy_progress import DeployProgress
from hansa.runtime.session import read_token
from hansa.runtime.transactions.signer import Signer

SUPPLY = 10**9 * 10**18  # of a new test token, to whoever deploys
KUBO_API = "/ip4/127.0.0.1/tcp/5001"


def creation_call(name: str, *arguments: Any, libraries: Mapping[str, Address] | None = None) -> Call:
    """The transaction that creates a contract, its libraries' addresses filled in."""
    found = artifact(name)
    code = bytearray(bytes.fromhex(found.bytecode))
    for library, places in found.links.items():
        linked = bytes.fromhex((libraries or {})[library][2:])
        for place in places:
            code[place : place + 20] = linked
    return Call(None, bytes(code) + encode([field.type for field in found.constructor], arguments), f"deploy {name}")


def create(
    signer: Signer,
    name: str,
    *arguments: Any,
    libraries: Mapping[str, Address] | None = None,
    once: str | None = None,
) -> Address:
    """Deploys a contract and returns its address. once: as in `Signer.do`."""
    receipt = signer.do(creation_call(name, *arguments, libraries=libraries), once=once)
    address = receipt.get("contractAddress")
    if not address:
        raise FatalError(f"{name} was not deployed", cause="the receipt names no contract")
    return Address(to_checksum_address(octets(address, "a receipt's contractAddress", 20)))


def deploy_contracts(
    signer: Signer,
    draft: Deployment,
    token: Address | None = None,
    *,
    progress: Path | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Deployment:
    """Deploys terms, federation (with its vault), open admission, registry, credentials; without `token` a test token.

    progress: a file that keeps each address as it comes, so that what stopped half-way goes on where it was.
    """
    steps = DeployProgress.begin(progress, signer)

    def step(contract: str, *arguments: Any, libraries: Mapping[str, Address] | None = None) -> Address:
        return steps.address(
            contract, lambda once: create(signer, contract, *arguments, libraries=libraries, once=once)
        )

    if token is not None:
        say(f"using token {read_token(signer.chain, token).symbol} at {token}")
    say("deploying the federation and its vault …")
    federation = step("Federation", libraries={"Terms": step("Terms")})
    admission = step("OpenAdmission")
    if token is None:
        say("deploying a test token …")
        token = step("RewardToken", SUPPLY)
    say("deploying the DID registry and the credentials …")
    registry, credentials = step("DidRegistry"), step("Credentials")
    return draft.updated(
        chain_id=signer.chain.chain_id,
        federation=federation,
        vault=vault_of(signer.chain, federation),
        token=token,
        admission=admission,
        registry=registry,
        credentials=credentials,
        first_block=steps.first_block,
        allowed=Allowed(tokens=[token], admissions=[admission]),
    )


def trusting(
    deployment: Deployment, committee: Address, tasks: Sequence[str] = (), admission: Address | None = None
) -> Deployment:
    """The deployment with a committee, tasks by file or module, and an admission, on its allow-list."""
    known = deployment.allowed
    more: dict[str, list[Any]] = {"committees": [*known.committees, committee], "tasks": [*known.tasks, *tasks]}
    if admission is not None and admission not in known.admissions:
        more["admissions"] = [*known.admissions, admission]
    return deployment.model_copy(update={"allowed": known.model_copy(update=more)})


def store_settings(store: str, directory: Path, auth: str | None = None) -> dict[str, str]:
    """`local` keeps files in a folder of the directory, which it makes; anything else is a Kubo node's API address.

    auth: what that node asks for, as ${NAME}.
    """
    if auth is not None:
        return {**store_settings(store, directory), "auth": auth}
    if store == "local":
        folder = (directory / "store").resolve()
        folder.mkdir(parents=True, exist_ok=True)
        return {"kind": "local", "path": str(folder)}
    if store == "kubo":
        return {"kind": "kubo", "api": KUBO_API}
    if store.startswith("/"):
        return {"kind": "kubo", "api": store}
    raise FatalError(f"--store {store!r} is no store", next_step="use local, kubo, or a Kubo API like /ip4/…/tcp/5001")
