"""What an audit says: what it checked, what it could not check and why, what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from hansa.audit.paid import Settlement

MOST_SHOWN: Final = 2000  # characters of a value
MOST_KEPT: Final = 1000  # findings, and gaps; what a hostile archive has more of is counted


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

    noted: what was found and is judged by nobody, by name. more: findings and gaps that were met and are not kept.
    settlement: who was paid what; None where the events or the books are not as they must be.
    """

    checked: Counter[str] = field(default_factory=Counter)
    gaps: list[Gap] = field(default_factory=list)
    wrong: list[Finding] = field(default_factory=list)
    noted: dict[str, str] = field(default_factory=dict)
    more: Counter[str] = field(default_factory=Counter)
    settlement: Settlement | None = None

    @property
    def exit_code(self) -> int:
        """0: everything holds. 1: something is wrong. 3: nothing is, but what should be there to check is not."""
        if self.wrong:
            return 1
        return 0 if all(gap.expected for gap in self.gaps) and not self.more["gaps"] else 3

    def ok(self, what: str, times: int = 1) -> None:
        self.checked[what] += times

    def gap(self, what: str, why: str, *, expected: bool = False) -> None:
        if len(self.gaps) < MOST_KEPT:
            self.gaps.append(Gap(what, why, expected))
        else:
            self.more["expected gaps" if expected else "gaps"] += 1

    def fail(self, finding: Finding) -> None:
        """Something is wrong."""
        if len(self.wrong) < MOST_KEPT:
            self.wrong.append(finding)
        else:
            self.more["wrong"] += 1

    def data(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "verdict": {0: "holds", 1: "wrong", 3: "incomplete"}[self.exit_code],
            "checked": dict(self.checked),
            "not_checked": [{"what": gap.what, "why": gap.why, "expected": gap.expected} for gap in self.gaps],
            "wrong": [vars(finding) for finding in self.wrong],
            "noted": self.noted,
            "more": dict(self.more),
        }


def shown(value: Any, room: int = MOST_SHOWN) -> str:
    """A value as findings show it, cut where it is long."""
    if isinstance(value, bytes):
        text = "0x" + value[: room // 2].hex()
        return text + ("…" if 2 * len(value) > room else "")
    if isinstance(value, dict):
        return _listed((f"{name} {shown(item, room)}" for name, item in value.items()), room)
    if isinstance(value, list | tuple):
        return f"[{_listed((shown(item, room) for item in value), room)}]"
    text = str(value)
    return text if len(text) <= room else text[:room] + "…"


def _listed(parts: Iterable[str], room: int) -> str:
    found: list[str] = []
    for part in parts:
        if room <= 0:
            return ", ".join([*found, "…"])
        found.append(part)
        room -= len(part) + 2
    return ", ".join(found)


def require_equal(what: str, expected: Any, found: Any, **place: int | None) -> None:
    """Raises Wrong where two values are not equal."""
    if expected != found:
        raise Wrong(Finding(what, shown(expected), shown(found), **place))
