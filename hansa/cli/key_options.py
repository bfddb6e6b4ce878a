"""Options of commands that open a key."""

from __future__ import annotations

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
MaxFee = Annotated[
    float | None,
    KEY(
        "--max-fee-gwei", help="The most for a unit of gas, tip included; else what recent blocks paid, times 4.", min=0
    ),
]
MaxTip = Annotated[
    float | None, KEY("--max-tip-gwei", help="The most of it as a tip; else what recent blocks paid, times 3.", min=0)
]
Light = Annotated[bool, KEY("--light", help="A quick, weak derivation of the key: for tests only.")]


def fee_caps(max_fee: float | None, max_tip: float | None) -> FeeCaps:
    """From gwei for a unit of gas."""
    fee, tip = (None if most is None else round(most * GWEI) for most in (max_fee, max_tip))
    return FeeCaps(fee, tip)
