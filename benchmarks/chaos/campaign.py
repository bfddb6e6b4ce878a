"""Job after job, each with its plan: what was injected, what came of it, and the shortest schedule that fails."""

from __future__ import annotations

import shutil
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from benchmarks.chaos.checks import STUCK, WAYS, Ending, Problem, problems
from benchmarks.chaos.ending import ending_of
from benchmarks.chaos.lab import ChaosFederation, Ground
from benchmarks.chaos.plan import Fault, Plan, as_json
from benchmarks.chaos.shrink import shrink
from benchmarks.chaos.stage import Recovery, Stage
from hansa.protocol.errors import HansaError


@dataclass(frozen=True)
class Played:
    """One job that is over. ended: daemons that ended by themselves, and their last words; blocks: from its posting."""

    plan: Plan
    problems: list[Problem]
    injected: Counter[str]
    recoveries: list[Recovery]
    ended: list[str]
    blocks: int
    reverted: int
    acts: int
    seconds: float
    unread: int = 0  # blocks that the node lost


@dataclass
class Campaign:
    """Plays jobs on one ground. undisturbed: what the same job comes to when nothing happens, by its name."""

    ground: Ground
    played: list[Played] = field(default_factory=list)
    _undisturbed: dict[str, Ending] = field(default_factory=dict)
    _number: int = 0

    def play(self, plan: Plan) -> Played:
        """With what the same job comes to undisturbed, which is played first where it was not yet."""
        known = f"{plan.name}, {plan.seed}"
        if known not in self._undisturbed:
            ending, _, _ = self._run(plan.but([]))
            if wrong := problems(ending):
                return Played(plan.but([]), wrong, Counter(), [], [], 0, ending.reverted, len(ending.acts), 0.0)
            self._undisturbed[known] = ending
        began = time.monotonic()
        ending, stage, failure = self._run(plan)
        found = problems(ending, self._undisturbed[known]) if failure is None else [Problem(STUCK, failure)]
        return Played(
            plan,
            found,
            stage.injected,
            stage.recoveries,
            stage.ended,
            stage.blocks,
            ending.reverted,
            len(ending.acts),
            time.monotonic() - began,
            ending.unread,
        )

    def _run(self, plan: Plan) -> tuple[Ending, Stage, str | None]:
        """Its folder is gone afterwards, unless something is wrong."""
        self._number += 1
        folder = self.ground.folder / f"job-{self._number}"
        with ChaosFederation(self.ground, plan, folder) as lab:
            stage = Stage(lab)
            stage.play()
            try:
                ending, failure = ending_of(lab, stage), None
            except HansaError as error:
                traceback.print_exc()
                ending, failure = Ending("?", (), (), {}, 0, {}, {}, {}), f"what it came to can't be read: {error}"
        if failure is None and not problems(ending):
            shutil.rmtree(folder)
        return ending, stage, failure

    def shrunk(self, failed: Played, most: int, end: float) -> Plan:
        """The shortest schedule found in so many tries, and until a moment, that fails in the same way."""
        ways = {problem.way for problem in failed.problems}

        def fails(faults: Sequence[Fault]) -> bool:
            if time.monotonic() > end:
                return False
            again = self.play(failed.plan.but(faults))
            return bool(ways & {problem.way for problem in again.problems})

        return failed.plan.but(shrink(failed.plan.faults, fails, most))


def broken(plan: Plan, error: Exception) -> Played:
    """A job of which the benchmark itself did not see the end."""
    return Played(plan, [Problem(STUCK, f"the benchmark broke: {error!r}")], Counter(), [], [], 0, 0, 0, 0.0)


def summary(played: Sequence[Played]) -> dict[str, Any]:
    """What the JSON says of all of them."""
    injected: Counter[str] = Counter()
    for one in played:
        injected.update(one.injected)
    recoveries = [recovery for one in played for recovery in one.recoveries]
    depths = sorted({one.plan.confirmations for one in played})
    waiting = {n: [back for one in played if one.plan.confirmations == n for back in one.recoveries] for n in depths}
    return {
        "jobs": len(played),
        **{way: sum(problem.way == way for one in played for problem in one.problems) for way in WAYS},
        "by_pair": dict(Counter(one.plan.name for one in played)),
        "injected": dict(+injected),
        "recovery": {kind: spread(recoveries, kind) for kind in ("", *sorted({one.kind for one in recoveries}))},
        "recovery_by_confirmations": {n: spread(its, "") for n, its in waiting.items()},
        "ended_by_themselves": [said for one in played for said in one.ended],
        "calls": sum(one.acts for one in played),
        "reverted": sum(one.reverted for one in played),
        "blocks": sum(one.blocks for one in played),
        "blocks_lost_by_the_node": sum(one.unread for one in played),
        "failures": [failure(one) for one in played if one.problems],
    }


def spread(recoveries: Sequence[Recovery], kind: str) -> dict[str, float | int | None]:
    """Blocks until the next useful transaction, of anybody and of the party itself, and seconds to the first of these;
    '': of all kinds."""
    its = [one for one in recoveries if kind in ("", one.kind)]
    found: dict[str, float | int | None] = {"count": len(its)}
    values: dict[str, Callable[[Recovery], float | None]] = {
        "job": lambda one: one.anybody,
        "party": lambda one: one.own,
        "seconds": lambda one: None if one.seconds is None else round(one.seconds, 2),
    }
    for name, of in values.items():
        known = [value for one in its if (value := of(one)) is not None]
        found |= {f"{name}_median": median(known) if known else None, f"{name}_max": max(known, default=None)}
    return found


def failure(one: Played) -> dict[str, Any]:
    return {"schedule": as_json(one.plan), "problems": [asdict(problem) for problem in one.problems]}
