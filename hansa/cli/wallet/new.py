"""`hansa wallet new`: makes a key."""

from __future__ import annotations

from hansa.cli.command import Command
from hansa.cli.key_options import Light, PasswordFile
from hansa.cli.wallet.new_key import KeyName, free_path, keep_key
from hansa.runtime.accounts import new_password


def run(command: Command, name: KeyName, password_file: PasswordFile = None, light: Light = False) -> None:
    """Make a key and keep it in DIR/keys/NAME.json, readable by you alone."""
    path = free_path(command.workspace, name)
    command.workspace.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    view = keep_key(path, new_password(path, password_file), light=light)
    command.answer(view, lambda console: console.print(f"{view}. Back it up: nobody else has it."))
