"""A dataclass as JSON: what the types of its fields say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hansa.cli.document import HIDDEN, INLINE, OMIT_NONE, Amount, Metric, to_json
from hansa.protocol.sheet import NO_METRIC


@dataclass(frozen=True)
class Inner:
    amount: Amount
    from_: int


@dataclass(frozen=True)
class Outer:
    first: Annotated[Inner | None, INLINE]
    amounts: list[Amount]
    by_name: dict[str, Amount | None]
    rows: tuple[Inner, ...]
    metrics: list[Metric]
    unknown: Amount | None
    seat: Annotated[Inner | None, OMIT_NONE]
    secret: Annotated[str, HIDDEN] = "not said"
    plain: int = 10**18


def test_to_json__follows_the_types() -> None:
    made = Outer(
        Inner(7, 1), [10**30, 2], {"a": 3, "b": None}, (Inner(4, 2),), [812_500_000, NO_METRIC], None, Inner(0, 0)
    )
    assert to_json(made) == {
        "amount": "7",
        "from": 1,
        "amounts": [str(10**30), "2"],
        "by_name": {"a": "3", "b": None},
        "rows": [{"amount": "4", "from": 2}],
        "metrics": [0.8125, None],
        "unknown": None,
        "seat": {"amount": "0", "from": 0},
        "plain": 10**18,
    }


def test_to_json__leaves_out_what_is_none_where_it_is_told_to() -> None:
    made = to_json(Outer(None, [], {}, (), [], 1, None))
    assert list(made) == ["amounts", "by_name", "rows", "metrics", "unknown", "plain"]
