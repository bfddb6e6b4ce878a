"""Bonds in events against what the vault holds: weights follow from them, and no accumulator binds them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from hansa.protocol.types import Phase
from hansa.runtime.chain.structs import JobState
from hansa.runtime.history.reader import can_be_held


def in_round(round_: int, phase: Phase = Phase.SUBMIT) -> JobState:
    return cast(JobState, SimpleNamespace(round=round_, phase=phase))


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
    assert can_be_held(held, 100, 30, in_round(finalised + 1, phase)) is fits


def test_bond__without_penalties__is_all_there() -> None:
    assert can_be_held(100, 100, 0, in_round(5)) and not can_be_held(99, 100, 0, in_round(5))
