"""What an audit says: what it checked, what it could not check and why, what is wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hansa.audit.paid import Settlement


@dataclass(frozen=True)
class Finding:
    """One claim that does not hold. round, cycle, block: where it is about one; cycle is the counter, from 1."""

    what: str
    expected: str
    found: str
    round: int | None = None
    cycle: int | None = None
    block: int | None = None

    @property
    def place(self) -> str:
        named = (("round", self.round), ("cycle", self.cycle), ("block", self.block))
        return ", ".join(f"{name} {value}" for name, value in named if value is not None)

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.what}: expected {self.expected}, found {self.found}"


class Wrong(Exception):
    """A claim that does not hold, and what follows from it can't be looked at."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


@dataclass(frozen=True)
class Gap:
    """Something that was not checked. expected: the caller can't be blamed for it (no key), nor can the job."""

    what: str
    why: str
    expected: bool


@dataclass
class Report:
    """Findings in the order in which they were met; the first is the one to look at.

    settlement: who was paid what; None where the events or the books are not as they must be.
    """

    checked: Counter[str] = field(default_factory=Counter)
    gaps: list[Gap] = field(default_factory=list)
    wrong: list[Finding] = field(default_factory=list)
    settlement: Settlement | None = None

    @property
    def exit_code(self) -> int:
        """0: everything holds. 1: something is wrong. 3: nothing is, but what should be there to check is not."""
        if self.wrong:
            return 1
        return 0 if all(gap.expected for gap in self.gaps) else 3

    def ok(self, what: str, times: int = 1) -> None:
        self.checked[what] += times

    def gap(self, what: str, why: str, *, expected: bool = False) -> None:
        self.gaps.append(Gap(what, why, expected))

    def data(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "verdict": {0: "holds", 1: "wrong", 3: "incomplete"}[self.exit_code],
            "checked": dict(self.checked),
            "not_checked": [{"what": gap.what, "why": gap.why, "expected": gap.expected} for gap in self.gaps],
            "wrong": [vars(finding) for finding in self.wrong],
        }


def shown(value: Any) -> str:
    """A value as findings show it."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, dict):
        return ", ".join(f"{name} {shown(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return "[" + ", ".join(shown(item) for item in value) + "]"
    return str(value)


def require_equal(what: str, expected: Any, found: Any, **place: int | None) -> None:
    """Raises Wrong where two values are not equal."""
    if expected != found:
        raise Wrong(Finding(what, shown(expected), shown(found), **place))
