"""Whose key signs: finds a keystore by name, path or address, and its password without echoing it."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from eth_account.signers.local import LocalAccount

from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address
from hansa.runtime.chain.deployment import checksummed
from hansa.runtime.keystore import Keyfile
from hansa.runtime.workspace import Workspace

PASSWORD_FILE = "password"  # beside keystores of published test accounts only


def load_account(workspace: Workspace, name: str | None, password_file: Path | None = None) -> LocalAccount:
    """Opens the keystore that `name` means; FatalError when there is none, BadKey when the password is wrong."""
    path = find_keystore(workspace, name)
    return Keyfile.load(path, password_for(path, password_file))


def find_keystore(workspace: Workspace, name: str | None) -> Path:
    """The keystore's path. Without a name: the only one of the directory."""
    stores = dict(keystores(workspace.keys))
    if name is None:
        if len(stores) == 1:
            return next(iter(stores))
        raise FatalError(
            f"{workspace.keys} holds {len(stores) or 'no'} keystores",
            next_step=f"name one of {', '.join(p.stem for p in stores)}"
            if stores
            else "make one with `hansa wallet new`",
        )
    if (direct := Path(name)).is_file():
        return direct
    for path, address in stores.items():
        if path.stem == name or address.lower() == name.lower():
            return path
    if (named := workspace.keys / f"{name}.json").is_file():
        return named  # opening it says what is wrong with it
    raise FatalError(
        f"no keystore is called {name}",
        cause=f"{workspace.keys} holds {', '.join(p.stem for p in stores) or 'none'}",
        next_step="make one with `hansa wallet new`",
    )


def keystores(directory: Path) -> Iterator[tuple[Path, str]]:
    """Every keystore of a directory with its address, by name; other files are passed over."""
    for path in sorted(directory.glob("*.json")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            yield path, "0x" + json.loads(path.read_text())["address"].removeprefix("0x")


def address_of(workspace: Workspace, who: str | None) -> Address:
    """An address itself, or that of a keystore, without its password. FatalError when it is neither."""
    if who is not None and who.startswith("0x") and not Path(who).is_file():
        try:
            return checksummed(who)
        except ValueError as error:
            raise FatalError(f"{who} is not an address", cause=error) from error
    return Keyfile.address(find_keystore(workspace, who))


def password_for(path: Path, password_file: Path | None) -> str:
    """From the file, HANSA_PASSWORD, the published password beside test keystores, or the terminal."""
    if (given := _find_given(password_file)) is not None:
        return given
    if (beside := path.parent / PASSWORD_FILE).is_file():
        return _read(beside)
    return ask_password(path)


def new_password(path: Path, password_file: Path | None) -> str:
    """For a keystore that is about to be made: from the file, HANSA_PASSWORD, or the terminal, asked for twice."""
    given = _find_given(password_file)
    return ask_password(path, confirm=True) if given is None else given


def ask_password(path: Path, *, confirm: bool = False) -> str:
    """Asks on the terminal; FatalError where there is none to ask on."""
    if not sys.stdin.isatty():
        raise FatalError(
            f"the password of {path} is not given", next_step="set HANSA_PASSWORD or name a file with --password-file"
        )
    password = getpass.getpass(f"Password of {path.name}: ")
    if confirm and getpass.getpass("The same again: ") != password:
        raise FatalError("the two passwords differ", next_step="try again")
    return password


def _find_given(password_file: Path | None) -> str | None:
    return os.environ.get("HANSA_PASSWORD") if password_file is None else _read(password_file)


def _read(file: Path) -> str:
    try:
        return file.read_text().rstrip("\r\n")
    except OSError as error:
        raise FatalError(f"password file {file} can't be read", cause=error.strerror) from error
