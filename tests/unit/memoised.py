"""Pure functions that work nothing out twice, whatever their arguments are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hansa.audit import bound, replay, signatures
from hansa.audit.proof import trie
from hansa.runtime.chain import abi

PURE: list[tuple[Any, str]] = [
    (trie, "keccak"),
    (bound, "runtime_code"),
    (signatures, "read_transaction"),
    (abi, "decode_exactly"),
    (replay, "_data_of"),
]
"""What an audit works out of bytes alone."""


def remember(patch: pytest.MonkeyPatch) -> None:
    """What depends on bytes alone is worked out once for the same bytes: a changed byte reaches the real function, all
    that did not change costs nothing. Everything else of each audit is done anew."""
    for module, name in PURE:
        patch.setattr(module, name, memoised(getattr(module, name)))


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
