"""Models that have the same file are told by what they hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hansa.audit.models import is_same
from hansa.protocol.model import Model
from hansa.protocol.types import Digest

MODEL = Model(
    {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones((), np.float32)},
    1,
    2,
    Digest(bytes(32)),
    8,
    (8, 9),
)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"round": 3}, False),
        ({"job": 2}, False),
        ({"parent": bytes(31) + b"\1"}, False),
        ({"bits": 16}, False),
        ({"k": (8, 8)}, False),
        ({"tensors": {"a": MODEL.tensors["a"].reshape(3, 2), "b": MODEL.tensors["b"]}}, False),
        ({"tensors": {"a": MODEL.tensors["a"].copy(), "b": np.ones((), np.float32)}}, True),
        ({"tensors": {"a": MODEL.tensors["a"], "b": np.nextafter(np.ones((), np.float32), np.float32(2))}}, False),
    ],
)
def test_same__as_their_files(change: dict[str, Any], same: bool) -> None:
    other = replace(MODEL, **change)
    assert is_same(MODEL, other) is same
    assert (MODEL.encode() == other.encode()) is same
