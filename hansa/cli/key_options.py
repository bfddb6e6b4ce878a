"""Options of commands that open a key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from hansa.cli.command import in_panel

KEY = in_panel("Key")

AccountName = Annotated[
    str | None,
    KEY(
        "--account",
        envvar="HANSA_ACCOUNT",
        help="A keystore: its name in DIR/keys, its path, or its address. Not needed where there is only one.",
        metavar="NAME",
    ),
]
PasswordFile = Annotated[
    Path | None,
    KEY(
        "--password-file", help="Its password; else HANSA_PASSWORD, else it is asked for.", metavar="FILE", exists=False
    ),
]
Light = Annotated[bool, KEY("--light", help="A quick, weak derivation of the key: for tests only.")]
