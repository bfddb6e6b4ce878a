"""`hansa wallet new`: makes a key. How one is kept, `hansa wallet import` shares."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hansa.cli.command import Command
from hansa.cli.key_options import Light, PasswordFile
from hansa.devnet.anvil import LOCAL_CHAINS
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address
from hansa.runtime.accounts import new_password
from hansa.runtime.files import private_folder
from hansa.runtime.keystore import Keyfile
from hansa.runtime.workspace import Workspace

KeyName = Annotated[str, typer.Argument(help="What to call the keystore.")]


@dataclass(frozen=True)
class KeyView:
    name: str
    address: Address
    path: str

    def __str__(self) -> str:
        return f"{self.name}: {self.address}, in {self.path}"


def run(command: Command, name: KeyName, password_file: PasswordFile = None, light: Light = False) -> None:
    """Make a key and keep it in DIR/keys/NAME.json, readable by you alone."""
    path = free_path(command.workspace, name)
    private_folder(path.parent)  # before a password is asked for
    view = keep_key(path, new_password(path, password_file), light=light)
    command.answer(view, lambda console: show(console, view, is_local(command.workspace), command.dir_option))


def is_local(workspace: Workspace) -> bool:
    """Whether the directory's deployment is on a local test chain."""
    try:
        return workspace.deployment().chain_id in LOCAL_CHAINS
    except FatalError:
        return False  # none, or none that can be read


def show(console: Console, view: KeyView, local: bool, where: str) -> None:
    """The new account, and how it comes to coins. where: --dir as a suggested command needs it."""
    console.print(f"{view}. Back it up: nobody else has it.")
    if local:
        console.print(f"`hansa wallet fund {view.name}{where}` gives it test coins for gas and tokens for bonds.")
    else:
        console.print("To send anything it needs some of the chain's coin, and tokens for bonds or an escrow.")


def free_path(workspace: Workspace, name: str) -> Path:
    """Where a new keystore of this name goes; FatalError for a name that can't be, or is taken."""
    if not name.replace("-", "").replace("_", "").isalnum():
        raise FatalError(f"{name!r} can't name a keystore", next_step="use letters, digits, - and _")
    path = workspace.keys / f"{name}.json"
    if path.exists():
        raise FatalError(f"{path} exists", next_step="choose another name; a lost key can't be made again")
    return path


def keep_key(path: Path, password: str, key: bytes | None = None, *, light: bool) -> KeyView:
    """Writes a keystore for its owner alone; without a key, a new one is made."""
    account = Keyfile.create(path, password, key, light=light)
    return KeyView(path.stem, Address(account.address), str(path))
