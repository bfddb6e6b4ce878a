"""The terms of a job from what a sponsor says: how many, how much, how long."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hansa.protocol.errors import FatalError, check_range
from hansa.protocol.phases import PHASES
from hansa.protocol.tables import LIMITS
from hansa.protocol.types import Address, Digest, Wei
from hansa.runtime.chain.structs import JobTerms

NO_TARGET = 2**63 - 1  # a metric that nothing reaches
DAY = 86_400
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": DAY}

TIMES: Mapping[str, int] = {**{row.key: row.usual for row in PHASES if row.usual}, "claim": 365 * DAY, "slash": 600}
"""Seconds of a job where everybody is awake; phases end early when all who are due have acted."""

NAMES = tuple(dict.fromkeys([*(row.key for row in PHASES if row.term), *TIMES]))
"""Whatever has a length, those included that only some privacy modes have."""


@dataclass(frozen=True)
class JobOffer:
    """What a sponsor offers and asks for. Amounts in the token's smallest unit, times in seconds by phase."""

    trainers: int
    seats: int
    rounds: int
    reward: Wei  # a round
    fee: Wei  # a seat and round
    bond: Wei
    penalty: Wei
    min_updates: int | None = None  # None: more than half
    quorum: int | None = None  # None: two thirds
    failures: int = 3
    failure_burn: int = 5000  # basis points
    patience: int = 0
    target: int = NO_TARGET  # 1e-9
    times: Mapping[str, int] = field(default_factory=dict)
    is_shared: bool = (
        False  # updates are sealed to several seats together: as many as the quorum must attest and release
    )

    @property
    def least_quorum(self) -> int:
        """As given; two thirds, and more than half, by default."""
        return self.quorum if self.quorum is not None else usual_quorum(self.seats)

    @property
    def full_round(self) -> int:
        return self.reward + self.seats * self.fee

    @property
    def claim_warning(self) -> str | None:
        """What is said of a time to claim under a day: who is away for it loses what it earned."""
        claim = {**TIMES, **self.times}["claim"]
        if claim >= DAY:
            return None
        return (
            f"--time claim leaves {in_words(claim)} after the job's end to claim what was earned, later it is burnt; "
            "daemons refuse less than an hour, so a day or more is wise"
        )

    @property
    def costliest_failures(self) -> int:
        """What failed cycles in a row burn at most, before the last of them ends the job."""
        return self.failures * (self.full_round * self.failure_burn // 10_000)

    @property
    def escrow(self) -> int:
        """What all rounds cost."""
        return self.rounds * self.full_round


def job_terms(
    offer: JobOffer,
    *,
    token: Address,
    committee: Address,
    admission: Address,
    spec: Digest,
    model: Digest,
    recheck_admission: bool = False,
) -> JobTerms:
    """The contract's terms; FatalError for what it would refuse, in words."""
    check_range("--trainers", offer.trainers, 1, LIMITS.trainers)
    check_range("--rounds", offer.rounds, 1, LIMITS.rounds)
    check_range("the number of validators", offer.seats, 1, LIMITS.seats)
    minimum = offer.min_updates if offer.min_updates is not None else offer.trainers // 2 + 1
    quorum = offer.least_quorum
    check_range("--min-updates", minimum, 1, offer.trainers)
    check_range("--quorum", quorum, offer.seats // 2 + 1, offer.seats)
    check_range("--failures", offer.failures, 1, LIMITS.failures)
    check_range("--patience", offer.patience, 0, 2**16 - 1)
    check_range("--target in 1e-9", offer.target, -(2**63), NO_TARGET)
    check_range("--bond in units", offer.bond, 1, 2**96 - 1)
    for name, amount in (("--reward", offer.reward), ("--fee", offer.fee), ("--penalty", offer.penalty)):
        check_range(f"{name} in units", amount, 0, 2**96 - 1)
    times = {**TIMES, **offer.times}
    for name, length in times.items():
        check_range(f"--time {name} in seconds", length, 2 if name == "open" else 1, 2**32 - 1)
    lengths: dict[str, Any] = {row.term: times.get(row.key, 0) for row in PHASES if row.term}
    return JobTerms(
        token=token,
        committee=committee,
        admission=admission,
        recheck_admission=recheck_admission,
        keep_committee=False,
        spec=spec,
        model=model,
        reward_per_round=offer.reward,
        fee_per_seat=offer.fee,
        min_bond=offer.bond,
        strike_penalty=offer.penalty,
        target_metric=offer.target,
        **lengths,
        claim_time=times["claim"],
        slash_time=times["slash"],
        max_trainers=offer.trainers,
        min_updates=minimum,
        max_rounds=offer.rounds,
        patience=offer.patience,
        failure_burn=offer.failure_burn,
        max_failures=offer.failures,
        seats=offer.seats,
        quorum=quorum,
        threshold=quorum if offer.is_shared else 0,
    )


def usual_quorum(seats: int) -> int:
    """Two thirds, and more than half."""
    return max(-(-2 * seats // 3), seats // 2 + 1)


def parse_times(entries: Iterable[str]) -> dict[str, int]:
    """`submit=10m` and so on, to seconds by phase."""
    times = {}
    for entry in entries:
        name, _, text = entry.partition("=")
        if name not in NAMES:
            raise FatalError(f"--time {entry}: there is no phase {name!r}", next_step=f"name one of {', '.join(NAMES)}")
        times[name] = seconds(text)
    return times


def seconds(text: str) -> int:
    """'90', '90s', '10m', '2h' or '3d' in seconds."""
    found = re.fullmatch(r"([1-9][0-9]{0,8})([smhd]?)", text.strip())
    if found is None:
        raise FatalError(f"{text!r} is not a duration", next_step="write it like 30s, 10m, 2h or 3d")
    return int(found[1]) * SECONDS[found[2] or "s"]


def in_words(number: int) -> str:
    """Seconds for a person: 3700 → '1 h 1 min'."""
    days, rest = divmod(max(0, number), DAY)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    parts = [f"{n} {unit}" for n, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (left, "s")) if n]
    return " ".join(parts[:2]) or "0 s"
