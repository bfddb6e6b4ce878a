"""What a job costs in gas, call by call and by whom, from the measured gas of each call."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hansa.protocol.privacy import COMMITTEE, MODES
from hansa.protocol.sheet import ENTRY_BYTES
from hansa.runtime.chain import abi
from hansa.runtime.chain.dialects import APPOINTED

GAS_FILE = Path(abi.__file__).with_name("gas.json")  # written by `make gas ARGS=--write`
ENVELOPE = 110  # bytes of a transaction beside its calldata
FLOOR_BASE, FLOOR_BYTE = 21_000, 40  # of a transaction and its bytes, where calldata has a least price (EIP-7623)
MEMBER = 22_500  # gas of one member more in a new committee
SEATS, MANY_SEATS = 5, 24  # of the jobs that the gas was measured with
CLAIMED_ROUNDS = 15  # of the measured claim
ENTRIES, MORE_ENTRIES = 5, 20  # of the measured sheets
SPONSOR, TRAINER, VALIDATOR, ANYBODY = "sponsor", "trainer", "validator", "anybody"


@functools.cache
def gas_table() -> dict[str, int]:
    """Gas by call, as measured."""
    table: dict[str, int] = json.loads(GAS_FILE.read_text())["gas"]
    return table


@dataclass(frozen=True)
class Plan:
    """A job without failed cycles. updates: of one round. privacy: one of MODES. consensus: as `job post` takes it."""

    trainers: int
    seats: int
    rounds: int
    updates: int
    privacy: str = COMMITTEE
    consensus: str = APPOINTED

    @property
    def is_drawn(self) -> bool:
        """Whether its committee is another one in each round: all seats are counted as changed."""
        return self.consensus != APPOINTED


@dataclass(frozen=True)
class CallCost:
    """One call of a whole job. parties: how many send it. times: how often each. gas: for all times of one party.
    size: bytes of one such transaction. of_a_round: whether it is sent again every round."""

    who: str
    call: str
    parties: int
    times: int
    gas: int
    size: int
    of_a_round: bool = False

    @property
    def total(self) -> int:
        return self.parties * self.gas

    @property
    def one(self) -> int:
        """Gas of one call, the mean."""
        return self.gas // self.times


def costs(plan: Plan) -> list[CallCost]:
    """Every call of a job, whoever sends it; a claim of fewer than 15 rounds as one of 15. Of a committee that is
    drawn, what its own contract takes is not among them: no measure of it is the same for all pools."""
    gas, rounds, seats = gas_table(), plan.rounds, plan.seats
    claims = -(-rounds // CLAIMED_ROUNDS)
    committee = gas["AppointedCommittee, 5 members"] + (seats - SEATS) * MEMBER
    first_open = _by_seats("open, first", "open, first of 24 seats", seats)
    if plan.is_drawn:
        later_open = _by_seats("open, all seats changed", "open, all of 24 seats changed", seats)
    else:
        later_open = _by_seats("open, same committee", "open, same 24 seats", seats)
    last = _by_seats("finalize, ending the job", "finalize, ending a job of 24 seats", seats)
    finalized = [gas["finalize, first round"], *[gas["finalize"]] * (rounds - 2)][: rounds - 1]
    leaf = 32 * (10 + plan.trainers.bit_length())

    def once(who: str, call: str, parties: int, cost: int, size: int) -> CallCost:
        return CallCost(who, call, parties, 1, cost, ENVELOPE + size)

    def every(who: str, call: str, parties: int, cost: int, size: int) -> CallCost:
        return CallCost(who, call, parties, rounds, cost, ENVELOPE + size, of_a_round=True)

    def again(name: str) -> int:
        return gas[f"{name}, first of a seat"] + (rounds - 1) * gas[name]

    appointing = [] if plan.is_drawn else [once(SPONSOR, "new committee", 1, committee, _creation(seats))]
    lists = {"attest": 32 + -(-plan.updates // 256) * 32, "release": 0}  # bytes of those who are attested
    sharing = [
        every(VALIDATOR, call, seats, rounds * gas[call], _calldata("Federation", call, more))
        for call, more in lists.items()
        if call in MODES[plan.privacy].times
    ]
    return [
        *appointing,
        once(SPONSOR, "approve", 1, gas["approve"], _calldata("RewardToken", "approve")),
        once(SPONSOR, "post", 1, gas["post"], _calldata("Federation", "post")),
        once(SPONSOR, "claimRest", 1, gas["claimRest"], _calldata("Vault", "claimRest")),
        once(TRAINER, "approve", plan.trainers, gas["approve"], _calldata("RewardToken", "approve")),
        once(TRAINER, "enrol", plan.trainers, gas["enrol"], _calldata("Federation", "enrol", 32)),
        every(TRAINER, "submit", plan.updates, rounds * gas["submit"], _calldata("Federation", "submit")),
        CallCost(
            TRAINER, "claim", plan.trainers, claims, claims * gas["claim, 15 rounds"],
            ENVELOPE + 100 + min(rounds, CLAIMED_ROUNDS) * leaf,
        ),
        once(TRAINER, "claimBond", plan.trainers, gas["claimBond"], _calldata("Vault", "claimBond")),
        once(VALIDATOR, "announceKey", seats, gas["announceKey"], _calldata("Federation", "announceKey")),
        *sharing,
        every(VALIDATOR, "commitScores", seats, again("commitScores"), _calldata("Federation", "commitScores")),
        every(VALIDATOR, "revealScores", seats, rounds * reveal_gas(plan.updates), _reveal_bytes(plan.updates)),
        every(VALIDATOR, "vote", seats, again("vote"), _calldata("Federation", "vote")),
        once(VALIDATOR, "claimFees", seats, gas["claimFees"], _calldata("Federation", "claimFees")),
        every(ANYBODY, "open", 1, first_open + (rounds - 1) * later_open, _calldata("Federation", "open")),
        every(ANYBODY, "finalize", 1, sum(finalized) + last, _calldata("Federation", "finalize")),
    ]  # fmt: skip


def round_gas(plan: Plan) -> int:
    """Gas of one round, everybody's, the mean of a job's."""
    return sum(cost.total for cost in costs(plan) if cost.of_a_round) // plan.rounds


def reveal_gas(updates: int) -> int:
    """Gas of a sheet on chain: as measured, or the least that its bytes cost."""
    gas = gas_table()
    few, more = gas["revealScores, 5 updates"], gas["revealScores, 20 updates"]
    measured = few + (updates - ENTRIES) * (more - few) // (MORE_ENTRIES - ENTRIES)
    return max(measured, FLOOR_BASE + FLOOR_BYTE * _reveal_bytes(updates))


def paid_by(found: Sequence[CallCost], who: str) -> int:
    """Gas of one party of a kind in a whole job."""
    return sum(cost.gas for cost in found if cost.who == who)


def _by_seats(few: str, many: str, seats: int) -> int:
    """Between, and beyond, what was measured with 5 seats and with 24."""
    gas = gas_table()
    return gas[few] + (seats - SEATS) * (gas[many] - gas[few]) // (MANY_SEATS - SEATS)


def _calldata(contract: str, function: str, more: int = 0) -> int:
    """Bytes of a call whose arguments are all words, and `more`."""
    fields = abi.artifact(contract).functions[function].inputs
    return 4 + 32 * sum(field.type.count(",") + 1 for field in fields) + more


def _reveal_bytes(updates: int) -> int:
    return _calldata("Federation", "revealScores", 32 + -(-ENTRY_BYTES * updates // 32) * 32)


def _creation(seats: int) -> int:
    return len(abi.artifact("AppointedCommittee").bytecode) // 2 + 32 * (seats + 2)
