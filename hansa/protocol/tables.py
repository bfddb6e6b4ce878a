"""tables.json, read once: what Python, the page and the contracts say alike of phases, verdicts, rules and limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, TypeVar

TABLES: Final[Mapping[str, Any]] = json.loads(Path(__file__).with_name("tables.json").read_text(encoding="utf-8"))

T = TypeVar("T")


@dataclass(frozen=True)
class Verdict:
    """A verdict code. sentence: what it says of an update. left_out: the same of one that is not used. strike:
    whether it costs a penalty."""

    name: str
    sentence: str
    left_out: str
    strike: bool = False


@dataclass(frozen=True)
class Limits:
    """The most that a job may have; Terms.sol refuses more."""

    seats: int
    trainers: int
    rounds: int
    failures: int  # in a row
    seconds_of_a_phase: int


@dataclass(frozen=True)
class Movement:
    """A vault's event about tokens. what: in words, with the event's {round}. to_account: whether it moves them to the
    account (1), from it (−1), or neither (0)."""

    what: str
    to_account: int


def read_row(kind: type[T], row: Mapping[str, Any]) -> T:
    """A row as a dataclass; what else stands in it, the page reads."""
    return kind(**{field.name: row[field.name] for field in fields(kind) if field.name in row})  # type: ignore[arg-type]


VERDICTS: Final = tuple(read_row(Verdict, row) for row in TABLES["verdicts"])  # by code
LIMITS: Final = read_row(Limits, TABLES["limits"])
MOVEMENTS: Final = {event: read_row(Movement, row) for event, row in TABLES["movements"].items()}
USED: Final[str] = TABLES["used"]  # updates of a round, of those that were sent
REST: Final[Mapping[str, str]] = TABLES["rest"]  # of a job that is over: what waits for the sponsor, what went back
STANDING: Final[Mapping[str, str]] = TABLES["standing"]  # why a credential of the chain does not count
RULES: Final[Mapping[str, Mapping[str, Any]]] = TABLES["rules"]  # flags by name; the rest is aggregation.py
