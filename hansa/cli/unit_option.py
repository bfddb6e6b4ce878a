"""`--unit`: what amounts of a token are shown in, where no chain can be asked."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import typer

from hansa.protocol.errors import FatalError
from hansa.protocol.text import escape_untrusted, is_digits
from hansa.protocol.types import Address
from hansa.runtime.amounts import Token
from hansa.runtime.session import LONGEST_SYMBOL

MOST_DECIMALS = 77  # digits of 2^256, but one

UnitOption = Annotated[
    str | None,
    typer.Option("--unit", help="What to show amounts in; an archive does not know.", metavar="SYMBOL:DECIMALS"),
]


class Unit(NamedTuple):
    symbol: str
    decimals: int


def read_unit(given: str | None) -> Unit | None:
    """What `--unit` says; FatalError for what is no unit."""
    if given is None:
        return None
    symbol, _, decimals = given.rpartition(":")
    if not symbol.strip() or not is_digits(decimals, 2) or int(decimals) > MOST_DECIMALS:
        raise FatalError(f"--unit {given[:100]} is no unit", next_step="write it like HANSA:18")
    return Unit(escape_untrusted(symbol.strip(), LONGEST_SYMBOL), int(decimals))


def token_in(unit: Unit | None, address: Address) -> Token:
    """The token in this unit; in its smallest where there is none."""
    return Token.in_units(address) if unit is None else Token(address, *unit)
