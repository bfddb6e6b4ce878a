"""Whose key signs: finds a keystore by name, path or address, and its password without echoing it."""

from __future__ import annotations

import contextlib
import getpass
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from eth_account.signers.local import LocalAccount

from hansa.protocol.errors import BadKey, FatalError, WrongPassword
from hansa.protocol.types import Address
from hansa.runtime.chain.deployment import checksummed
from hansa.runtime.keystore import Keyfile, read_keystore
from hansa.runtime.workspace import Workspace

UNTOLD = "address known only after opening"
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
        if path.stem == name or address == name.lower():
            return path
    if (named := workspace.keys / f"{name}.json").is_file():
        return named  # opening it says what is wrong with it
    raise FatalError(
        f"no keystore is called {name}",
        cause=f"{workspace.keys} holds {', '.join(map(_described, stores, stores.values())) or 'none'}",
        next_step="make one with `hansa wallet new`",
    )


def keystores(directory: Path) -> Iterator[tuple[Path, str | None]]:
    """Every keystore of a directory with its address (0x, lower case), by name; None where the file says none. Other
    files are passed over."""
    for path in sorted(directory.glob("*.json")):
        with contextlib.suppress(OSError, ValueError, RecursionError):
            yield path, read_keystore(path)[1]


def names_of_accounts(directory: Path) -> dict[Address, str]:
    """What a directory of keystores calls the accounts whose addresses they say."""
    found: dict[Address, str] = {}
    for path, address in keystores(directory):
        if address is not None:
            found[checksummed(address)] = path.stem
    return found


def _described(path: Path, address: str | None) -> str:
    return path.stem if address is not None else f"{path.stem} ({UNTOLD})"


def address_of(workspace: Workspace, who: str | None) -> Address:
    """An address itself, or that of a keystore, without its password. FatalError when it is neither."""
    if who is not None and who.startswith("0x") and not Path(who).is_file():
        try:
            return checksummed(who)
        except ValueError as error:
            raise FatalError(f"{who} is not an address", cause=error) from error
    path = find_keystore(workspace, who)
    address = Keyfile.address(path)
    if address is None:
        raise BadKey(f"{path} does not say its address", cause=UNTOLD, next_step="name the address itself")
    return address


def password_for(path: Path, password_file: Path | None) -> str:
    """From the file, HANSA_PASSWORD, the published password beside test keystores where it opens this one, or the
    terminal."""
    if (given := _find_given(password_file)) is not None:
        return given
    if (beside := path.parent / PASSWORD_FILE).is_file() and _opens(word := _read(beside), path):
        return word
    return ask_password(path)


def _opens(password: str, path: Path) -> bool:
    """Whether it is a keystore's password; what else is wrong with the file, opening it says."""
    try:
        Keyfile.load(path, password)
    except WrongPassword:
        return False
    except BadKey:
        pass
    return True


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
    password = _required(getpass.getpass(f"Password of {path.name}: "), "the password")
    if confirm and getpass.getpass("The same again: ") != password:
        raise FatalError("the two passwords differ", next_step="try again")
    return password


def _find_given(password_file: Path | None) -> str | None:
    if password_file is not None:
        return _read(password_file)
    given = os.environ.get("HANSA_PASSWORD")
    return None if given is None else _required(given, "HANSA_PASSWORD")


def _read(file: Path) -> str:
    try:
        text = file.read_text()
    except OSError as error:
        raise FatalError(f"password file {file} can't be read", cause=error.strerror) from error
    except UnicodeDecodeError as error:
        raise FatalError(f"password file {file} can't be read", cause="it is not text") from error
    return _required(text.rstrip("\r\n"), f"password file {file}")


def _required(password: str, what: str) -> str:
    """FatalError for a password that would protect nothing."""
    if not password.strip():
        raise FatalError(f"{what} is empty", next_step="give a password that is not")
    return password
