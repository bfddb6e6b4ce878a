"""Pure functions that work nothing out twice, whatever their arguments are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def memoised(function: Callable[..., Any]) -> Callable[..., Any]:
    """Answers by the arguments' values; what raises is not remembered."""
    known: dict[Any, Any] = {}

    def answer(*given: Any) -> Any:
        key = tuple(map(frozen, given))
        if key not in known:
            known[key] = function(*given)
        return known[key]

    return answer


def frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple((name, frozen(item)) for name, item in value.items())
    return tuple(map(frozen, value)) if isinstance(value, list | tuple) else value
