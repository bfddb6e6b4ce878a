"""`hansa wallet import`: keeps a key that was made elsewhere."""

from __future__ import annotations

import getpass
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from hansa.cli.command import Command
from hansa.cli.key_options import Light, PasswordFile
from hansa.cli.wallet.new import KeyName, free_path, keep_key
from hansa.protocol.errors import FatalError
from hansa.runtime.accounts import new_password, password_for
from hansa.runtime.keystore import Keyfile

HEX_KEY = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # of secp256k1


def run(
    command: Command,
    name: KeyName,
    file: Annotated[
        Path | None, typer.Option("--file", help="Another keystore; else a raw key is asked for, or read from a pipe.")
    ] = None,
    password_file: PasswordFile = None,
    light: Light = False,
) -> None:
    """Keep a key that exists already in DIR/keys/NAME.json. A keystore keeps its password."""
    path = free_path(command.workspace, name)
    if file is not None:
        password = password_for(file, password_file)
        key = bytes(Keyfile.load(file, password).key)
    else:
        key = read_key()
        password = new_password(path, password_file)
    view = keep_key(path, password, key, light=light)
    command.answer(view, lambda console: console.print(str(view)))


def read_key() -> bytes:
    """A raw key from a prompt without echo, or the first line of a pipe. What was read is never shown."""
    text = getpass.getpass("Private key (hex): ") if sys.stdin.isatty() else sys.stdin.readline()
    found = HEX_KEY.fullmatch(text.strip())
    if found is None or not 0 < int(found[1], 16) < ORDER:
        raise FatalError(
            "what was given is not a private key", next_step="give 64 hexadecimal digits, with or without 0x"
        )
    return bytes.fromhex(found[1])
