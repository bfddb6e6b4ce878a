"""The kinds of local chain and store that `hansa up` and `hansa demo` start, by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from hansa.devnet.anvil import Anvil, start_anvil
from hansa.devnet.chains.cosmos import start_validators
from hansa.devnet.chains.ganache import start_ganache
from hansa.devnet.chains.geth import start_miner, start_sealers
from hansa.devnet.chains.node import FOLDER
from hansa.protocol.errors import FatalError

ANVIL = "anvil"
STORES = ("local", "kubo")


class Starter(Protocol):
    """Starts a network in a folder, or goes on with the one that is there. idle: no block without a transaction, where
    that is possible."""

    def __call__(self, directory: Path, *, accounts: int, port: int | None, orphan: bool, idle: bool) -> Anvil: ...


NETWORKS: Mapping[str, Starter] = {
    "ganache": start_ganache,
    "geth-poa": start_sealers,
    "geth-pow": start_miner,
    "cosmos-pos": start_validators,
}
KINDS = (ANVIL, *NETWORKS)


def check_kind(chain: str, store: str) -> None:
    """FatalError for a kind of chain or store that is none."""
    if chain not in KINDS:
        raise FatalError(f"--chain {chain!r} is no kind of chain", next_step=f"use one of {', '.join(KINDS)}")
    if store not in STORES:
        raise FatalError(f"--store {store!r} is no store", next_step="use local or kubo")


def start_chain(
    kind: str,
    directory: Path,
    *,
    accounts: int,
    port: int | None = None,
    orphan: bool = False,
    idle: bool = False,
    state: Path | None = None,
    gas_limit: int | None = None,
) -> Anvil:
    """A chain with `accounts` funded, published accounts. state, gas_limit: of an anvil that goes on; other kinds keep
    what they need in the directory."""
    if kind != ANVIL:
        return NETWORKS[kind](directory, accounts=accounts, port=port, orphan=orphan, idle=idle)
    return start_anvil(
        directory / "anvil.log",
        accounts=accounts,
        port=port,
        orphan=orphan,
        idle=idle,
        state=state,
        gas_limit=gas_limit,
    )


def state_of(kind: str, saved: str) -> str:
    """What of a directory a chain goes on from: the file that anvil is saved to, or the nodes' own folder."""
    return saved if kind == ANVIL else FOLDER
