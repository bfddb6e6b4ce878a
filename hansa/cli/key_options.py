"""Options of commands that open a key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from hansa.cli.command import in_panel
from hansa.runtime.transactions.gas_price import GWEI, FeeCaps

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


@dataclass(frozen=True)
class FeeOptions:
    """The most that is offered, in gwei for a unit of gas."""

    max_fee: Annotated[
        float | None,
        KEY("--max-fee-gwei", help="The most for a unit of gas, tip included; by default 4 times the usual.", min=0),
    ] = None
    max_tip: Annotated[
        float | None, KEY("--max-tip-gwei", help="The most of it as a tip; by default 3 times the usual.", min=0)
    ] = None

    @property
    def caps(self) -> FeeCaps:
        fee, tip = (None if most is None else round(most * GWEI) for most in (self.max_fee, self.max_tip))
        return FeeCaps(fee, tip)
