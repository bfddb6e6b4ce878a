"""One job's records, as the chain would give them: tests replace what they are about."""

from __future__ import annotations

from hansa.protocol.types import Address, CycleId, Digest, Phase, Round, Timestamp, Wei
from hansa.runtime.chain.structs import Books, JobState, JobTerms

SPONSOR = Address("0x" + "11" * 20)

STATE = JobState(
    phase=Phase.SUBMIT,
    sponsor=SPONSOR,
    cycle=CycleId(5 << 1 | 1),
    deadline=Timestamp(1_000),
    opened_at=Timestamp(900),
    ended_at=Timestamp(0),
    round=Round(2),
    enrolled=4,
    submitted=1,
    pending=3,
    stale=0,
    failures=1,
    stopping=False,
    rejoining=False,
    committee_kept=True,
    best_metric=812_500_000,
    due=7,
    attested=0,
    released=0,
    committed=3,
    revealed=1,
    voted=0,
    updates=0,
    sheets=bytes(32),
    history=bytes(32),
    committee=(),
    matched=(),
)

BOOKS = Books(SPONSOR, SPONSOR, Timestamp(0), Timestamp(0), Timestamp(0), *[Wei(0)] * 9)
TERMS = JobTerms(
    *[SPONSOR] * 3, False, True, Digest(bytes(32)), Digest(bytes(32)), *[Wei(1)] * 4, 0, *[60] * 9, 86_400, 0,
    max_trainers=4, min_updates=1, max_rounds=15, patience=0, failure_burn=0, max_failures=3, seats=3, quorum=2,
    threshold=0,
)  # fmt: skip
