"""Tables that fit a terminal: what matters least is shortened or left out, nothing is cut off."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Form = TypeVar("Form")

UNLIMITED = 10_000  # columns


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
