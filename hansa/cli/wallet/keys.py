"""`hansa wallet import` and `list`: keys that were made elsewhere, and those that are here."""

from __future__ import annotations

import getpass
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hansa.cli.command import Here
from hansa.cli.key_options import Light, PasswordFile
from hansa.protocol.errors import FatalError, HansaError
from hansa.runtime.accounts import UNTOLD, keystores, new_password, password_for

if TYPE_CHECKING:
    from rich.console import Console

    from hansa.runtime.session import Session

HEX_KEY = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # of secp256k1


def import_key(
    here: Here,
    name: Annotated[str, typer.Argument(help="What to call the keystore.")],
    file: Annotated[
        Path | None, typer.Option("--file", help="Another keystore; else a raw key is asked for, or read from a pipe.")
    ] = None,
    password_file: PasswordFile = None,
    light: Light = False,
) -> None:
    """Keep a key that exists already in DIR/keys/NAME.json. A keystore keeps its password."""
    from hansa.runtime.keystore import Keyfile

    path = free_path(here, name)
    if file is not None:
        password = password_for(file, password_file)
        key = bytes(Keyfile.load(file, password).key)
    else:
        key = read_key()
        password = new_password(path, password_file)
    here.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    account = Keyfile.create(path, password, key, light=light)
    data = {"name": name, "address": account.address, "path": str(path)}
    here.answer(data, lambda console: console.print(f"{name}: {account.address}, in {path}"))


def list_keys(here: Here) -> None:
    """Every keystore of DIR/keys, with its balances where a chain answers."""
    from eth_utils.address import to_checksum_address

    wire, problem = _reachable(here)
    rows: list[dict[str, Any]] = []
    for path, address in keystores(here.keys):
        row: dict[str, Any] = {"name": path.stem, "address": address and to_checksum_address(address)}
        rows.append(row | (_balances(wire, row["address"]) if wire is not None and address is not None else {}))
    data = {"accounts": rows, "chain_problem": problem}
    here.answer(data, lambda console: _show(console, here, data, wire))


def free_path(here: Here, name: str) -> Path:
    """Where a new keystore of this name goes; FatalError for a name that can't be, or is taken."""
    if not name.replace("-", "").replace("_", "").isalnum():
        raise FatalError(f"{name!r} can't name a keystore", next_step="use letters, digits, - and _")
    path = here.keys / f"{name}.json"
    if path.exists():
        raise FatalError(f"{path} exists", next_step="choose another name; a lost key can't be made again")
    return path


def read_key() -> bytes:
    """A raw key from a prompt without echo, or the first line of a pipe. What was read is never shown."""
    text = getpass.getpass("Private key (hex): ") if sys.stdin.isatty() else sys.stdin.readline()
    found = HEX_KEY.fullmatch(text.strip())
    if found is None or not 0 < int(found[1], 16) < ORDER:
        raise FatalError(
            "what was given is not a private key", next_step="give 64 hexadecimal digits, with or without 0x"
        )
    return bytes.fromhex(found[1])


def _reachable(here: Here) -> tuple[Session | None, str | None]:
    from hansa.runtime.session import connect

    try:
        wire = connect(here)
        wire.federation.check()
        return wire, None
    except HansaError as error:
        return None, str(error)


def _balances(wire: Session, address: str) -> dict[str, str]:
    from hansa.protocol.types import Address

    token = Address(wire.deployment.token)
    held = wire.federation.token_balance(token, Address(address))
    return {"coins": str(wire.chain.balance(Address(address))), "balance": str(held), "token": token}


def _show(console: Console, here: Here, data: dict[str, Any], wire: Session | None) -> None:
    token = None if wire is None else wire.token()
    width = max((len(row["name"]) for row in data["accounts"]), default=0)
    for row in data["accounts"]:
        held = ""
        if token is not None and "balance" in row:
            held = f"  {token.text(int(row['balance']))}, {int(row['coins']) / 1e18:.4f} of the chain's coin"
        console.print(f"{row['name']:{width}}  {row['address'] or UNTOLD}{held}")
    if not data["accounts"]:
        console.print(f"{here.keys} holds no keystores; `hansa wallet new NAME` makes one")
    elif data["chain_problem"]:
        console.print(f"[dim]no balances: {data['chain_problem']}[/]")
