"""Options of commands that open a key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AccountName = Annotated[
    str | None,
    typer.Option(
        "--account",
        envvar="HANSA_ACCOUNT",
        help="A keystore: its name in DIR/keys, its path, or its address. Not needed where there is only one.",
        metavar="NAME",
        rich_help_panel="Key",
    ),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        help="Its password; else HANSA_PASSWORD, else it is asked for.",
        metavar="FILE",
        exists=False,
        rich_help_panel="Key",
    ),
]
Light = Annotated[
    bool, typer.Option("--light", help="A quick, weak derivation of the key: for tests only.", rich_help_panel="Key")
]
