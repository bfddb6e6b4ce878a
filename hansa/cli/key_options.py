"""Options of commands that open a key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Account = Annotated[
    str | None,
    typer.Option(
        "--account",
        envvar="HANSA_ACCOUNT",
        help="A keystore: its name in DIR/keys, its path, or its address. Not needed where there is only one.",
        metavar="NAME",
    ),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file", help="Its password; else HANSA_PASSWORD, else it is asked for.", metavar="FILE", exists=False
    ),
]
Light = Annotated[bool, typer.Option("--light", help="A quick, weak derivation of the key: for tests only.")]
