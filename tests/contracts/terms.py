"""The terms of the jobs under test, unless a test asks for others."""

from __future__ import annotations

from typing import Any

from eth_utils.crypto import keccak

from hansa.protocol.types import Phase

DEAD = "0x000000000000000000000000000000000000dEaD"
NO_WORD = bytes(32)

FEE, REWARD, BOND, PENALTY = 10, 900, 100, 40
TERMS: dict[str, Any] = {
    "token": None,
    "committee": None,
    "admission": None,
    "recheckAdmission": False,
    "keepCommittee": False,
    "spec": keccak(text="spec"),
    "model": keccak(text="model 0"),
    "rewardPerRound": REWARD,
    "feePerSeat": FEE,
    "minBond": BOND,
    "strikePenalty": PENALTY,
    "targetMetric": 2**63 - 1,
    "enrolTime": 1000,
    "openTime": 600,
    "submitTime": 700,
    "attestTime": 0,
    "releaseTime": 0,
    "scoreTime": 800,
    "revealTime": 500,
    "voteTime": 400,
    "finalizeTime": 300,
    "claimTime": 50_000,
    "slashTime": 5_000,
    "maxTrainers": 3,
    "minUpdates": 2,
    "maxRounds": 3,
    "patience": 0,
    "failureBurn": 5000,
    "maxFailures": 3,
    "seats": 3,
    "quorum": 2,
    "threshold": 2,
}
TERMS_TYPES = (
    "address,address,address,bool,bool,bytes32,bytes32,uint96,uint96,uint96,uint96,int64,"
    + "uint32," * 11
    + "uint16," * 5
    + "uint8,uint8,uint8,uint8"
)
TIME_OF = {
    Phase.ENROL: "enrolTime",
    Phase.OPEN: "openTime",
    Phase.SUBMIT: "submitTime",
    Phase.ATTEST: "attestTime",
    Phase.RELEASE: "releaseTime",
    Phase.SCORE: "scoreTime",
    Phase.REVEAL: "revealTime",
    Phase.VOTE: "voteTime",
    Phase.FINALIZE: "finalizeTime",
}
