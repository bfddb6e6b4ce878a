"""`--unit`: what amounts of a token are shown in, where no chain can be asked."""

from __future__ import annotations

from typing import Annotated

import typer

from hansa.protocol.errors import FatalError
from hansa.protocol.text import escape_untrusted
from hansa.protocol.types import Address
from hansa.runtime.amounts import Token
from hansa.runtime.session import LONGEST_SYMBOL

MOST_DECIMALS = 77  # digits of 2^256, but one

UnitOption = Annotated[
    str | None,
    typer.Option("--unit", help="What to show amounts in; an archive does not know.", metavar="SYMBOL:DECIMALS"),
]


def token_in(unit: str | None, address: Address) -> Token:
    """The token as `--unit` has it; in its smallest units where nothing is said. FatalError for what is no unit."""
    if unit is None:
        return Token.in_units(address)
    symbol, _, decimals = unit.rpartition(":")
    if not symbol.strip() or not (decimals.isascii() and decimals.isdigit()) or int(decimals) > MOST_DECIMALS:
        raise FatalError(f"--unit {unit} is no unit", next_step="write it like HANSA:18")
    return Token(address, escape_untrusted(symbol.strip(), LONGEST_SYMBOL), int(decimals))
