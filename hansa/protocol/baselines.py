"""What a job's metric is compared with: its spec's baselines, as texts 'NAME=DECIMAL' in the metric's own unit."""

from __future__ import annotations

import re
from collections.abc import Sequence

PLACES = 9  # of a metric's decimals on chain
LONGEST_NAME = 64
_DECIMAL = re.compile(r"(-?)(0|[1-9][0-9]{0,8})(?:\.([0-9]{0,8}[1-9]))?")


def baseline(name: str, metric: int) -> str:
    """The one text of a baseline; metric in units of 1e-9: ('majority', 540000000) → 'majority=0.54'."""
    whole, part = divmod(abs(metric), 10**PLACES)
    digits = f"{part:0{PLACES}d}".rstrip("0")
    return f"{name}={'-' if metric < 0 else ''}{whole}{'.' + digits if digits else ''}"


def parse_baselines(texts: Sequence[str]) -> list[tuple[str, int]]:
    """(name, metric in units of 1e-9) of those that have a number, in order; a plain name has none and is left out.

    Raises ValueError for a number that is not written as `baseline` writes it.
    """
    return [(name, metric) for name, metric in map(_split, texts) if metric is not None]


def check_baselines(texts: Sequence[str]) -> None:
    """Raises ValueError, naming the text, unless all can be read and no numbered name stands twice."""
    names = [name for name, _ in parse_baselines(texts)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"baseline {twice!r} is given twice")


def _split(text: str) -> tuple[str, int | None]:
    name, equals, decimal = text.rpartition("=")
    if not equals:
        return text, None
    if not name or len(name) > LONGEST_NAME or "=" in name or name != name.strip() or not name.isprintable():
        raise ValueError(
            f"baseline {text[:100]!r} needs a printable name of at most {LONGEST_NAME} characters without '='"
        )
    found = _DECIMAL.fullmatch(decimal)
    if found is None or decimal == "-0":
        raise ValueError(
            f"baseline {text[:100]!r} needs a plain decimal number, at most 9 digits on either side of the point"
        )
    sign, whole, part = found.groups(default="")
    return name, int(sign + whole + part.ljust(PLACES, "0"))
