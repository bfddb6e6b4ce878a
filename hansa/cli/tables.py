"""Tables that fit a terminal: what matters least is shortened or left out, nothing is cut off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from rich.console import Console, JustifyMethod
from rich.table import Table

from hansa.protocol.text import escape_untrusted
from hansa.protocol.types import Address

Form = TypeVar("Form")

UNLIMITED = 10_000  # columns
LONGEST_NAME = 40  # characters


def fitting(console: Console, make: Callable[[Form], Table], *forms: Form) -> tuple[Table, Form]:
    """The table of the first form that is no wider than the screen, else of the last; and that form."""
    for form in forms:
        table = make(form)
        if console.measure(table, options=console.options.update_width(UNLIMITED)).maximum <= console.width:
            break
    return table, form


def shortened(name: str, short: bool) -> str:
    """An address or a CID, without its middle where `short`."""
    return f"{name[:8]}…{name[-6:]}" if short and len(name) > 40 and " " not in name else name


def named(account: Address, names: Mapping[Address, str], short: bool = False) -> str:
    """An account, after the name that this directory has for it."""
    name = escape_untrusted(names[account], LONGEST_NAME) if account in names else ""
    return f"{name} {shortened(account, short)}".strip()


def naming(text: str, names: Mapping[Address, str]) -> str:
    """A sentence with its accounts after the names that this directory has for them."""
    for account in names:
        text = text.replace(account, named(account, names))
    return text


def wrapping_table(*headings: str) -> Table:
    """On a narrow screen the wide columns of a job go on in the next line; none is left out."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    wide = {"model or failure", "trainer", "validator", "reward a round"}
    left = wide - {"reward a round"} | {"phase", "ended"}
    for heading in headings:
        justify: JustifyMethod = "left" if heading in left else "right"
        table.add_column(heading, justify=justify, no_wrap=heading not in wide, overflow="fold")
    return table
