"""One thing that `hansa doctor` looks at, and what it finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec

from hansa.protocol.errors import HansaError

GOOD, WARNING, BAD = "ok", "warning", "wrong"

P = ParamSpec("P")
Result = tuple[str, str]  # state, text


@dataclass(frozen=True)
class Check:
    what: str
    state: str
    text: str  # where it isn't ok, with what to do


def check(what: str, look: Callable[P, Result], *given: P.args, **named: P.kwargs) -> Check:
    """What `look` finds; an error of ours is something wrong."""
    try:
        return Check(what, *look(*given, **named))
    except ImportError as error:
        return Check(what, BAD, f"{error.name or error} can't be imported; run `make setup`")
    except HansaError as error:
        return Check(what, BAD, str(error))
