"""Bonds in events against what the vault holds: weights follow from them, and no accumulator binds them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from protocol.chain.history import can_be_held
from protocol.types import Phase


@pytest.mark.parametrize(
    ("held", "finalised", "phase", "fits"),
    [
        (100, 0, Phase.SUBMIT, True),
        (99, 0, Phase.SUBMIT, False),
        (101, 3, Phase.SUBMIT, False),
        (70, 0, Phase.SUBMIT, False),
        (70, 1, Phase.SUBMIT, True),
        (40, 1, Phase.SUBMIT, False),
        (40, 2, Phase.SUBMIT, True),
        (41, 2, Phase.SUBMIT, False),
        (0, 3, Phase.SUBMIT, False),
        (0, 4, Phase.SUBMIT, True),
        (0, 0, Phase.CANCELLED, True),
        (0, 1, Phase.COMPLETED, True),
        (99, 1, Phase.COMPLETED, False),
    ],
)
def test_bond__of_100_with_penalties_of_30(held: int, finalised: int, phase: Phase, fits: bool) -> None:
    state = cast(Any, SimpleNamespace(round=finalised + 1, phase=phase))
    assert can_be_held(held, 100, 30, state) is fits


def test_bond__without_penalties__is_all_there() -> None:
    state = cast(Any, SimpleNamespace(round=5, phase=Phase.SUBMIT))
    assert can_be_held(100, 100, 0, state) and not can_be_held(99, 100, 0, state)
