"""Jobs of chance."""

from __future__ import annotations

from random import Random
from typing import Any


def terms_and_escrow(luck: Random) -> tuple[dict[str, Any], int]:
    seats = luck.choice([1, 2, 3, 3, 4])
    trainers = luck.choice([1, 2, 3, 4, 4])
    terms = {
        "seats": seats,
        "quorum": luck.randint(seats // 2 + 1, seats),
        "threshold": luck.randint(1, seats),
        "keepCommittee": luck.random() < 0.5,
        "attestTime": luck.choice([0, 100]),
        "releaseTime": luck.choice([0, 100]),
        "maxTrainers": trainers,
        "minUpdates": min(trainers, luck.choice([1, 1, 2, 2, 3, 4])),
        "maxRounds": luck.choice([1, 2, 3, 4, 5, 6, 6]),
        "maxFailures": luck.choice([1, 2, 3, 3, 4, 4, 5]),
        "patience": luck.choice([0, 0, 0, 1, 2]),
        "failureBurn": luck.choice([0, 3333, 5000, 10_000]),
        "rewardPerRound": luck.choice([0, 1, 900, 901]),
        "feePerSeat": luck.choice([0, 1, 10]),
        "strikePenalty": luck.choice([0, 40, 1000]),
        "targetMetric": luck.choice([3, *[2**63 - 1] * 4]),
    }
    full = terms["rewardPerRound"] + seats * terms["feePerSeat"]
    return terms, full * luck.randint(1, 6) + luck.randint(0, 50)
