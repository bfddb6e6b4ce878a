"""What is to happen to whom and when: a schedule of faults that a seed gives, as JSON and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Final

from benchmarks.chaos.lies import LIES
from hansa.protocol.errors import FatalError
from hansa.protocol.privacy import MASKED, MODES
from hansa.sponsor.committees import APPOINTED, CONSENSUS, COUPLED, FILLED, HYBRID
from hansa.sponsor.privacy import check_appointed, usual_seats
from hansa.sponsor.terms import usual_quorum

KILL, KILL_AT, POWER, DEAD = "kill", "kill at", "power cut", "dead"
REORGANISATION, FEES = "reorganisation", "fee spike"
CLOCK, DISK = "clock", "disk full"
STORE_KILLED, STORE_LOSES, STORE_CORRUPTS, STORE_DELAYS = STORES = tuple(
    f"store {what}" for what in ("killed", "loses", "corrupts", "delays")
)
NODES: Final = tuple(f"node {lie}" for lie in LIES)
KINDS: Final = (KILL, KILL_AT, POWER, DEAD, REORGANISATION, FEES, CLOCK, DISK, *STORES, *NODES)
DAEMON_KILLED: Final = "daemon killed"  # how each SIGKILL of a daemon is counted, whatever for

TRAINERS: Final = 5  # one more than a committee of trainers needs, so that one may be missing
ROUNDS: Final = 2
DEEPEST: Final = 12  # blocks of a reorganisation
CONFIRMATIONS: Final = (4, DEEPEST)  # no reorganisation is deeper: what members commit to is for one order of updates
HOUR: Final = 3600
FEW, MANY = 20, 60  # faults of a job, about
SPAN: Final = 90  # blocks in which they begin: about as many as a job takes to which nothing happens
STEPS: Final = {
    "trainer": ("approve", "enrol", "submit", "claim", "bond"),
    "validator": ("announce", "attest", "release", "commit", "reveal", "vote", "finalize", "seat fees"),
}
"""Transactions by who sends them, as the daemons' journals name them."""
MOMENTS: Final = ("journalled", "sent")  # of a transaction: before, and after it is broadcast
PLACES: Final = tuple(f"{what} {when}" for what in ("decide", "keep", "publish") for when in ("before", "after"))
"""Of a decision's commit, of a file's, and of a file given to the store."""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong. at: blocks after the job was posted. lasts: blocks until it is over; who was killed is
    started again then. target: a daemon; '' for those that are everybody's. detail: of a kill, the place in the code;
    of a reorganisation, its depth; of a clock, seconds."""

    kind: str
    at: int
    lasts: int = 1
    target: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Plan:
    """One job, and what happens to it. gasless: trainers have no coin, and validators relay for them."""

    privacy: str
    consensus: str
    seed: int
    gasless: bool = False
    confirmations: int = 0
    faults: tuple[Fault, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.privacy}, {self.consensus}{', gasless' if self.gasless else ''}"

    def but(self, faults: Sequence[Fault]) -> Plan:
        return replace(self, faults=tuple(faults))


def pairs() -> list[tuple[str, str]]:
    """Privacy modes and kinds of committee that go together."""
    return [(privacy, kind) for privacy in MODES for kind in CONSENSUS if _is_allowed(privacy, kind)]


def _is_allowed(privacy: str, kind: str) -> bool:
    try:
        check_appointed(privacy, kind)
    except FatalError:
        return False
    return True


def draw(seed: int, number: int, faults: int = MANY) -> Plan:
    """The plan of the job of this number, from 0: all pairs in turn. faults: about so many."""
    random = Random(f"{seed} {number}")
    order = pairs()
    privacy, consensus = order[number % len(order)]
    gasless = consensus == APPOINTED and privacy != MASKED and random.random() < 0.25
    plan = Plan(privacy, consensus, seed, gasless, random.choice(CONFIRMATIONS))
    found = [_fault(random, plan) for _ in range(random.randint(faults // 2, faults + faults // 3))]
    if random.random() < 0.2:
        found.append(Fault(DEAD, random.randrange(SPAN), target=random.choice(targets(plan))))
    return plan.but(sorted(found, key=lambda fault: fault.at))


def targets(plan: Plan) -> list[str]:
    """Daemons of a job, by name."""
    seats = usual_seats(plan.privacy)
    drawn = {APPOINTED: 0, COUPLED: 0, HYBRID: usual_quorum(seats)}.get(plan.consensus, seats)
    members = 0 if plan.consensus == COUPLED else seats - drawn + FILLED * drawn
    return [f"trainer-{i}" for i in range(1, TRAINERS + 1)] + [f"validator-{i}" for i in range(1, members + 1)]


KIND_WEIGHTS: Final[Mapping[str, int]] = {
    KILL: 24, KILL_AT: 16, POWER: 9, REORGANISATION: 44, FEES: 3, CLOCK: 3, DISK: 3,
    STORE_KILLED: 4, STORE_LOSES: 3, STORE_CORRUPTS: 3, STORE_DELAYS: 3, **dict.fromkeys(NODES, 1),
}  # fmt: skip


def _fault(random: Random, plan: Plan) -> Fault:
    kind = random.choices(list(KIND_WEIGHTS), list(KIND_WEIGHTS.values()))[0]
    at, lasts = random.randrange(SPAN), random.randint(1, 4)
    target = "" if kind in (POWER, REORGANISATION, FEES, *STORES) else random.choice(targets(plan))
    detail = ""
    if kind == REORGANISATION:
        detail = str(random.randint(1, plan.confirmations))
    elif kind == KILL_AT:
        steps = [f"{step} {moment}" for step in _steps(plan, target) for moment in MOMENTS]
        detail = random.choice([*PLACES, *MOMENTS, *steps])
    elif kind == CLOCK:
        detail = str(random.choice((HOUR, -HOUR)))
    return Fault(kind, at, lasts, target, detail)


def _steps(plan: Plan, target: str) -> Sequence[str]:
    kind = target.partition("-")[0]
    return (*STEPS["trainer"], *STEPS["validator"]) if plan.consensus == COUPLED else STEPS[kind]


def as_json(plan: Plan) -> dict[str, Any]:
    return asdict(plan)


def from_json(data: Mapping[str, Any]) -> Plan:
    """FatalError for what is no plan."""
    try:
        faults = tuple(Fault(**fault) for fault in data["faults"])
        plan = Plan(**{**data, "faults": faults})
    except (TypeError, KeyError) as error:
        raise FatalError("the schedule is none of `benchmarks chaos`", cause=error) from error
    if unknown := sorted({fault.kind for fault in faults} - set(KINDS)):
        raise FatalError(f"the schedule has a fault of the kind {unknown[0]!r}", next_step=f"use {', '.join(KINDS)}")
    return plan


def load(path: Path) -> Plan:
    """A plan that was written; FatalError for what is none."""
    try:
        return from_json(json.loads(path.read_text()))
    except (OSError, ValueError) as error:
        raise FatalError(f"{path} can't be read as a schedule", cause=error) from error


def save(plan: Plan, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(as_json(plan), indent=1) + "\n")
