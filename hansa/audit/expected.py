"""Words of the contracts that several parts of the audit use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

Values = Mapping[str, Any]
BASIS_POINTS = 10_000
NO_METRIC_YET = -(2**63)
LOW_160 = 2**160 - 1


class Expected(NamedTuple):
    """The event that must come next, in the same transaction."""

    contract: str
    name: str
    values: dict[str, Any]


def expect_vault(name: str, **values: Any) -> Expected:
    return Expected("Vault", name, values)
